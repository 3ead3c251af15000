"""Stop or terminate a run: no new pods, running ones ended; as Argo's `stop` and `terminate` do.

In: a run, a strategy.  Out: the names of the nodes that were ended; a RunError where there is nothing to stop.
The run's conf says it to every task that begins from now on. What runs is ended here: its row and its outcome are written, and
whoever runs it finds its row ended, as after Airflow's own "mark as failed", and deletes its pod.
Must not know: command lines, pods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.api import Pushed, TaskRef, read_kept
from argo_yaml_provider.airflow.envelope import OUTCOME_KEY
from argo_yaml_provider.airflow.facts import SHUTDOWN_CONF
from argo_yaml_provider.airflow.families import child_runs, open_run, task_instances
from argo_yaml_provider.airflow.hosts.keys import attempts_key
from argo_yaml_provider.airflow.runs import FINISHED, OpenRun
from argo_yaml_provider.airflow.xcoms import write_xcom
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.clock import rfc3339
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.flow.shutdown import may_run, shut_down, stopped
from argo_yaml_provider.plan.nodes import CallKind, PlannedTask, TaskKind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_UNDER_WAY = ("running", "deferred", "awaiting_input", "up_for_retry")


def shut_down_run(session: Session, dag_id: str, run_id: str, strategy: str) -> list[str]:
    """The tasks that were ended, of the run and of its child runs."""
    run = open_run(session, dag_id, run_id)
    if run.row.state in FINISHED:
        raise RunError(f"run {run_id} of {dag_id} is over: {run.row.state}", help="only a run that goes on can be stopped")
    return [name for one in (run, *child_runs(session, run)) for name in _shut_down(session, one, strategy)]


def _shut_down(session: Session, run: OpenRun, strategy: str) -> list[str]:
    run.row.conf = {**(run.row.conf or {}), SHUTDOWN_CONF: strategy}
    planned = {run.envelope.prefix + task.id: task for task in run.envelope.plan.tasks}
    ended = []
    for row in task_instances(session, run, *_UNDER_WAY):
        task = planned.get(row.task_id)
        if task is not None and (outcome := _outcome(session, run, row, task, strategy)) is not None:
            end_task(session, row, outcome)
            ended.append(task.label or task.id)
    return ended


def _outcome(session: Session, run: OpenRun, row: Any, task: PlannedTask, strategy: str) -> Outcome | None:
    """How it ends now; None: it goes on, for it has no pod, or runs after the end, or waits for a child run that ends."""
    if task.kind is TaskKind.START:
        return Outcome(phase=Phase.FAILED, message=stopped(strategy))
    if task.kind is not TaskKind.STEP or task.call_kind in (None, CallKind.CHILD):
        return None
    if may_run(strategy, exits=run.flow.exits(task.id)):
        return None
    kept = read_kept(session, ref_of(row), attempts_key(row.max_tries))
    before = tuple(Attempt(**{**one, "phase": Phase(one["phase"])}) for one in kept or ())
    waits = row.state == "up_for_retry" and bool(before)
    started = rfc3339(row.start_date) if row.start_date and not waits else ""
    return shut_down(strategy, task.call_kind, before, retried=task.retries, started_at=started, tries=not waits)


def end_task(session: Session, row: Any, outcome: Outcome) -> None:
    """End a task from outside, with its outcome."""
    from airflow.utils.state import TaskInstanceState

    state = TaskInstanceState.SUCCESS if outcome.phase is Phase.SUCCEEDED else TaskInstanceState.FAILED
    write_xcom(session, ref_of(row), Pushed(key=OUTCOME_KEY, value=outcome.to_json()))
    row.set_state(state, session=session)


def ref_of(row: Any) -> TaskRef:
    """A task instance, as our own calls name it."""
    return TaskRef(id=str(row.id), dag_id=row.dag_id, run_id=row.run_id, task_id=row.task_id, map_index=row.map_index)
