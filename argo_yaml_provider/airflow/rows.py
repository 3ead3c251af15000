"""What StepExecutor asks of the task instance table, at once for all that runs.

In: ids of task instances.  Out: what became of their rows.
Must not know: the runner, pods.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from argo_yaml_provider.airflow.api import Identity

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_MANY = 500
"""Ids in one statement; SQLite takes a thousand or so."""
POOL_SLOTS = -1
"""Unlimited: the executor has a limit of its own, and a parent that waits for its child run must not hold a slot."""


def ensure_pool() -> None:
    """The pool of steps, made once; a deployment may set its slots afterwards."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    from argo_yaml_provider.airflow.settings import POOL

    with create_session() as session:
        if Pool.get_pool(POOL, session=session) is None:
            session.add(Pool(pool=POOL, slots=POOL_SLOTS, description="steps of Argo workflows", include_deferred=False))


def identity(pid: int) -> Identity:
    """Who a runner is, for Airflow."""
    return Identity(hostname=_hostname(), unixname=getpass.getuser(), pid=pid)


@cache
def _hostname() -> str:
    from airflow.utils.net import get_hostname

    return str(get_hostname())  # type: ignore[no-untyped-call]


def fates(ids: list[str], who: Identity) -> dict[str, str]:
    """Tasks that must stop running here, with what is to become of their pods: `delete` or `keep`."""
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState

    going_on = (TaskInstanceState.RUNNING, TaskInstanceState.QUEUED)
    found: dict[str, str] = {}
    with create_session() as session:
        rows = {str(row.id): row for row in _rows(session, ids)}
    for ti_id in ids:
        row = rows.get(ti_id)
        if row is None:
            # Archived: the scheduler gave the task a new try, or the run was deleted. A next try takes the pod over.
            found[ti_id] = "orphan"
        elif row.state not in going_on:
            found[ti_id] = "delete"
        elif row.state == TaskInstanceState.RUNNING and (row.hostname, row.pid) != (who.hostname, who.pid):
            found[ti_id] = "keep"
    return found


def _rows(session: Session, ids: list[str]) -> Iterator[Any]:
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select

    for some in _chunks(ids):
        yield from session.execute(
            select(TaskInstance.id, TaskInstance.state, TaskInstance.hostname, TaskInstance.pid).where(
                TaskInstance.id.in_(some)
            )
        )


def beat(ids: list[str], who: Identity) -> None:
    """Tell the scheduler that these tasks are alive; one whose row is being written just now is told of the next time."""
    _update(ids, who, {"last_heartbeat_at": datetime.now(UTC)}, skip_locked=True)


def take_over(ids: list[str], who: Identity) -> None:
    """Write another runner's name on the rows of a dead one's tasks."""
    _update(ids, None, {"hostname": who.hostname, "unixname": who.unixname, "pid": who.pid}, skip_locked=False)


def report_death(job: int | str) -> None:
    """Of a scheduler: Airflow's next look for orphaned tasks finds those it had queued, and need not wait for its silence."""
    from airflow.jobs.job import Job, JobState
    from airflow.utils.session import create_session
    from sqlalchemy import update

    with create_session() as session:
        session.execute(update(Job).where(Job.id == int(job), Job.state == JobState.RUNNING).values(state=JobState.FAILED))


def _update(ids: list[str], who: Identity | None, values: dict[str, Any], *, skip_locked: bool) -> None:
    """Rows are locked in order, as a runner locks those of steps that begin and end: neither waits for the other for ever."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from airflow.utils.sqlalchemy import with_row_locks
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import select, update

    for some in _chunks(ids):
        chosen = select(TaskInstance.id).where(TaskInstance.id.in_(some), TaskInstance.state == TaskInstanceState.RUNNING)
        if who:
            chosen = chosen.where(TaskInstance.hostname == who.hostname, TaskInstance.pid == who.pid)
        with create_session() as session:
            chosen = with_row_locks(chosen.order_by(TaskInstance.id), session, skip_locked=skip_locked)
            statement = update(TaskInstance).where(TaskInstance.id.in_(session.scalars(chosen).all()))
            session.execute(statement.values(**values).execution_options(synchronize_session=False))


def _chunks(ids: list[str]) -> Iterator[list[UUID]]:
    for start in range(0, len(ids), _MANY):
        yield [UUID(one) for one in ids[start : start + _MANY]]
