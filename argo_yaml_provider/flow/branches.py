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
from argo_yaml_provider.flow.results import FAILURES, Result
from argo_yaml_provider.plan.nodes import CallKind
from argo_yaml_provider.plan.templates import COMPOSITES, targets, waits_for_end

if TYPE_CHECKING:
    from argo_yaml_provider.flow.engine import Engine

EXIT = "onExit"
Phases = dict[Phase, int]
"""The phases of the branches that arrive somewhere, each with how many nodes Argo passes before it comes there."""


class Branches:
    """Walks a dag's nodes as Argo does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def phase(self, frame: Frame) -> Phase:
        """RUNNING as long as anything is."""
        waiting = self._waiting(frame)
        if waiting is None or self._hooks_run(frame):
            return Phase.RUNNING
        found = self._of_targets(frame, waiting)
        return Phase.ERROR if found is Phase.RUNNING else found

    def ends_without(self, frame: Frame) -> bool:
        """Whether a dag ends although some of its tasks wait for ever: then Argo has no nodes of these."""
        waiting = self._waiting(frame)
        return bool(waiting) and self._of_targets(frame, waiting or set()) is not Phase.RUNNING

    def _waiting(self, frame: Frame) -> set[str] | None:
        """The tasks that wait for ever, and those that wait for them; None as long as anything runs."""
        dags = self._engine.dags
        places = {name: dags.place(frame, name) for name in dags.wanted(frame)}
        results = dict(zip(places, self._engine.gather(places.values()), strict=True))
        if any(result is not None and not result.fulfilled for result in results.values()):
            return None
        absent = {name for name, result in results.items() if result is None}
        waiting = {name for name, result in results.items() if result is not None and dags.waits(places[name], result)}
        return None if absent and not waiting else absent | waiting

    def _of_targets(self, frame: Frame, waiting: set[str]) -> Phase:
        """RUNNING: the dag waits for ever, too."""
        tasks = self._engine.dags.tasks(frame)
        fail_fast = frame.template["dag"].get("failFast") is not False
        found = Phase.SUCCEEDED
        for name in targets(frame.template):
            if name in waiting:
                found = Phase.RUNNING
                if not fail_fast:
                    break
                continue
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
        if result.type == "Retry" and (hooked := self._last_hook(place)) is not None:
            return {hooked.phase if hooked.completed else result.phase: own[result.phase] + 1}
        if result.leaving:
            start = own[result.phase]
            return {Phase(phase): start + steps for phase, steps in result.leaving.items()}
        if place.call.kind not in COMPOSITES:
            return own
        return self._inside(place, own) or own

    def _last_hook(self, place: Place) -> Result | None:
        """The last of a retried step's hooks that ran: the retry node's last child, from which what follows hangs in Argo."""
        ran = [
            result
            for hook in place.call.hooks
            if hook.name == EXIT or waits_for_end(hook.source)
            if (result := self._engine.result(Place(hook, place.index))) is not None
        ]
        return ran[-1] if ran else None

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
