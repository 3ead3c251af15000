"""The runs of a CronWorkflow's DAG, as its schedule's policies ask of them.

In: a run that the schedule made.  Out: History.
Must not know: policies. A backfill is a matter of its own: its runs neither skip a slot nor count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from argo_yaml_provider.flow.slots import History
from argo_yaml_provider.plan.names import START

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def read_history(session: Session, dag_id: str, run_id: str) -> History | None:
    """What has become of the other runs; None for a run that no schedule made, which has no slot."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.types import DagRunType
    from sqlalchemy import select

    own = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
    if own is None or own.run_type != DagRunType.SCHEDULED:
        return None
    skipped = (
        select(TaskInstance.run_id)
        .where(TaskInstance.dag_id == dag_id, TaskInstance.task_id == START, TaskInstance.state == "skipped")
        .scalar_subquery()
    )
    found = session.execute(
        select(DagRun.id, DagRun.run_id, DagRun.run_type, DagRun.state, DagRun.logical_date)
        .where(
            DagRun.dag_id == dag_id,
            DagRun.run_id != run_id,
            DagRun.run_type != DagRunType.BACKFILL_JOB,
            DagRun.run_id.not_in(skipped),
        )
        .order_by(DagRun.end_date, DagRun.id)
    ).all()
    over = ("success", "failed")
    slots = [row.logical_date for row in found if row.run_type == DagRunType.SCHEDULED and row.id < own.id]
    return History(
        active=tuple(row.run_id for row in found if row.state not in over and row.id < own.id),
        ended=tuple(row.state == "success" for row in found if row.state in over),
        last=max(slots, default=None),
    )
