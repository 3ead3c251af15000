"""The runner of a scheduler that was killed says so where the next scheduler looks."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

SCHEDULER = """
import os, signal, sys

import airflow
from airflow.jobs.job import Job, JobState
from airflow.utils.session import create_session

from argo_yaml_provider.airflow.executor import StepExecutor

with create_session() as session:
    job = Job(job_type="SchedulerJob", state=JobState.RUNNING)
    session.add(job)
    session.flush()
    number = job.id
executor = StepExecutor()
executor.job_id = number
executor.start_runner()
while not executor.link.receive(1):
    pass
print(number, executor.link.pid, flush=True)
if sys.argv[1] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
executor.end()
"""


def state_after(job: int, runner: int) -> str:
    """Of the scheduler's job, once the runner is gone."""
    from airflow.jobs.job import Job
    from airflow.utils.session import create_session

    end = time.monotonic() + 60
    while time.monotonic() < end and is_alive(runner):
        time.sleep(0.1)
    with create_session() as session:
        found = session.get(Job, job)
        assert found is not None
        return str(found.state)


def is_alive(pid: int) -> bool:
    """Not gone, and no zombie that waits to be noticed."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("how", "state"), [("killed", "failed"), ("ended", "running")])
def test_only_a_scheduler_that_was_killed_is_reported_dead(airflow_db: object, how: str, state: str) -> None:
    said = subprocess.run([sys.executable, "-c", SCHEDULER, how], stdout=subprocess.PIPE, text=True, check=False).stdout
    job, runner = map(int, said.splitlines()[-1].split())
    assert state_after(job, runner) == state
