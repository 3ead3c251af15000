"""Runs a plan with instant pods: every task in the plan's order, what each leaf gives from a function.

In: Plan, RunFacts, `leaf`.  Out: the Flow, with every outcome in place.
The one place where pods are not real. It also holds every question to what the asking task may know: what ended before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.facts import Missing, RunFacts
from argo_yaml_provider.flow.flow import Flow
from argo_yaml_provider.flow.ground import Ground
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.flow.tree import CallTree
from argo_yaml_provider.plan.nodes import CallKind, Json, Plan, PlannedTask, TaskKind

Leaf = Callable[[Decision], Attempt]
ConfigMaps = Mapping[str, Mapping[str, str]]
TIME = "2026-11-23T10:00:00Z"


@dataclass
class Run:
    """One run, as far as it has come; also the flow's Source."""

    plan: Plan
    facts: RunFacts
    leaf: Leaf
    config_maps: ConfigMaps = field(default_factory=dict)
    children: Mapping[str, Plan] = field(default_factory=dict)
    outcomes: dict[tuple[str, int], Outcome] = field(default_factory=dict)
    indices: dict[str, list[int]] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    allowed: frozenset[str] | None = None
    cache: dict[tuple[str, str], Json] = field(default_factory=dict)
    asking: str = ""
    decisions: dict[tuple[str, int], Decision] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ground = Ground(plan=self.plan, facts=self.facts)
        self.flow = self._new_flow()
        self.tree = CallTree(self.plan)
        self.groups = {group.id: group for group in self.plan.groups}

    def _new_flow(self) -> Flow:
        return Flow(self.plan, self.facts, self, ground=self.ground)

    def outcome(self, task_id: str, map_index: int) -> Outcome | None:
        """What a task left; asking for one that may still run is the test's failure."""
        known = self.allowed is None or task_id in self.allowed or task_id == self.asking
        assert known, f"asked for {task_id}, which may not have ended"
        return self.outcomes.get((task_id, map_index))

    def config_map(self, name: str, key: str) -> str | None:
        """A value of the test's ConfigMaps."""
        return self.config_maps.get(name, {}).get(key)

    def has_limit(self, namespace: str, semaphore: str, since: str) -> bool:
        """Whether the test's ConfigMaps have it."""
        _, name, key = semaphore.split("/")
        return (namespace, since) == ("argo", "") and key in self.config_maps.get(name, {})

    def claims_refused(self, claims: str, since: str, /) -> str:
        """Those that nobody can make say so in their name."""
        return f"{since}no such claim" if "refused" in claims else ""

    def child_nodes(self, dag_id: str, run_id: str) -> list[Json]:
        """The nodes of a child run."""
        assert dag_id == "child"
        return self.runs[run_id].flow.nodes()

    def go(self) -> Flow:
        """Run every task; a hook that watches another is asked again after it."""
        waiting = deque(self.plan.tasks)
        stuck = 0
        while waiting:
            task = waiting.popleft()
            try:
                self._task(task)
                stuck = 0
            except Missing as missing:
                stuck += 1
                if missing.kind != "change" or stuck > len(waiting) + 1:
                    raise
                waiting.append(task)
        self.allowed = None
        self.flow = self._new_flow()
        return self.flow

    def _task(self, task: PlannedTask) -> None:
        watches = any(stand.role == "hook" or stand.call in self.plan.hooks for stand in self._above(task))
        self.allowed = None if watches else self.tree.before(task.id)
        self.asking = task.id
        if task.kind is TaskKind.JOIN:
            return
        self.flow = self._new_flow()
        for index in self._map_indices(task):
            if task.kind is TaskKind.FANOUT:
                outcome, self.indices[task.id] = self.flow.fan_out(task.id, index)
            elif task.kind is TaskKind.VERDICT:
                outcome = self.flow.verdict()
            elif task.kind is TaskKind.START:
                outcome = Outcome(phase=Phase.SUCCEEDED)
            else:
                outcome = self._step(task, index)
            self.outcomes[task.id, index] = Outcome.from_json(outcome.to_json())

    def _above(self, task: PlannedTask) -> list[Any]:
        found = []
        call_id = task.call
        while call_id:
            stand = self.tree.stands[call_id]
            found.append(stand)
            call_id = stand.parent.id if stand.parent else ""
        return found

    def _map_indices(self, task: PlannedTask) -> list[int]:
        fanout, group = task.mapped_over, task.group
        while not fanout and group:
            fanout, group = self.groups[group].mapped_over, self.groups[group].parent
        return self.indices[fanout] if fanout else [-1]

    def _step(self, task: PlannedTask, index: int) -> Outcome:
        attempts: tuple[Attempt, ...] = ()
        while True:
            decision = self.flow.decide(task.id, index, attempts)
            self.decisions[task.id, index] = decision
            if decision.outcome is not None:
                return decision.outcome
            hit = self._memo(decision)
            if hit is not None:
                return Outcome(phase=Phase.SUCCEEDED, values={"root": hit})
            attempt, child = self._attempt(decision)
            attempts = (*attempts, attempt)
            values, run = (child.values, child.child) if child else ({}, None)
            if attempt.phase is Phase.SUCCEEDED:
                self._remember(decision, attempt, child)
                return Outcome(phase=attempt.phase, message=attempt.message, attempts=attempts, values=values, child=run)
            retry = self.flow.retry(task.id, index, attempts)
            if retry.delay is None:
                over = retry.outcome
                values = {**values, **over.values}
                return Outcome(phase=over.phase, message=over.message, attempts=over.attempts, values=values, child=run)

    def _memo(self, decision: Decision) -> Json | None:
        memoize = decision.template.get("memoize")
        return self.cache.get((memoize["cache"]["configMap"]["name"], memoize["key"])) if memoize else None

    def _remember(self, decision: Decision, attempt: Attempt, child: Outcome | None) -> None:
        memoize = decision.template.get("memoize")
        if memoize:
            own = {"parameters": attempt.parameters, "result": attempt.result, "exitCode": attempt.exit_code}
            kept = child.values["root"] if child else own
            self.cache[memoize["cache"]["configMap"]["name"], memoize["key"]] = kept

    def _attempt(self, decision: Decision) -> tuple[Attempt, Outcome | None]:
        if decision.kind is not CallKind.CHILD:
            return self.leaf(decision), None
        plans = self.children or self.plan.children
        conf = decision.child_conf
        facts = RunFacts(
            name=self.facts.name, namespace=self.facts.namespace, uid=self.facts.uid, created_at=self.facts.created_at,
            inputs=conf["inputs"], globals=conf["globals"], locals=conf.get("locals", {}),
            node=conf["node"], depth=conf["depth"], result=conf.get("result", False),
        )  # fmt: skip
        run = Run(plans[decision.child], facts, self.leaf, self.config_maps, plans, cache=self.cache)
        run_id = f"run-{decision.node}"
        self.runs[run_id] = run
        verdict = run.go().verdict()
        child = {"dag_id": "child", "run_id": run_id}
        outcome = Outcome(phase=verdict.phase, message=verdict.message, values=verdict.values, child=child)
        return Attempt(phase=verdict.phase, message=verdict.message, child=child), outcome


def facts_of(plan: Plan, parameters: Mapping[str, str] | None = None) -> RunFacts:
    """A run's facts for a test."""
    return RunFacts(
        name=f"{plan.name}-x7k2p", namespace="argo", uid="5a1f6a1c-0000-4000-8000-000000000000", created_at=TIME,
        parameters=dict(parameters or {}),
    )  # fmt: skip


def run(plan: Plan, leaf: Leaf, *, parameters: Mapping[str, str] | None = None, config_maps: ConfigMaps | None = None) -> Flow:
    """The flow after every task has run."""
    return Run(plan, facts_of(plan, parameters), leaf, config_maps or {}).go()
