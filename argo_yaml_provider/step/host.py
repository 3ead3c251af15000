"""The seam between a step and whoever runs it: an executor's runner, the triggerer, a worker.

`step.run.run_task(host)` lives on one side and knows no Airflow; `airflow.hosts` has the adapters. Tests give a host of
their own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from argo_yaml_provider.flow.facts import RunFacts
from argo_yaml_provider.flow.metrics import Measurement
from argo_yaml_provider.flow.outcome import Attempt, Outcome
from argo_yaml_provider.flow.slots import History
from argo_yaml_provider.flow.suspend import Asked
from argo_yaml_provider.plan.nodes import Json, Plan
from argo_yaml_provider.pods.artifacts import Moves
from argo_yaml_provider.pods.settings import PodSettings
from argo_yaml_provider.step.kube import Kube

__all__ = ["Ended", "Host", "PodSettings", "Question"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a task ended, for the host to tell Airflow."""

    outcome: Outcome
    retry_after: float | None = None
    """Seconds until the next attempt; None: this is the end."""
    indices: list[int] | None = None
    """Of a fan-out: what Airflow maps over (the XCom return_value)."""
    measured: tuple[Measurement, ...] = ()
    """What the workflow's own metrics say, to be sent once Airflow knows of the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a suspended step waits for a person to say."""

    node: str
    asked: tuple[Asked, ...] = ()
    """() where a person only lets it go on."""
    problem: str = ""
    """What was wrong with the last answer, which does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRef:
    """One run."""

    dag_id: str
    run_id: str


class WorkflowRuns(Protocol):
    """Runs that stand for Workflow objects, which a manifest speaks of."""

    async def submit(self, plan: Plan, workflow: Json, series: str) -> RunRef:
        """Start a run of the plan for this object, unless the same `series` has started it before."""

    async def find(self, namespace: str, name: str) -> RunRef | None:
        """The newest run that stands for the object."""

    async def look(self, ref: RunRef) -> Json | None:
        """The Workflow object as its run has come along; None: it is gone, or was deleted."""

    async def delete(self, ref: RunRef) -> None:
        """End the run, and let nobody find it again."""


class Host(Protocol):
    """What a step asks of its host."""

    plan: Plan
    facts: RunFacts
    settings: PodSettings
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    generation: int
    """Raised by each clear-and-rerun; part of the pod's name."""
    kube: Kube
    turn: str
    """What Argo calls the turn of a mapped loop, `(0:item)`; the step says it as soon as it knows."""
    moved: Moves
    """What the step's pod fetches and stores; the step says that, too."""

    @property
    def workflows(self) -> WorkflowRuns:
        """Runs that stand for Workflow objects."""

    async def outcome(self, task_id: str, map_index: int) -> Outcome | None:
        """The outcome (XCom) of a task of this run that has ended; None if it left none."""

    async def attempts(self) -> tuple[Attempt, ...]:
        """The attempts of this task in this generation that have ended."""

    async def record_attempts(self, attempts: tuple[Attempt, ...]) -> None:
        """Keep them where the next try finds them."""

    async def once(self, key: str, compute: Callable[[], Awaitable[Any]]) -> Any:
        """The JSON value that was computed when this run first asked for `key`."""

    def log(self, line: str, *, container: str = "") -> None:
        """One line of the task's log."""

    def measure(self, measured: tuple[Measurement, ...]) -> None:
        """Send these now, while the step runs."""

    async def run_child(self, child: str, name: str, conf: Json) -> Outcome:
        """Run `plan.children[child]` (named stably by `name`) to its end; its verdict, with `Outcome.child` set."""

    def stay(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this beside what follows, once the task has ended; a host that ends with its task does not."""

    async def is_over(self) -> bool:
        """Whether the run has ended."""

    async def publish(self, outcome: Outcome) -> None:
        """Put an outcome in the place of the one that the task left."""

    async def child_nodes(self, dag_id: str, run_id: str) -> list[Json]:
        """The node tree of a child run."""

    async def history(self) -> History | None:
        """The runs of this CronWorkflow before the slot that this run is for; None: it is for none, or of a backfill."""

    async def end_runs(self, run_ids: tuple[str, ...]) -> None:
        """Terminate other runs of this CronWorkflow."""

    async def ask_person(self, question: Question, wait: float | None) -> dict[str, str] | None:
        """What a person supplied; None: nobody did for `wait` seconds. A host may end the step here and run it again then."""
