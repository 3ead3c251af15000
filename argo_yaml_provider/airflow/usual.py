"""The usual beginning and end of tasks, many at once, without the detours of Airflow's own functions.

In: task instances that start for the first time, or end for good.  Out: the rows that `ti_run` and `ti_update_state` leave
(tests/airflow/test_usual.py compares every column), for a tenth of their CPU. Whatever is not usual is left to them,
untouched: it is not in the answer.
Must not know: plans, steps.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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


def begin(session: Session, tis: Iterable[TaskRef], who: Identity, begun: datetime) -> dict[TaskRef, Row[Any]]:
    """Those of the tasks that wait for their first start run here from now on; what their rows and their runs say."""
    line = session.connection()
    if not _is_known(line.dialect.name):
        return {}
    do, wanted = statements(line.dialect.name), {UUID(ti.id): ti for ti in tis}
    if found := {wanted[row.id]: row for row in line.execute(do.waiting, {"tis": list(wanted)}) if _is_first(row)}:
        said = {"host": who.hostname, "unix": who.unixname, "process": who.pid, "begun": begun, "now": datetime.now(UTC)}
        line.execute(do.begin, {"tis": [row.id for row in found.values()], **said})
        line.execute(do.log, [{**_names(ti), **_logged("running", row, who.hostname)} for ti, row in found.items()])
    return found


def _is_first(row: Row[Any]) -> bool:
    return row.state == "queued" and not row.next_method and row.next_kwargs is None and not row.has_xcoms


def end(session: Session, ends: Mapping[TaskRef, Finish], at: datetime) -> set[TaskRef]:
    """The tasks' XComs, rendered fields and states; of those to whose end more belongs nothing is written."""
    line = session.connection()
    plain = {UUID(ti.id): ti for ti, end in ends.items() if _is_known(line.dialect.name) and _is_plain(end)}
    if not plain:
        return set()
    do = statements(line.dialect.name)
    rows = {plain[row.id]: row for row in line.execute(do.running, {"tis": list(plain)})}
    if found := {ti: row for ti, row in rows.items() if _stands_alone(row, ends[ti])}:
        _push(line, [(ti, pushed, row.run) for ti, row in found.items() for pushed in ends[ti].pushed])
        show(session, {ti: fields for ti in found if (fields := ends[ti].shown.fields) is not None})
        line.execute(do.end, [_ended(ti, ends[ti], at) for ti in found])
        line.execute(do.log, [{**_names(ti), **_logged(ends[ti].state, row, row.hostname)} for ti, row in found.items()])
    return set(found)


def _stands_alone(row: Row[Any], end: Finish) -> bool:
    """Whether the task runs, and its end stops no other."""
    return row.state == "running" and not (row.fail_fast and end.state == "failed")


def _ended(ti: TaskRef, end: Finish, at: datetime) -> Json:
    return {"ti": UUID(ti.id), "to": end.state, "at": at, "turn": end.shown.turn or None}


def show(session: Session, fields: Mapping[TaskRef, Json]) -> None:
    """Tasks' rendered fields, masked as Airflow masks them."""
    line = session.connection()
    if fields:
        line.execute(statements(line.dialect.name).show, [_shown(ti, said) for ti, said in fields.items()])


def _shown(ti: TaskRef, fields: Json) -> Json:
    from airflow.models.renderedtifields import RenderedTaskInstanceFields

    row: Any = SimpleNamespace(**_names(ti), task=None)
    masked = RenderedTaskInstanceFields(ti=row, render_templates=False, rendered_fields=dict(fields))
    return {**_of(_names(ti)), "new_rendered_fields": masked.rendered_fields, "new_k8s_pod_yaml": masked.k8s_pod_yaml}


def show_turns(session: Session, turns: Mapping[TaskRef, str]) -> None:
    """What the UI calls turns of loops, instead of their indices."""
    line = session.connection()
    line.execute(statements(line.dialect.name).turn, [{"ti": UUID(ti.id), "turn": turn} for ti, turn in turns.items()])


def _push(line: Connection, pushed: Iterable[tuple[TaskRef, Pushed, int]]) -> None:
    """With the ids of their runs. What is pushed twice is written once: no statement may write a row twice."""
    now = {"new_timestamp": datetime.now(UTC), "new_dag_result": False}
    written = {
        (ti, one.key): {**_of({**_names(ti), "key": one.key, "dag_run_id": run}), "new_value": stored(ti, one), **now}
        for ti, one, run in pushed
    }
    if written:
        line.execute(statements(line.dialect.name).push, list(written.values()))


def _of(values: Json) -> Json:
    return {f"of_{name}": value for name, value in values.items()}


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
