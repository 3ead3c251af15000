"""A host of the tests' own, on whatever Kubernetes the test has."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.facts import RunFacts
from argo_yaml_provider.flow.metrics import Measurement
from argo_yaml_provider.flow.outcome import Attempt, Outcome
from argo_yaml_provider.flow.slots import History
from argo_yaml_provider.local.embedded import EmbeddedKubernetes
from argo_yaml_provider.plan.nodes import Call, CallKind, Json, Plan
from argo_yaml_provider.pods.artifacts import NONE, Moves
from argo_yaml_provider.pods.settings import PodSettings
from argo_yaml_provider.step.host import Question, RunRef
from argo_yaml_provider.step.kube import Kube


@dataclass(kw_only=True)
class KeptRuns:
    """Runs of workflows that never begin; a test says what becomes of them."""

    objects: dict[RunRef, Json] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)

    async def submit(self, plan: Plan, workflow: Json, series: str) -> RunRef:
        self.plans.append(plan)
        ref = RunRef(dag_id=plan.name, run_id=series[:8])
        self.objects[ref] = workflow
        return ref

    async def find(self, namespace: str, name: str) -> RunRef | None:
        wanted = (namespace, name)
        found = [ref for ref, one in self.objects.items() if (one["metadata"]["namespace"], one["metadata"]["name"]) == wanted]
        return found[-1] if found else None

    async def look(self, ref: RunRef) -> Json | None:
        return self.objects.get(ref)

    async def delete(self, ref: RunRef) -> None:
        del self.objects[ref]

    def end(self, phase: str) -> None:
        """The newest of them is over."""
        ref = list(self.objects)[-1]
        self.objects[ref] = {**self.objects[ref], "status": {"phase": phase, "finishedAt": "2026-01-01T00:00:00Z"}}


@dataclass(kw_only=True)
class LocalHost:
    """A Host that keeps all it is told."""

    kube: Kube
    facts: RunFacts
    plan: Plan = field(
        default_factory=lambda: Plan(
            name="wf", workflow={}, templates={}, root=Call(id="main", name="", kind=CallKind.POD, template="t", source={})
        )
    )
    settings: PodSettings = field(default_factory=PodSettings)
    dag_id: str = "dag"
    run_id: str = "run"
    task_id: str = "main"
    map_index: int = -1
    generation: int = 0
    lines: list[tuple[str, str]] = field(default_factory=list)
    ended: tuple[Attempt, ...] = ()
    kept: dict[str, Any] = field(default_factory=dict)
    outcomes: dict[tuple[str, int], Outcome] = field(default_factory=dict)
    questions: list[tuple[Question, float | None]] = field(default_factory=list)
    answers: list[dict[str, str] | None] = field(default_factory=list)
    past: History | None = None
    terminated: tuple[str, ...] = ()
    measured: tuple[Measurement, ...] = ()
    staying: list[asyncio.Task[None]] = field(default_factory=list)
    over: bool = False
    moved: Moves = NONE
    workflows: KeptRuns = field(default_factory=KeptRuns)

    async def outcome(self, task_id: str, map_index: int) -> Outcome | None:
        return self.outcomes.get((task_id, map_index))

    async def attempts(self) -> tuple[Attempt, ...]:
        return self.ended

    async def record_attempts(self, attempts: tuple[Attempt, ...]) -> None:
        self.ended = attempts

    async def once(self, key: str, compute: Callable[[], Awaitable[Any]]) -> Any:
        if key not in self.kept:
            self.kept[key] = await compute()
        return self.kept[key]

    def log(self, line: str, *, container: str = "") -> None:
        self.lines.append((container, line))

    def measure(self, measured: tuple[Measurement, ...]) -> None:
        self.measured += measured

    async def run_child(self, child: str, name: str, conf: Json) -> Outcome:
        raise NotImplementedError

    def stay(self, work: Coroutine[Any, Any, None]) -> None:
        self.staying.append(asyncio.create_task(work))

    async def is_over(self) -> bool:
        return self.over

    async def publish(self, outcome: Outcome) -> None:
        self.outcomes[self.task_id, self.map_index] = outcome

    async def child_nodes(self, dag_id: str, run_id: str) -> list[Json]:
        raise NotImplementedError

    async def history(self) -> History | None:
        return self.past

    async def end_runs(self, run_ids: tuple[str, ...]) -> None:
        self.terminated += run_ids

    async def ask_person(self, question: Question, wait: float | None) -> dict[str, str] | None:
        self.questions.append((question, wait))
        return self.answers.pop(0)

    def logged(self, container: str = "main") -> list[str]:
        return [line for name, line in self.lines if name == container]


@pytest.fixture(scope="session")
def embedded() -> Iterator[str]:
    with EmbeddedKubernetes() as kubernetes:
        yield str(kubernetes.kubeconfig)


@pytest.fixture(params=["embedded", pytest.param("cluster", marks=pytest.mark.cluster)])
def kubeconfig(request: pytest.FixtureRequest) -> str:
    """Every test runs on the embedded Kubernetes, and on the real cluster where one is asked for."""
    return os.environ["KUBECONFIG"] if request.param == "cluster" else str(request.getfixturevalue("embedded"))


@pytest.fixture
async def kube(kubeconfig: str) -> AsyncIterator[Kube]:
    cluster = await Kube.open(kubeconfig)
    yield cluster
    await cluster.close()


@pytest.fixture
async def namespace(kube: Kube) -> AsyncIterator[str]:
    name = f"pods-{uuid4().hex[:8]}"
    await kube.call("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})
    async with asyncio.timeout(20):
        while await kube.get(f"/api/v1/namespaces/{name}/serviceaccounts/default") is None:  # noqa: ASYNC110 - a controller makes it
            await asyncio.sleep(0.05)
    yield name
    await kube.call("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def host(kube: Kube, namespace: str) -> LocalHost:
    facts = RunFacts(name="wf", namespace=namespace, uid="u", created_at="2026-01-01T00:00:00Z")
    return LocalHost(kube=kube, facts=facts, run_id=uuid4().hex)


def container(*command: str, image: str = "busybox", **fields: Any) -> Decision:
    """A decision to run one container."""
    return Decision(node="wf", template={"name": "t", "container": {"image": image, "command": list(command)}, **fields})


async def settled(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the condition is another process's doing
            await asyncio.sleep(0.02)
