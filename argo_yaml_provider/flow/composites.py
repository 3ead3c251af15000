"""What came of loops, steps templates and dag templates.

In: places, the engine's rules.  Out: Results.
Must not know: how members are entered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.template import replace_json
from argo_yaml_provider.flow.branches import Branches
from argo_yaml_provider.flow.entries import Absent, Place, Stopped
from argo_yaml_provider.flow.frames import Frame
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.flow.outputs import captured_results, template_outputs
from argo_yaml_provider.flow.results import FAILURES, Result, span
from argo_yaml_provider.flow.scope import of_turns
from argo_yaml_provider.flow.tree import is_loop
from argo_yaml_provider.plan.nodes import Call, CallKind, Json, LoopKind
from argo_yaml_provider.plan.templates import targets

if TYPE_CHECKING:
    from argo_yaml_provider.flow.engine import Engine


FAIL_FAST = "template has failed or errored children and failFast enabled"
UNSUCCESSFUL = ("Pod", "Steps", "DAG")
"""Types of the nodes whose failure a template's own `failFast` sees; of a retried step those are its attempts."""


class Composites:
    """Results that are made of other results."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.branches = Branches(engine)

    def instances(self, place: Place) -> list[Place]:
        """The nodes that a member stands for: itself, or the turns of its loop if that has any."""
        if not is_loop(place.call, place.index) or self._loop(place) is not None:
            return [place]
        return self._engine.turns(place.call, place.index)

    def hooks_of_loop(self, place: Place) -> list[tuple[Place, Result]]:
        """Those of a loop's own hooks that ran: in Argo they are children of its TaskGroup, as its turns are."""
        places = [Place(hook, place.index) for hook in place.call.loop_hooks]
        return [(hook, result) for hook in places if (result := self._engine.result(hook)) is not None]

    def _loop(self, place: Place) -> Result | None:
        """A loop that came to a node of its own without turns, or is not there at all (ABSENT); None: it has turns."""
        if place.call.loop is LoopKind.MAPPED:
            outcome = self._engine.source.outcome(self._engine.tree.fanouts[place.call.id].id, place.index)
            if outcome is not None:
                if outcome.items:
                    return None
                raised = bool(outcome.values.get("raised"))
                return Result(type="Skipped", phase=outcome.phase, message=outcome.message, raised=raised)
        found = self._engine.expanded(place)
        if isinstance(found, Absent):
            return Result(type="Skipped", phase=Phase.ABSENT, message=found.reason)
        if isinstance(found, Stopped):
            return Result(type="Skipped", phase=found.phase, message=found.message, raised=found.raised)
        if place.call.loop is LoopKind.MAPPED and not self._engine.live:
            return Result(type="Skipped", phase=Phase.ERROR, message="the fan-out ended without an outcome")
        return None

    def turn_results(self, place: Place) -> list[Result] | None:
        """The results of a loop's turns, in order; None if it is no loop, or has none."""
        if not is_loop(place.call, place.index) or self._loop(place) is not None:
            return None
        return [result for result in self._engine.gather(self._engine.turns(place.call, place.index)) if result is not None]

    def loop_result(self, place: Place) -> Result | None:
        """A loop as a whole: Argo's TaskGroup; in a steps template it has no node of its own."""
        alone = self._loop(place)
        if alone is not None:
            return None if alone.phase is Phase.ABSENT else alone
        turns = self.turn_results(place) or []
        phase = Phase.SUCCEEDED
        for turn in turns:
            phase = turn.phase if turn.failed else phase
        if any(not turn.fulfilled for turn in turns) or self._waits_for_turns(place):
            phase = Phase.RUNNING
        raised = next((turn for turn in turns if turn.raised), None)
        return Result(type="TaskGroup", phase=phase, raised=raised is not None, **span(turns))

    def _waits_for_turns(self, place: Place) -> bool:
        """Whether a mapped loop's list is still to come."""
        if place.call.loop is not LoopKind.MAPPED:
            return False
        return self._engine.source.outcome(self._engine.tree.fanouts[place.call.id].id, place.index) is None

    def result(self, place: Place) -> Result:
        """A steps or dag template that is called."""
        frame = self._engine.frame(place)
        assert frame is not None
        try:
            if self.failed_fast(frame):
                kind = "Steps" if place.call.kind is CallKind.STEPS else "DAG"
                return Result(type=kind, phase=Phase.FAILED, message=FAIL_FAST)
            return self._steps(frame) if place.call.kind is CallKind.STEPS else self._dag(frame)
        except ExprError as error:
            kind = "Steps" if place.call.kind is CallKind.STEPS else "DAG"
            return Result(type=kind, phase=Phase.ERROR, message=error.message, raised=True)

    def failed_fast(self, frame: Frame, before: frozenset[str] | None = None, *, types: tuple[str, ...] = UNSUCCESSFUL) -> bool:
        """Whether a template's own `failFast` has stopped it: a member failed (of those that ended before, if only they count).

        Argo: checkParallelism, getUnsuccessfulChildren.
        """
        if frame.template.get("failFast") is not True:
            return False
        for call in (call for group in frame.place.call.groups for call in group):
            tasks = self._engine.tree.tasks_of(call)
            if before is not None and not (tasks and before.issuperset(tasks)):
                continue
            results = self._engine.gather(self.instances(Place(call, frame.place.index)))
            if any(result is not None and _unsuccessful(result, types) for result in results):
                return True
        return False

    def _steps(self, frame: Frame) -> Result:
        engine, count = self._engine, len(frame.place.call.groups)
        ends = []
        for number in range(count):
            end = engine.steps.end(frame, number)
            assert end is not None
            ends.append(end)
            if end.broken:
                raise ExprError(end.broken)
            if end.phase is not Phase.SUCCEEDED:
                phase = Phase.RUNNING if end.phase is Phase.RUNNING else Phase.FAILED
                return Result(type="Steps", phase=phase, message=end.message, **span(ends))
        template, text = self._with_outputs(frame)
        outputs = template_outputs(template, engine.steps.scope(frame, count, text))
        return Result(type="Steps", phase=Phase.SUCCEEDED, outputs=outputs, **span(ends))

    def _dag(self, frame: Frame) -> Result:
        engine = self._engine
        phase = self.branches.phase(frame)
        names = engine.dags.wanted(frame)
        results = [r for r in engine.gather(engine.dags.place(frame, name) for name in names) if r is not None]
        if phase is Phase.RUNNING:
            return Result(type="DAG", phase=phase)
        self._check_hooks(frame)
        self._check_loops(frame, succeeded=phase is Phase.SUCCEEDED)
        if phase in FAILURES:
            return Result(type="DAG", phase=phase, **span(results))
        template, text = self._with_outputs(frame)
        outputs = template_outputs(template, engine.dags.scope_of_all(frame, text))
        return Result(type="DAG", phase=phase, outputs=outputs, **span(results))

    def _with_outputs(self, frame: Frame) -> tuple[Json, str]:
        """The template with what has become known to the workflow in its outputs, and their text."""
        text = gojson.dumps(frame.template.get("outputs"))
        if "{{" not in text or "workflow.outputs" not in text:
            return frame.template, text
        found = self._engine.globals.parameters(frame.place, ended=True)
        return {**frame.template, "outputs": replace_json(frame.template["outputs"], found)}, text

    def _check_hooks(self, frame: Frame) -> None:
        """A wrong hook of a task makes that an Error; of a target, the dag as a whole. Argo: executeDAG."""
        for name in targets(frame.template):
            if wrong := self._engine.hooks.wrong(self._engine.dags.place(frame, name), exits=False):
                raise ExprError(wrong)

    def _check_loops(self, frame: Frame, *, succeeded: bool) -> None:
        """Results of a loop that are no JSON break the dag: at once if a task comes after the loop, else at the end."""
        engine = self._engine
        followed = {need for name in engine.dags.wanted(frame) for need in engine.dags.needs(frame, name)[0]}
        for name in engine.dags.wanted(frame):
            place = engine.dags.place(frame, name)
            if place.call.loop is not None and (succeeded or name in followed) and self.includes_result(place):
                of_turns("", self.turn_results(place) or [])

    def includes_result(self, place: Place) -> bool:
        """Whether stdout is captured, because the composite around the call speaks of it."""
        return self._engine.share(("includes", place.call.id), lambda: self._includes_result(place))

    def _includes_result(self, place: Place) -> bool:
        call = place.call
        stand = self._engine.tree.stands[call.id]
        while stand.parent is not None and stand.role != "member":
            if stand.role == "hook":
                return self._hook_includes(stand.parent, call)
            stand = self._engine.tree.stands[stand.parent.id]
        if stand.parent is None:
            return self._engine.facts.result and stand.call is self._engine.plan.root
        frame = self._engine.frame_of(place) if "{{" in stand.call.name else None
        rules = self._engine.steps if stand.parent.kind is CallKind.STEPS else self._engine.dags
        name = rules.name_of(frame, stand.call) if frame is not None else stand.call.name
        return name in self._captured(stand.parent.template)

    def _hook_includes(self, hooked: Call, hook: Call) -> bool:
        """A hook's stdout counts as that of a step called `onExit`, or by the hook's name."""
        stand = self._engine.tree.stands[hooked.id]
        while stand.parent is not None and stand.role != "member":
            stand = self._engine.tree.stands[stand.parent.id]
        if stand.parent is None:
            return False
        return hook.name.rpartition(".")[2] in self._captured(stand.parent.template)

    def _captured(self, template: str) -> frozenset[str]:
        """The members of a template whose results it speaks of."""
        return self._engine.share(("captured", template), lambda: captured_results(self._engine.plan.templates[template]))

    def global_outputs(self, frame: Frame, text: str, member: Call | None) -> dict[str, Any]:
        """`workflow.outputs.*` as a member of the frame sees it when it begins; None: as the frame's own outputs do."""
        if "workflow.outputs" not in text:
            return {}
        found = self._engine.globals
        place, ended = (frame.place, True) if member is None else (Place(member, frame.place.index), False)
        own = {name: value for name, value in frame.variables.items() if name.startswith("workflow.outputs.")}
        return own | found.parameters(place, ended=ended) | found.artifacts(place, ended=ended)


def _unsuccessful(result: Result, types: tuple[str, ...]) -> bool:
    if result.type == "Retry":
        return any(attempt.phase in FAILURES for attempt in result.attempts)
    return result.failed and result.type in types
