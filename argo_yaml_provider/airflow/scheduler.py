"""Airflow's own scheduler loop, run in this process until the runs it was started for are over.

In: an executor, and a function that says whether to go on.  Out: runs, scheduled as any Airflow schedules them.
Must not know: workflows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow.jobs.job import Job, run_job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

if TYPE_CHECKING:
    from airflow.executors.base_executor import BaseExecutor
    from sqlalchemy.orm import Session


class RunScheduler(SchedulerJobRunner):
    """A scheduler that ends."""

    def __init__(self, executors: list[BaseExecutor], over: Callable[[Session], bool]) -> None:
        super().__init__(job=Job(), num_runs=-1, scheduler_idle_sleep_time=0, executors=executors)  # type: ignore[no-untyped-call]
        self._over = over

    def _do_scheduling(self, session: Session) -> int:
        if self._over(session):
            self.num_runs = 1  # the loop counts its rounds and ends after this one
        return super()._do_scheduling(session)


def run_scheduler(executors: list[BaseExecutor], over: Callable[[Session], bool]) -> None:
    """Schedule until `over`."""
    scheduler = RunScheduler(executors, over)
    run_job(job=scheduler.job, execute_callable=scheduler._execute)  # noqa: SLF001 - what `airflow scheduler` calls
