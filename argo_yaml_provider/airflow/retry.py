"""Retry a run that has failed: its failed nodes once more, and all that came after them; what succeeded stays.

In: a run.  Out: the names of the nodes that run again; a RunError where none may.
A node that failed but was got over, for something after it succeeded, stays as well.
Must not know: command lines. Argo: workflow/util/util.go, FormulateRetryWorkflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.envelope import OUTCOME_KEY
from argo_yaml_provider.airflow.facts import RESTARTED_CONF, SHUTDOWN_CONF
from argo_yaml_provider.airflow.families import open_run
from argo_yaml_provider.airflow.runs import FINISHED, OpenRun
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.clock import rfc3339
from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.flow.results import FAILURES
from argo_yaml_provider.flow.selectors import Terms, selects
from argo_yaml_provider.plan.nodes import Json, PlannedTask, TaskKind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One task instance of a run that is over."""

    row: Any
    task: PlannedTask
    outcome: Outcome | None
    node: str = ""
    """The node it made; '' for a task that makes none, and a node that never was."""

    @property
    def phase(self) -> Phase:
        """That of its outcome."""
        return self.outcome.phase if self.outcome else Phase.ABSENT


def retry_run(
    session: Session, dag_id: str, run_id: str, *, values: Mapping[str, str], restarted: Terms | None = None
) -> list[str]:
    """`restarted`: of succeeded nodes, those to run again as well (None: none)."""
    run = open_run(session, dag_id, run_id)
    if run.row.state not in FINISHED:
        raise RunError(f"run {run_id} of {dag_id} is not over: {run.row.state}", help="stop it first")
    if run.row.state == "success" and not restarted:
        help_text = "add --restart-successful and --node-field-selector to run some of it again"
        raise RunError(f"run {run_id} of {dag_id} has succeeded", help=help_text)
    steps = _steps(session, run)
    again = _again(run, steps, restarted)
    _clear(session, run, again)
    conf = {**(run.row.conf or {}), **values, RESTARTED_CONF: rfc3339(datetime.now(UTC)), SHUTDOWN_CONF: ""}
    run.row.conf = conf
    return sorted({step.node for step in again if step.node})


def _steps(session: Session, run: OpenRun) -> list[Step]:
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select

    planned = {run.envelope.prefix + task.id: task for task in run.envelope.plan.tasks}
    rows = session.scalars(
        select(TaskInstance).where(TaskInstance.dag_id == run.row.dag_id, TaskInstance.run_id == run.row.run_id)
    )
    return [_step(run, row, planned[row.task_id]) for row in rows if row.task_id in planned]


def _step(run: OpenRun, row: Any, task: PlannedTask) -> Step:
    outcome = run.source.outcome(task.id, row.map_index)
    node = run.flow.node_of(task.id, row.map_index) if task.kind is TaskKind.STEP and outcome else ""
    return Step(row=row, task=task, outcome=outcome, node=node)


def _again(run: OpenRun, steps: list[Step], restarted: Terms | None) -> list[Step]:
    """Everything that is to run again."""
    if any(step.task.kind is TaskKind.START and step.phase is not Phase.SUCCEEDED for step in steps):
        return steps
    nodes = {node["name"]: node for node in run.flow.nodes()}
    made = {step.node: step for step in steps if step.node}
    gone: set[str] = set()
    for name, step in made.items():
        below = _below(nodes, name)
        failed = step.phase in FAILURES and not any(
            made[one].phase is Phase.SUCCEEDED and not run.flow.exits(made[one].task.id) for one in below if one in made
        )
        if failed or (restarted and step.phase is Phase.SUCCEEDED and name in nodes and selects(restarted, nodes[name])):
            gone |= {name, *below}
    return [step for step in steps if _is_again(run, step, steps, gone)]


def _below(nodes: Mapping[str, Json], name: str) -> set[str]:
    """The nodes after a node."""
    found: set[str] = set()
    pending = [name]
    while pending:
        new = [one for one in nodes.get(pending.pop(), {}).get("children", ()) if one not in found]
        found.update(new)
        pending += new
    return found - {name}


def _is_again(run: OpenRun, step: Step, steps: list[Step], gone: set[str]) -> bool:
    kind = step.task.kind
    if kind in (TaskKind.JOIN, TaskKind.VERDICT):
        return True
    if kind is TaskKind.STEP:
        return step.node in gone or step.phase is Phase.ABSENT or _of_exit_handler(run, step.task)
    if kind is TaskKind.FANOUT:
        turns = [one for one in steps if one.task.mapped_over == step.task.id and one.node]
        return step.phase is not Phase.SUCCEEDED or bool(turns and all(one.node in gone for one in turns))
    return False


def _of_exit_handler(run: OpenRun, task: PlannedTask) -> bool:
    """Whether it runs after the workflow's end, which comes once more."""
    handler = run.envelope.plan.on_exit
    return handler is not None and (task.call == handler.id or task.call.startswith(f"{handler.id}."))


def _clear(session: Session, run: OpenRun, steps: list[Step]) -> None:
    """As Airflow's own clear; what they left is forgotten."""
    from airflow.models.taskinstance import clear_task_instances
    from airflow.models.xcom import XComModel
    from sqlalchemy import delete

    clear_task_instances([step.row for step in steps], session)
    for step in steps:
        session.execute(
            delete(XComModel).where(
                XComModel.dag_id == run.row.dag_id,
                XComModel.run_id == run.row.run_id,
                XComModel.task_id == step.row.task_id,
                XComModel.map_index == step.row.map_index,
                XComModel.key == OUTCOME_KEY,
            )
        )
