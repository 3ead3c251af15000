"""What hosts over the Task SDK share: the outcomes of a run, and what it computed once, read and written as XComs.

In: a task instance and its run, as the Task SDK shows them.  Out: half of the `Host` of step/host.py.
Must not know: the metadata database; whether it runs in a worker or in the triggerer.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict
from typing import Any, cast

from argo_yaml_provider.airflow.envelope import OUTCOME_KEY, Envelope
from argo_yaml_provider.airflow.facts import run_facts
from argo_yaml_provider.airflow.hosts.keys import once_key, once_task
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.pods.artifacts import NONE
from argo_yaml_provider.step.host import WorkflowRuns


class NoWorkflowRuns:
    """Neither a worker nor the triggerer can make a DAG: whatever is asked of workflows is an error that says who can."""

    def __getattr__(self, _name: str) -> Any:
        raise RunError(
            "a manifest that is an Argo Workflow is run by StepExecutor alone, which does not run this step",
            help="add argo_yaml_provider.airflow.executor.StepExecutor to [core] executor, or call its template by templateRef",
        )


class RunValues:
    """One task instance's view of its run's XComs."""

    turn = ""
    moved = NONE

    def __init__(self, envelope: Envelope, ti: Any, run: Any, *, generation: int) -> None:
        self.envelope, self.plan, self.settings = envelope, envelope.plan, envelope.pods
        self.dag_id: str = ti.dag_id
        self.run_id: str = ti.run_id
        self.task_id: str = ti.task_id.removeprefix(envelope.prefix)
        self.map_index: int = -1 if ti.map_index is None else ti.map_index
        self.generation = generation
        self.workflows: WorkflowRuns = cast("WorkflowRuns", NoWorkflowRuns())
        self.facts = run_facts(
            envelope,
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            conf=run.conf,
            run_after=run.run_after,
            logical_date=run.logical_date,
        )

    async def read_xcom(self, key: str, task_id: str, map_index: int) -> Any:
        """A value of this run; None if there is none."""
        raise NotImplementedError

    async def write_xcom(self, key: str, value: Any, task_id: str, map_index: int, *, length: int | None = None) -> None:
        """Push a value of this run; `length` is what Airflow maps over."""
        raise NotImplementedError

    async def outcome(self, task_id: str, map_index: int) -> Outcome | None:
        value = await self.read_xcom(OUTCOME_KEY, self.envelope.prefix + task_id, map_index)
        return None if value is None else Outcome.from_json(value)

    def stay(self, work: Coroutine[Any, Any, None]) -> None:
        """This host ends with its task."""
        work.close()

    async def is_over(self) -> bool:
        """No: its task belongs to the run."""
        return False

    async def publish(self, outcome: Outcome) -> None:
        """Leave the outcome for whoever comes after."""
        # Plain JSON: the Task SDK would wrap a tuple, and who reads the database finds the wrapping.
        value = json.loads(json.dumps(outcome.to_json()))
        await self.write_xcom(OUTCOME_KEY, value, self.envelope.prefix + self.task_id, self.map_index)

    async def once(self, key: str, compute: Callable[[], Awaitable[Any]]) -> Any:
        carrier = self.envelope.prefix + once_task(self.plan)
        kept = await self.read_xcom(once_key(key), carrier, -1)
        if kept is None:
            kept = {"value": await compute()}
            await self.write_xcom(once_key(key), kept, carrier, -1)
        return kept["value"]


def attempts_to_json(attempts: tuple[Attempt, ...]) -> list[Json]:
    """As `attempts_from_json` reads them."""
    return [asdict(attempt) for attempt in attempts]


def attempts_from_json(kept: list[Json] | None) -> tuple[Attempt, ...]:
    """Attempts that were kept; none if nothing was."""
    return tuple(Attempt(**{**attempt, "phase": Phase(attempt["phase"])}) for attempt in kept or ())
