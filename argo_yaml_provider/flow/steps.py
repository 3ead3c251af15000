"""The rules of a steps template: one group after the other, each waiting for all its members.

In: a Frame.  Out: how each member is entered, how each group ended.
Must not know: dags. Argo: steps.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow import clock
from argo_yaml_provider.flow.annotation import display_name
from argo_yaml_provider.flow.entries import Absent, Entry, Execution, Expanded, Place, Started, Stopped
from argo_yaml_provider.flow.frames import Frame
from argo_yaml_provider.flow.gates import continues_on, mentions, shown_name, surely_filled, when_entry
from argo_yaml_provider.flow.identity import node_id
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.flow.references import resolve_step
from argo_yaml_provider.flow.results import Result, span
from argo_yaml_provider.flow.scope import Scope, of_inputs, of_result, of_skipped, of_turns
from argo_yaml_provider.plan.items import Turn, expand, expand_one, loops
from argo_yaml_provider.plan.nodes import Call, Json, LoopKind
from argo_yaml_provider.resolve.references import is_dynamic

if TYPE_CHECKING:
    from argo_yaml_provider.flow.engine import Engine

_REFERS = re.compile(r"\b(?:steps|workflow\.outputs)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupEnd:
    """A group as a whole: Argo's StepGroup node."""

    phase: Phase
    message: str = ""
    started_at: str = ""
    finished_at: str = ""
    broken: str = ""
    """Why the template breaks after a group that succeeded: a loop's results that are no JSON."""


class StepsRules:
    """Argo's executeSteps."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def gate(self, place: Place) -> Absent | None:
        """Why a step is not there: its group never begins, or breaks. None: it is."""
        frame, number = self._where(place)
        if frame is None:
            return Absent(reason="the template it lies in does not run")
        why = self.absence(frame, number) or self.group_error(frame, number)
        return Absent(reason=why) if why else None

    def expanded(self, place: Place) -> Expanded | Stopped | Absent:
        """A step after its group's references were resolved and its loop was read."""
        stopped = self.gate(place)
        if stopped is not None:
            return stopped
        frame, number = self._where(place)
        assert frame is not None
        try:
            expanded = self.turns_of(frame, number, place.call)
        except ExprError as error:
            node = self.node_of(frame, number, self.name_of(frame, place.call))
            return Stopped(node=node, phase=Phase.ERROR, message=error.message, raised=True)
        if loops(self._source(frame, number, place.call)) and not expanded.turns:
            return Stopped(node=expanded.node, phase=Phase.SKIPPED, message="Skipped, empty params")
        return expanded

    def one(self, place: Place, index: int) -> Turn | None:
        """The turn of that index; None where there is none."""
        frame, number = self._where(place)
        assert frame is not None
        return self._one(frame, number, place.call, index)

    def _one(self, frame: Frame, number: int, call: Call, index: int) -> Turn | None:
        step = self._resolved(frame, number, call)
        scope = self.scope(frame, number, gojson.dumps(step) if loops(step) else "")
        with clock.fixed(self._engine.facts, self.node_of(frame, number, self.name_of(frame, call))):
            return expand_one(step, scope.params(frame.variables), index, dag=False)

    def turn(self, place: Place, turn: Turn) -> Entry:
        """One turn: its `when`, and whether a member before it broke the group."""
        frame, number = self._where(place)
        assert frame is not None
        broken = self._broken_before(frame, number, place.call, turn.index)
        if broken:
            return Absent(reason=broken)
        return when_entry(self.node_of(frame, number, turn.name), turn.step, raised=True)

    def absence(self, frame: Frame, number: int) -> str:
        """Why a group never begins: an earlier one failed, or is not over. '' if it begins."""
        if number == 0:
            return ""
        before = self.end(frame, number - 1)
        if before is None:
            return self.absence(frame, number - 1)
        if before.broken:
            return before.broken
        if before.phase is Phase.SUCCEEDED:
            return ""
        return f"{frame.node}[{number - 1}] is {before.phase.value}: {before.message}"

    def end(self, frame: Frame, number: int) -> GroupEnd | None:
        """How a group ended; None: it never began."""
        key = ("group end", frame.key, number)
        return self._engine.remember(key, lambda: self._end(frame, number))

    def _end(self, frame: Frame, number: int) -> GroupEnd | None:
        if self.absence(frame, number):
            return None
        problem = self.group_error(frame, number)
        if problem:
            return GroupEnd(phase=Phase.ERROR, message=problem)
        members: list[tuple[Place, Result]] = self.members(frame, number)
        moment = max((result.known_at for _, result in members), default="")
        members = [(place, result.as_of(moment)) for place, result in members]
        times = span([result for _, result in members])
        wrong = next((why for place, _ in members if (why := self._engine.hooks.wrong(place, exits=True))), "")
        if wrong:
            return GroupEnd(phase=Phase.ERROR, message=wrong, **times)
        raised = next(((p, r) for p, r in members if r.raised), None)
        if raised:
            return GroupEnd(phase=Phase.ERROR, message=raised[1].message, **times)
        if any(not r.fulfilled for _, r in members) or any(self._engine.hooks.unfinished(p) for p, _ in members):
            return GroupEnd(phase=Phase.RUNNING)
        for place, result in members:
            if result.failed and not continues_on(self._source(frame, number, place.call), result.phase):
                child = node_id(self._engine.facts.name, self._child_name(frame, number, place))
                return GroupEnd(phase=Phase.FAILED, message=f"child '{child}' failed", **times)
        return GroupEnd(phase=Phase.SUCCEEDED, broken=self._broken_loop(frame, number), **times)

    def _broken_loop(self, frame: Frame, number: int) -> str:
        """The loop whose results cannot be gathered; '' if all can."""
        for call in frame.place.call.groups[number]:
            place = Place(call, frame.place.index)
            if call.loop is not None and self._engine.composites.includes_result(place):
                try:
                    of_turns("", self._engine.composites.turn_results(place) or [])
                except ExprError as error:
                    return error.message
        return ""

    def members(self, frame: Frame, number: int) -> list[tuple[Place, Result]]:
        """Every node of a group with its result."""
        places: list[Place] = []
        for call in frame.place.call.groups[number]:
            places += self._engine.composites.instances(Place(call, frame.place.index))
        results = self._engine.gather(places)
        return [(place, result) for place, result in zip(places, results, strict=True) if result is not None]

    def group_error(self, frame: Frame, number: int) -> str:
        """Why no member of the group can begin: references are resolved and loops are read for all together. '' if they can."""
        key = ("group error", frame.key, number)
        return self._engine.share(key, lambda: self._group_error(frame, number), of=frame)

    def _group_error(self, frame: Frame, number: int) -> str:
        for call in frame.place.call.groups[number]:
            try:
                self._resolved(frame, number, call)
            except ExprError as error:
                return f"failed to resolve references: {error.message}"
        for call in frame.place.call.groups[number]:
            try:
                self._read(frame, number, call)
            except ExprError as error:
                return error.message
        return ""

    def _read(self, frame: Frame, number: int, call: Call) -> Turn | None:
        """A member's first turn. Of a mapped loop only that is read: its fan-out reads them all."""
        if call.loop is LoopKind.MAPPED:
            key = ("first turn", frame.key, call.id)
            return self._engine.share(key, lambda: self._one(frame, number, call, 0), of=frame)
        return next(iter(self.turns_of(frame, number, call).turns), None)

    def _resolved(self, frame: Frame, number: int, call: Call) -> Json:
        key = ("resolved", frame.key, call.id)
        return self._engine.share(key, lambda: self._resolve(frame, number, call), of=frame)

    def _resolve(self, frame: Frame, number: int, call: Call) -> Json:
        source = self._source(frame, number, call)
        text = gojson.dumps({name: value for name, value in source.items() if name != "hooks"})
        if "{{" not in text and '"from' not in text and not source.get("when"):
            return source
        scope = self.scope(frame, number, text)
        with clock.fixed(self._engine.facts, self.node_of(frame, number, self.name_of(frame, call))):
            return resolve_step(source, scope, self._engine.beginnings.of_member(frame, call, text), dag=False)

    def turns_of(self, frame: Frame, number: int, call: Call) -> Expanded:
        """The step's turns, names and arguments included."""
        return self._engine.share_turns(frame, call, lambda: self._expand(frame, number, call))

    def _expand(self, frame: Frame, number: int, call: Call) -> Expanded:
        step = self._resolved(frame, number, call)
        text = gojson.dumps(step) if loops(step) else ""
        scope = self.scope(frame, number, text)
        with clock.fixed(self._engine.facts, self.node_of(frame, number, self.name_of(frame, call))):
            turns = expand(step, scope.params(frame.variables), dag=False)
        return Expanded(node=self.node_of(frame, number, self.name_of(frame, call)), turns=tuple(turns))

    def scope(self, frame: Frame, number: int, text: str) -> Scope:
        """What the group `number` may speak of, as far as the text does. Groups: those before it."""
        values: dict[str, Any] = of_inputs(frame.template)
        members = next(iter(frame.place.call.groups[number : number + 1]), ())
        values |= self._engine.composites.global_outputs(frame, text, next(iter(members), None))
        if _REFERS.search(text):
            for earlier in range(number):
                for call in frame.place.call.groups[earlier]:
                    if mentions(text, self.name_of(frame, call)):
                        values |= self._variables(frame, earlier, call, with_id=".id" in text or "']" in text)
        return Scope(values)

    def _variables(self, frame: Frame, number: int, call: Call, *, with_id: bool) -> dict[str, Any]:
        """`steps.x.*` of a step that is over."""
        engine, prefix = self._engine, f"steps.{self.name_of(frame, call)}"
        template = engine.plan.templates[call.template]
        place = Place(call, frame.place.index)
        looped = engine.composites.turn_results(place)
        if looped is None:
            result = engine.result(place)
            if result is None:
                return {}
            own = {f"{prefix}.id": self._id(frame, number, place, result)} if with_id else {}
            skipped = result.phase in (Phase.SKIPPED, Phase.OMITTED) and result.outputs is None
            return own | of_result(prefix, result) | (of_skipped(prefix, template, artifacts=True) if skipped else {})
        values = of_turns(prefix, [result for result in looped if result.type != "Skipped"])
        end = self.end(frame, number)
        if end is not None:
            group = Result(type="StepGroup", phase=end.phase, started_at=end.started_at, finished_at=end.finished_at)
            values |= {f"{prefix}.id": node_id(engine.facts.name, f"{frame.node}[{number}]")} | of_result(prefix, group)
        return values

    def _id(self, frame: Frame, number: int, place: Place, result: Result) -> str:
        """The node's id; of a retried one, that of its last attempt."""
        name = self._child_name(frame, number, place)
        tried = f"{name}({len(result.attempts) - 1})" if result.type == "Retry" and result.attempts else name
        return node_id(self._engine.facts.name, tried)

    def _broken_before(self, frame: Frame, number: int, call: Call, index: int) -> str:
        """Why the group stopped starting members before this one: a `when` or arguments that are wrong. '' if it did not."""
        after, reason = self._broken(frame, number)
        own = [member.id for member in frame.place.call.groups[number]].index(call.id)
        return reason if reason and (own, index) > after else ""

    def begun_broken(self, frame: Frame, number: int) -> str:
        """Why the group broke before its members could have hooks. '' if it did not."""
        return self._broken(frame, number)[1] or self._wrong(frame, number)

    def _wrong(self, frame: Frame, number: int) -> str:
        """What is wrong with a member that Argo finds only once all of them have begun; '' if nothing is."""
        calls = [call for call in frame.place.call.groups[number] if display_name(self._engine.plan.templates[call.template])]
        places = [place for call in calls for place, _ in self.beginnings(frame, number, call)]
        found = [self._engine.execution(place) for place in places]
        return next((one.wrong for one in found if isinstance(one, Execution) and one.wrong), "")

    def _broken(self, frame: Frame, number: int) -> tuple[tuple[int, int], str]:
        """The first member that breaks its group when it is its turn to start, by its position and index, and why."""
        return self._engine.remember(("broken", frame.key, number), lambda: self._first_broken(frame, number))

    def _first_broken(self, frame: Frame, number: int) -> tuple[tuple[int, int], str]:
        for position, call in enumerate(frame.place.call.groups[number]):
            for place, turn in self.beginnings(frame, number, call):
                entry = when_entry(self.node_of(frame, number, turn.name), turn.step, raised=True)
                sure = not is_dynamic(call.template) and surely_filled(self._engine.plan.templates[call.template], turn.step)
                if isinstance(entry, Started) and not sure:
                    found = self._engine.filled(place, entry)
                    entry = found if isinstance(found, Stopped) else entry
                if isinstance(entry, Stopped) and entry.raised:
                    return (position, turn.index), entry.message
        return (-1, 0), ""

    def beginnings(self, frame: Frame, number: int, call: Call) -> list[tuple[Place, Turn]]:
        """What is begun for a member: itself, its turns, or the first of a mapped loop's, which may be thousands."""
        if call.loop is LoopKind.UNROLLED:
            turns = self.turns_of(frame, number, call).turns
            return [(Place(call.turns[turn.index], frame.place.index), turn) for turn in turns]
        first = self._read(frame, number, call)
        place = Place(call, 0 if call.loop is LoopKind.MAPPED else frame.place.index)
        return [] if first is None else [(place, first)]

    def _where(self, place: Place) -> tuple[Frame | None, int]:
        return self._engine.frame_of(place), self._engine.tree.stands[place.call.id].group

    def _source(self, frame: Frame, number: int, call: Call) -> Json:
        """The step as the filled-in template has it."""
        steps = {step["name"]: step for step in frame.template["steps"][number]}
        return steps.get(self.name_of(frame, call)) or call.source

    def name_of(self, frame: Frame, call: Call) -> str:
        """A member's name, tags in it replaced."""
        if "{{" not in call.name:
            return call.name
        number = self._engine.tree.stands[call.id].group
        position = [member.id for member in frame.place.call.groups[number]].index(call.id)
        return str(frame.template["steps"][number][position]["name"])

    def node_of(self, frame: Frame, number: int, name: str) -> str:
        """The node's full name."""
        return f"{frame.node}[{number}].{name}"

    def _child_name(self, frame: Frame, number: int, place: Place) -> str:
        return shown_name(self._engine.entry(place)) or self.node_of(frame, number, self.name_of(frame, place.call))
