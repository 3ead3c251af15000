"""Answer for a person: let suspended steps of a run go on, those of its child runs too.

In: a run, a step's name or a selector, values.  Out: the names of the steps that go on; a RunError where none may.
Must not know: command lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from argo_yaml_provider.airflow.families import child_runs, open_run, task_instances
from argo_yaml_provider.airflow.persons import RESUME, SUSPENDED
from argo_yaml_provider.airflow.runs import OpenRun
from argo_yaml_provider.airflow.shutdown import end_task
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.clock import rfc3339
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.flow.selectors import Terms, selects
from argo_yaml_provider.flow.suspend import asked_of, supplied_outputs
from argo_yaml_provider.plan.nodes import CallKind, Json

if TYPE_CHECKING:
    from airflow.api_fastapi.core_api.security import GetUserDep
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Person:
    """Who answers, as Airflow's API asks it of its users."""

    name: str

    def get_id(self) -> str:
        """The same as the name."""
        return self.name

    def get_name(self) -> str:
        """What the answer is signed with."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """One step that waits, or the workflow itself."""

    node: str
    row: Any
    """Its task instance."""
    asked: Mapping[str, str | None]
    """What it asks for, each with its default."""
    template: Json | None = None
    """Of one that waits for a time, not for a person."""
    shown: Json
    """The node as the tree has it."""


def resume_steps(  # noqa: PLR0913 - a run, which steps, what they are told, by whom
    session: Session,
    dag_id: str,
    run_id: str,
    *,
    node: str | None,
    values: Mapping[str, str],
    person: Person,
    selector: Terms = (),
) -> list[str]:
    """Every step that waits, or those named as Argo or as Airflow names them; all or none. A time that it waits ends too."""
    run = open_run(session, dag_id, run_id)
    waiting = [step for one in (run, *child_runs(session, run)) for step in _suspended(session, one)]
    chosen = [step for step in waiting if (node is None or _is(node, step)) and selects(selector, step.shown)]
    if not chosen:
        what = f"step {node!r} of it" if node else "such step of it" if selector else "step of it"
        raise RunError(f"run {run_id} of {dag_id}: no {what} is suspended", help=_help([step.node for step in waiting]))
    for step in chosen:
        _check(step, values)
    for step in chosen:
        _go_on(session, step, values, person)
    return [step.node for step in chosen]


def _suspended(session: Session, run: OpenRun) -> Iterator[Suspended]:
    rows = task_instances(session, run, "awaiting_input", "running", "deferred")
    nodes = {node["name"]: node for node in run.flow.nodes()} if rows else {}
    for row in rows:
        found = _awaiting(row, nodes) if row.state == "awaiting_input" else _timed(run, row, nodes)
        if found is not None:
            yield found


def _awaiting(row: Any, nodes: Mapping[str, Json]) -> Suspended | None:
    """One that shows a form, which tells Argo's name of the node."""
    if row.hitl_detail is None:
        return None
    name = str(row.hitl_detail.subject).removesuffix(SUSPENDED)
    asked = {param: field.get("value") for param, field in (row.hitl_detail.params or {}).items()}
    return Suspended(node=name, row=row, asked=asked, shown=nodes.get(name, {"name": name}))


def _timed(run: OpenRun, row: Any, nodes: Mapping[str, Json]) -> Suspended | None:
    """One that would go on by itself in a while."""
    task_id = row.task_id.removeprefix(run.envelope.prefix)
    task = next((one for one in run.envelope.plan.tasks if one.id == task_id), None)
    if task is None or task.call_kind is not CallKind.SUSPEND:
        return None
    decision = run.flow.decide(task.id, row.map_index)
    if decision.outcome is not None or not (decision.template.get("suspend") or {}).get("duration"):
        return None
    asked = {one.name: one.default for one in asked_of(decision.template)}
    shown = nodes.get(decision.node, {"name": decision.node})
    return Suspended(node=decision.node, row=row, asked=asked, template=decision.template, shown=shown)


def _is(wanted: str, step: Suspended) -> bool:
    return wanted in (step.node, step.node.rpartition(".")[2], step.row.task_id)


def _help(waiting: list[str]) -> str:
    return f"these are: {', '.join(sorted(waiting))}" if waiting else "see whether the run has come that far, or is over"


def _check(step: Suspended, values: Mapping[str, str]) -> None:
    """Argo, too, refuses to resume what would lack an output."""
    asked = ", ".join(step.asked) or "nothing"
    if unknown := [value for value in values if value not in step.asked]:
        raise RunError(f"step {step.node!r} does not ask for {unknown[0]!r}", help=f"it asks for {asked}")
    if missing := [name for name, default in step.asked.items() if name not in values and default is None]:
        raise RunError(f"step {step.node!r}: no value for {missing[0]!r}", help=f"add -p {missing[0]}=…")


def _go_on(session: Session, step: Suspended, values: Mapping[str, str], person: Person) -> None:
    if step.template is None:
        _answer(session, step.row, values, person)
        return
    now = rfc3339(datetime.now(UTC))
    outputs: dict[str, str | None] = {**supplied_outputs(step.template, values)}
    begun = rfc3339(step.row.start_date) if step.row.start_date else now
    attempt = Attempt(phase=Phase.SUCCEEDED, parameters=outputs, started_at=begun, finished_at=now)
    end_task(session, step.row, Outcome(phase=Phase.SUCCEEDED, attempts=(attempt,)))


def _answer(session: Session, row: Any, values: Mapping[str, str], person: Person) -> None:
    from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
    from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail

    update_hitl_detail(
        row.dag_id,
        row.run_id,
        row.task_id,
        UpdateHITLDetailPayload(chosen_options=[RESUME], params_input=dict(values)),
        cast("GetUserDep", person),
        session,
        row.map_index,
    )
