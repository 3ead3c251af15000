"""The phase of a dag: that of its targets, and of the branches that lead to targets which did not run.

In: a Frame.  Out: phase and message.
Must not know: gates. Argo: dag.go assessDAGPhase, operator.go getOutboundNodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from argo_yaml_provider.flow.entries import Place
from argo_yaml_provider.flow.frames import Frame
from argo_yaml_provider.flow.gates import continues_on
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.flow.results import FAILURES
from argo_yaml_provider.plan.nodes import CallKind
from argo_yaml_provider.plan.templates import COMPOSITES, targets

if TYPE_CHECKING:
    from argo_yaml_provider.flow.engine import Engine

Phases = dict[Phase, int]
"""The phases of the branches that arrive somewhere, each with how many nodes Argo passes before it comes there."""


class Branches:
    """Walks a dag's nodes as Argo does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def phase(self, frame: Frame) -> Phase:
        """RUNNING as long as anything is."""
        tasks = self._engine.dags.tasks(frame)
        results = self._engine.gather(self._engine.dags.place(frame, name) for name in self._engine.dags.wanted(frame))
        if any(result is None or not result.fulfilled for result in results) or self._hooks_run(frame):
            return Phase.RUNNING
        fail_fast = frame.template["dag"].get("failFast") is not False
        found = Phase.SUCCEEDED
        for name in targets(frame.template):
            phase = self._target(frame, name)
            if phase not in FAILURES or continues_on(tasks[name], phase):
                continue
            found = phase
            if fail_fast:
                break
        return found

    def leaving_root(self, place: Place) -> dict[str, int]:
        """What a child run tells its parent: the phases of its last branches, and how far they are from its root."""
        return {phase.value: steps for phase, steps in self._leaving(place, {Phase.SUCCEEDED: -1}).items()}

    def _hooks_run(self, frame: Frame) -> bool:
        engine = self._engine
        return any(engine.hooks.unfinished(engine.dags.place(frame, name)) for name in engine.dags.wanted(frame))

    def _target(self, frame: Frame, name: str) -> Phase:
        """A target's own phase; of one that did not run, that of its branches, a failure before a success."""
        result = self._engine.result(self._engine.dags.place(frame, name))
        assert result is not None
        if result.completed:
            return result.phase
        arriving = self._arriving(frame, name)
        nearest = sorted(arriving, key=lambda phase: arriving[phase])
        return next((phase for phase in nearest if phase in FAILURES), Phase.SUCCEEDED)

    def _arriving(self, frame: Frame, name: str) -> Phases:
        """The phases that lead to a task."""
        needs, _ = self._engine.dags.needs(frame, name)
        if not needs:
            return {Phase.SUCCEEDED: 0}
        return _union(self._leaving_task(frame, need) for need in needs)

    def _leaving_task(self, frame: Frame, name: str) -> Phases:
        key = ("leaving", frame.key, name)
        return self._engine.remember(
            key, lambda: self._leaving(self._engine.dags.place(frame, name), self._arriving(frame, name))
        )

    def _leaving(self, place: Place, arriving: Phases) -> Phases:
        """The phases of the branches after a node, given those before it: of the last nodes inside it that ran."""
        result = self._engine.result(place)
        if result is None or not result.completed:
            return {phase: steps + 1 for phase, steps in arriving.items()}
        own: Phases = {result.phase: min(arriving.values(), default=0) + 1}
        if result.type == "TaskGroup":
            composites = self._engine.composites
            inside = [*composites.instances(place), *(hook for hook, _ in composites.hooks_of_loop(place))]
            return _union(self._leaving(one, own) for one in inside) or own
        if result.leaving:
            start = own[result.phase]
            return {Phase(phase): start + steps for phase, steps in result.leaving.items()}
        if place.call.kind not in COMPOSITES:
            return own
        return self._inside(place, own) or own

    def _inside(self, place: Place, own: Phases) -> Phases:
        frame = self._engine.frame(place)
        if frame is None:
            return own
        if place.call.kind is CallKind.DAG:
            return _union(self._within_dag(frame, name, own) for name in targets(frame.template))
        leaving = own
        for number in range(len(place.call.groups)):
            end = self._engine.steps.end(frame, number)
            if end is None:
                break
            group: Phases = {end.phase: min(leaving.values()) + 1}
            members = self._engine.steps.members(frame, number)
            leaving = _union(self._leaving(member, group) for member, _ in members) or group
        return leaving

    def _within_dag(self, frame: Frame, name: str, own: Phases) -> Phases:
        """What leaves an inner dag by one of its targets: its roots are reached with the inner dag's own phase."""
        key = ("within", frame.key, name, *own.items())
        return self._engine.remember(key, lambda: self._through(frame, name, own))

    def _through(self, frame: Frame, name: str, own: Phases) -> Phases:
        needs, _ = self._engine.dags.needs(frame, name)
        arriving = _union(self._within_dag(frame, need, own) for need in needs) if needs else own
        return self._leaving(self._engine.dags.place(frame, name), arriving)


def _union(sets: Iterable[Phases]) -> Phases:
    """All phases, each as near as it comes."""
    found: Phases = {}
    for phases in sets:
        for phase, steps in phases.items():
            if steps < found.get(phase, steps + 1):
                found.pop(phase, None)
                found[phase] = steps
    return found
