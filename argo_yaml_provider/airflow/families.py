"""A run and the child runs that belong to it.

In: dag_id, run_id.  Out: all runs of the workflow, the run itself first; the task instances in certain states.
Must not know: what is done with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.envelope import child_dag_id
from argo_yaml_provider.airflow.facts import CHILD_CONF
from argo_yaml_provider.airflow.runs import OpenRun, RunReader
from argo_yaml_provider.diagnostics import RunError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def open_run(session: Session, dag_id: str, run_id: str) -> OpenRun:
    """One run; a RunError if it is not there, or is no workflow."""
    try:
        return RunReader().open(session, dag_id, run_id)
    except (LookupError, KeyError) as error:
        raise RunError(f"there is no run {run_id!r} of a workflow {dag_id!r}", help="see: airflow dags list-runs") from error


def child_runs(session: Session, run: OpenRun) -> Iterator[OpenRun]:
    """The child runs that go on, at any depth: each carries the uid of the workflow that it belongs to."""
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    family = run.envelope.family
    dag_ids = [child_dag_id(family, key) for key in run.envelope.verdicts]
    going_on = select(DagRun).where(DagRun.dag_id.in_(dag_ids), DagRun.state.in_(("queued", "running")))
    for row in session.scalars(going_on) if dag_ids else ():
        told: Any = (row.conf or {}).get(CHILD_CONF) or {}
        if told.get("globals", {}).get("workflow.uid") == run.facts.uid:
            yield RunReader().open(session, row.dag_id, row.run_id)


def task_instances(session: Session, run: OpenRun, *states: str) -> list[Any]:
    """Its task instances that are in one of these states, with what they ask a person."""
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select
    from sqlalchemy.orm import joinedload

    statement = (
        select(TaskInstance)
        .where(
            TaskInstance.dag_id == run.row.dag_id,
            TaskInstance.run_id == run.row.run_id,
            TaskInstance.state.in_(states),
        )
        .options(joinedload(TaskInstance.hitl_detail))
    )
    return list(session.scalars(statement))
