"""The SQL of a task's usual beginning and end, built once a process: building it anew costs five times as much as running it.

In: a dialect.  Out: statements that take their values when they are run.
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
    """The task before its start, and what its run says; its row is locked."""
    begin: Any
    keys: Any
    """Of a task's XComs."""
    log: Any
    running: Any
    """The task before its end; its row is locked."""
    forget: Any
    """Deletes an XCom."""
    push: Any
    end: Any
    end_turn: Any
    """`end`, with the name of the loop's turn."""
    turn: Any
    """Names the turn of a loop."""
    show: Any
    """Writes rendered fields, over those that are there."""


@cache
def statements(dialect: str) -> Statements:
    """Those of one dialect."""
    from airflow.models.log import Log
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.xcom import XComModel
    from sqlalchemy import and_, bindparam, delete, insert, select

    xcoms = XComModel.__table__
    its = and_(*(xcoms.c[name] == bindparam(name) for name in NAMES))
    end = _end(dialect)
    return Statements(
        waiting=_locked(TaskInstance, ("max_tries", "next_method", "next_kwargs"), ("conf", "run_after")),
        begin=_update().values({**_BEGUN, **{name: bindparam(said) for name, said in _BEGINS.items()}}),
        keys=select(xcoms.c.key).where(its),
        log=insert(Log.__table__),
        running=_locked(TaskInstance, ("hostname",), ("id",), ("fail_fast",)),
        forget=delete(xcoms).where(its, xcoms.c.key == bindparam("key")),
        push=insert(xcoms),
        end=end,
        end_turn=end.values(rendered_map_index=bindparam("turn")),
        turn=_update().values(rendered_map_index=bindparam("turn")),
        show=_show(dialect),
    )


def _locked(model: Any, task: tuple[str, ...], run: tuple[str, ...], dag: tuple[str, ...] = ()) -> Any:
    """One task with its run and DAG; a run's id is called `run`."""
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from sqlalchemy import and_, bindparam, select

    tasks, runs, dags = model.__table__, DagRun.__table__, DagModel.__table__
    columns = [tasks.c[name] for name in ("state", "try_number", *task)]
    columns += [runs.c[name].label("run") if name == "id" else runs.c[name] for name in ("logical_date", *run)]
    columns += [dags.c[name] for name in ("owners", *dag)]
    joined = tasks.join(runs, and_(tasks.c.dag_id == runs.c.dag_id, tasks.c.run_id == runs.c.run_id))
    joined = joined.join(dags, tasks.c.dag_id == dags.c.dag_id)
    return select(*columns).select_from(joined).where(tasks.c.id == bindparam("ti")).with_for_update(of=tasks)


def _update() -> Any:
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import bindparam, update

    return update(TaskInstance.__table__).where(TaskInstance.__table__.c.id == bindparam("ti"))


def _end(dialect: str) -> Any:
    """With the duration as Airflow has the database work it out."""
    from types import SimpleNamespace

    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import bindparam

    at = bindparam("at", type_=TaskInstance.__table__.c.end_date.type)
    bind: Any = SimpleNamespace(dialect=SimpleNamespace(name=dialect))
    timed: Any = TaskInstance.duration_expression_update(at, _update(), bind)  # type: ignore[arg-type]
    return timed.values(state=bindparam("to"), **_ENDED)


def _show(dialect: str) -> Any:
    from airflow.models.renderedtifields import RenderedTaskInstanceFields
    from airflow.utils.sqlalchemy import build_upsert_stmt
    from sqlalchemy import bindparam

    shown: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("rendered_fields", "k8s_pod_yaml")}
    values = {**{name: bindparam(f"of_{name}") for name in NAMES}, **shown}
    return build_upsert_stmt(dialect, RenderedTaskInstanceFields.__table__, list(NAMES), values, shown)
