"""The usual beginning and end of a task, without the detours of Airflow's own functions.

In: a task instance that starts for the first time, or ends for good.  Out: the rows that `ti_run` and `ti_update_state` leave
(tests/airflow/test_usual.py compares every column), for a fifth of their CPU. Whatever is not usual is left to them,
untouched: `begin` answers None, `end` False.
Must not know: plans, steps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from argo_yaml_provider.airflow.statements import NAMES, statements
from argo_yaml_provider.airflow.xcoms import stored

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row
    from sqlalchemy.orm import Session

    from argo_yaml_provider.airflow.api import Finish, Identity, Json, Pushed, TaskRef

KNOWN = "3.3."
"""Releases of Airflow whose tables are known here; under any other its own functions do it all."""


def begin(session: Session, ti: TaskRef, who: Identity, begun: datetime) -> Row[Any] | None:
    """The task runs here from now on, if it waits for its first start; what its row and its run say."""
    line = session.connection()
    if not _is_known(line.dialect.name):
        return None
    do, names = statements(line.dialect.name), _names(ti)
    row = line.execute(do.waiting, {"ti": UUID(ti.id)}).one_or_none()
    if row is None or row.state != "queued" or row.next_method or row.next_kwargs is not None:
        return None
    if line.execute(do.keys, names).first() is not None:
        return None
    said = {"host": who.hostname, "unix": who.unixname, "process": who.pid, "begun": begun, "now": datetime.now(UTC)}
    line.execute(do.begin, {"ti": UUID(ti.id), **said})
    line.execute(do.log, {**names, **_logged("running", row, who.hostname)})
    return row


def end(session: Session, ti: TaskRef, end: Finish, at: datetime) -> bool:
    """The task's XComs, rendered fields and state; False where more belongs to its end: nothing is written then."""
    line = session.connection()
    if not _is_known(line.dialect.name) or not _is_plain(end):
        return False
    do = statements(line.dialect.name)
    row = line.execute(do.running, {"ti": UUID(ti.id)}).one_or_none()
    if row is None or row.state != "running" or (end.state == "failed" and row.fail_fast):
        return False
    for pushed in end.pushed:
        _push(line, ti, pushed, row.run)
    if end.shown.fields is not None:
        show(session, {ti: end.shown.fields})
    turn = {"turn": end.shown.turn} if end.shown.turn else {}
    line.execute(do.end_turn if turn else do.end, {"ti": UUID(ti.id), "to": end.state, "at": at, **turn})
    line.execute(do.log, {**_names(ti), **_logged(end.state, row, row.hostname)})
    return True


def show(session: Session, fields: Mapping[TaskRef, Json]) -> None:
    """Tasks' rendered fields, masked as Airflow masks them."""
    line = session.connection()
    line.execute(statements(line.dialect.name).show, [_shown(ti, said) for ti, said in fields.items()])


def _shown(ti: TaskRef, fields: Json) -> Json:
    from airflow.models.renderedtifields import RenderedTaskInstanceFields

    row: Any = SimpleNamespace(**_names(ti), task=None)
    masked = RenderedTaskInstanceFields(ti=row, render_templates=False, rendered_fields=dict(fields))
    values = {f"of_{name}": value for name, value in _names(ti).items()}
    return {**values, "new_rendered_fields": masked.rendered_fields, "new_k8s_pod_yaml": masked.k8s_pod_yaml}


def show_turns(session: Session, turns: Mapping[TaskRef, str]) -> None:
    """What the UI calls turns of loops, instead of their indices."""
    line = session.connection()
    line.execute(statements(line.dialect.name).turn, [{"ti": UUID(ti.id), "turn": turn} for ti, turn in turns.items()])


def _push(line: Connection, ti: TaskRef, pushed: Pushed, run: int) -> None:
    do, names = statements(line.dialect.name), {**_names(ti), "key": pushed.key}
    line.execute(do.forget, names)
    line.execute(do.push, {**names, "dag_run_id": run, "value": stored(ti, pushed)})


def _names(ti: TaskRef) -> Json:
    return {name: getattr(ti, name) for name in NAMES}


def _logged(event: str, row: Row[Any], hostname: str | None) -> Json:
    """As Airflow's audit log has it."""
    extra = json.dumps({"host_name": hostname}) if hostname else None
    said = {"try_number": row.try_number, "logical_date": row.logical_date, "owner": row.owners or None}
    return {"dttm": datetime.now(UTC), "event": event, "extra": extra, **said}


@cache
def _is_known(dialect: str) -> bool:
    """Whether this is an Airflow that is known here, on a database that the tests have, with one team."""
    from airflow import __version__
    from airflow.configuration import conf

    known = __version__.startswith(KNOWN) and dialect in ("sqlite", "postgresql")
    return known and not conf.getboolean("core", "multi_team")


def _is_plain(end: Finish) -> bool:
    """Whether the end is a few rows: no other task's, no list to map over, no asset, no span that somebody collects."""
    from opentelemetry import trace

    more = end.kept or end.skipped or end.outlets or any(pushed.mapped_length is not None for pushed in end.pushed)
    if more or end.state not in ("success", "skipped", "failed") or (end.state == "success" and _is_emptied()):
        return False
    return isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


@cache
def _is_emptied() -> bool:
    """Whether a success empties the task's state store."""
    from airflow.configuration import conf

    return conf.getboolean("state_store", "clear_on_success")
