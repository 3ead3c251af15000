"""The SQL of tasks' usual beginning and end, built once a process: building it anew costs five times as much as running it.

In: a dialect.  Out: statements that take their values when they are run, for many tasks at once.
Must not know: when they are the right ones (usual.py does).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

NAMES = ("dag_id", "run_id", "task_id", "map_index")
_BEGINS = {"start_date": "begun", "hostname": "host", "unixname": "unix", "pid": "process", "last_heartbeat_at": "now"}
"""Column -> what says it."""
_BEGUN = {"state": "running", "end_date": None, "retry_delay_override": None, "retry_reason": None}
_ENDED = {"next_method": None, "next_kwargs": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """All of them, for one dialect."""

    waiting: Any
    """Tasks before their start, whether they have XComs, and what their runs say; their rows are locked."""
    begin: Any
    log: Any
    running: Any
    """Tasks before their end; their rows are locked."""
    push: Any
    """Writes XComs, over those that are there."""
    end: Any
    turn: Any
    """Names the turn of a loop."""
    show: Any
    """Writes rendered fields, over those that are there."""


@cache
def statements(dialect: str) -> Statements:
    """Those of one dialect."""
    from airflow.models.log import Log
    from sqlalchemy import bindparam, insert

    begun: dict[str, Any] = {name: bindparam(said) for name, said in _BEGINS.items()}
    return Statements(
        waiting=_locked(("max_tries", "next_method", "next_kwargs"), ("conf", "run_after")).add_columns(_has_xcoms()),
        begin=_update(_task().c.id.in_(_these())).values({**_BEGUN, **begun}),
        log=insert(Log.__table__),
        running=_locked(("hostname",), ("id",), ("fail_fast",)),
        push=_push(dialect),
        end=_end(dialect),
        turn=_update(_task().c.id == bindparam("ti")).values(rendered_map_index=bindparam("turn")),
        show=_show(dialect),
    )


def _task() -> Any:
    from airflow.models.taskinstance import TaskInstance

    return TaskInstance.__table__


def _these() -> Any:
    from sqlalchemy import bindparam

    return bindparam("tis", expanding=True)


def _locked(task: tuple[str, ...], run: tuple[str, ...], dag: tuple[str, ...] = ()) -> Any:
    """Tasks with their runs and DAGs, in one order for all who lock many; a run's id is called `run`."""
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from sqlalchemy import and_, select

    tasks, runs, dags = _task(), DagRun.__table__, DagModel.__table__
    columns = [tasks.c[name] for name in ("id", "state", "try_number", *task)]
    columns += [runs.c[name].label("run") if name == "id" else runs.c[name] for name in ("logical_date", *run)]
    columns += [dags.c[name] for name in ("owners", *dag)]
    joined = tasks.join(runs, and_(tasks.c.dag_id == runs.c.dag_id, tasks.c.run_id == runs.c.run_id))
    joined = joined.join(dags, tasks.c.dag_id == dags.c.dag_id)
    chosen = select(*columns).select_from(joined).where(tasks.c.id.in_(_these()))
    return chosen.order_by(tasks.c.id).with_for_update(of=tasks)


def _has_xcoms() -> Any:
    from airflow.models.xcom import XComModel
    from sqlalchemy import exists

    tasks, xcoms = _task(), XComModel.__table__
    return exists().where(*(xcoms.c[name] == tasks.c[name] for name in NAMES)).correlate(tasks).label("has_xcoms")


def _update(which: Any) -> Any:
    from sqlalchemy import update

    return update(_task()).where(which)


def _end(dialect: str) -> Any:
    """With the duration as Airflow has the database work it out. A loop's turn keeps its name where none is said."""
    from types import SimpleNamespace

    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import bindparam, func

    named = _task().c.rendered_map_index
    at = bindparam("at", type_=_task().c.end_date.type)
    bind: Any = SimpleNamespace(dialect=SimpleNamespace(name=dialect))
    its = _update(_task().c.id == bindparam("ti"))
    timed: Any = TaskInstance.duration_expression_update(at, its, bind)  # type: ignore[arg-type]
    turn = func.coalesce(bindparam("turn", type_=named.type), named)
    return timed.values(state=bindparam("to"), rendered_map_index=turn, **_ENDED)


def _push(dialect: str) -> Any:
    from airflow.models.xcom import XComModel

    fixed = ("dag_run_id", "task_id", "map_index", "key", "dag_id", "run_id")
    return _upsert(dialect, XComModel.__table__, fixed[:4], fixed, ("value", "timestamp", "dag_result"))


def _show(dialect: str) -> Any:
    from airflow.models.renderedtifields import RenderedTaskInstanceFields

    return _upsert(dialect, RenderedTaskInstanceFields.__table__, NAMES, NAMES, ("rendered_fields", "k8s_pod_yaml"))


def _upsert(dialect: str, table: Any, key: tuple[str, ...], fixed: tuple[str, ...], new: tuple[str, ...]) -> Any:
    """Rows written over those of the same key."""
    from airflow.utils.sqlalchemy import build_upsert_stmt
    from sqlalchemy import bindparam

    shown: dict[str, Any] = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in new}
    values = {**{name: bindparam(f"of_{name}", type_=table.c[name].type) for name in fixed}, **shown}
    return build_upsert_stmt(dialect, table, list(key), values, shown)
