"""The rules of a dag template: each task on its own, by the results of those it depends on.

In: a Frame.  Out: how each task is entered, the dag's phase.
Must not know: steps. Argo: dag.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.depends import depends_logic, evaluate_depends
from argo_yaml_provider.expr.errors import ExprError, MissingVariable
from argo_yaml_provider.flow import clock
from argo_yaml_provider.flow.entries import Absent, Entry, Expanded, Place, Stopped
from argo_yaml_provider.flow.frames import Frame
from argo_yaml_provider.flow.gates import mentions, when_entry
from argo_yaml_provider.flow.identity import node_id
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.flow.references import resolve_step
from argo_yaml_provider.flow.results import Result
from argo_yaml_provider.flow.scope import Scope, of_inputs, of_result, of_skipped, of_turns
from argo_yaml_provider.plan.items import Turn, expand, expand_one, loops
from argo_yaml_provider.plan.nodes import Call, Json
from argo_yaml_provider.plan.templates import dag_tasks, wanted_tasks

if TYPE_CHECKING:
    from argo_yaml_provider.flow.engine import Engine

_REFERS = re.compile(r"\b(?:tasks|workflow\.outputs)\b")


class DagRules:
    """Argo's executeDAG."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def gate(self, place: Place) -> Stopped | Absent | None:
        """Why a task does not run, as far as `depends` goes. None: it may."""
        frame = self._engine.frame_of(place)
        if frame is None:
            return Absent(reason="the template it lies in does not run")
        name = self.name_of(frame, place.call)
        try:
            wanted = self.wanted(frame)
        except ExprError as error:
            return Absent(reason=error.message)
        if name not in wanted:
            return Absent(reason="no target of the dag needs it")
        return self._gate(frame, name, self.node_of(frame, name))

    def expanded(self, place: Place) -> Expanded | Stopped | Absent:
        """A task after its `depends`, its references and its loop."""
        gate = self.gate(place)
        if gate is not None:
            return gate
        frame = self._engine.frame_of(place)
        assert frame is not None
        name = self.name_of(frame, place.call)
        node = self.node_of(frame, name)
        try:
            expanded = self.turns_of(frame, place.call)
        except ExprError as error:
            return Stopped(node=node, phase=Phase.ERROR, message=error.message)
        if loops(self.tasks(frame)[name]) and not expanded.turns:
            return Stopped(node=node, phase=Phase.SKIPPED, message="Skipped, empty params")
        return expanded

    def one(self, place: Place, index: int) -> Turn | None:
        """The turn of that index; None where there is none."""
        frame = self._engine.frame_of(place)
        assert frame is not None
        source, scope = self._resolved(frame, place.call)
        with clock.fixed(self._engine.facts, self.node_of(frame, self.name_of(frame, place.call))):
            return expand_one(source, scope.params(frame.variables), index, dag=True)

    def turn(self, place: Place, turn: Turn) -> Entry:
        """One turn: its `when`."""
        frame = self._engine.frame_of(place)
        assert frame is not None
        return when_entry(self.node_of(frame, turn.name), turn.step, raised=False)

    def waits(self, place: Place, result: Result) -> bool:
        """Whether a task would wait for ever. Argo: resolveDependencyReferences, ErrRequeue."""
        frame = self._engine.frame_of(place)
        if frame is None or result.type != "Skipped" or result.phase is not Phase.ERROR:
            return False
        try:
            self._resolved(frame, place.call)
        except ExprError as error:
            return isinstance(error, MissingVariable)
        return False

    def ends_with(self, frame: Frame, name: str, result: Result) -> bool:
        """Whether the dag is over at the moment when this task turns out not to run: nothing else runs then, or will.

        Of a task beside it that does run it is taken that it takes longer.
        """
        before, judged = set(self.ancestors(frame, name)), {name: result}
        for other in self.wanted(frame):
            if other in before or other in judged:
                continue
            names, logic = self.needs(frame, other)
            if not names or not all(need in before or need in judged for need in names):
                return False
            places = {need: self.place(frame, need) for need in names}
            found = {need: judged.get(need) or self._engine.own_result(place) for need, place in places.items()}
            if any(one is None for one in found.values()):
                return False
            results = {need: self._judged(places[need], one) for need, one in found.items() if one is not None}
            try:
                if evaluate_depends(logic, results):
                    return False
                judged[other] = Result(type="Skipped", phase=Phase.OMITTED)
            except ExprError:
                judged[other] = Result(type="Skipped", phase=Phase.ERROR)
        return True

    def tasks(self, frame: Frame) -> dict[str, Json]:
        """The tasks as the filled-in template has them."""
        return self._engine.share(("tasks", frame.key), lambda: dag_tasks(frame.template), of=frame)

    def wanted(self, frame: Frame) -> dict[str, Json]:
        """The tasks that some target needs."""
        return self._engine.share(("wanted", frame.key), lambda: {t["name"]: t for t in wanted_tasks(frame.template)}, of=frame)

    def needs(self, frame: Frame, name: str) -> tuple[tuple[str, ...], str]:
        """The tasks that a task names, and its logic."""
        return self._engine.share(("needs", frame.key, name), lambda: self._needs(frame, name), of=frame)

    def _needs(self, frame: Frame, name: str) -> tuple[tuple[str, ...], str]:
        names, logic = depends_logic(self.tasks(frame)[name], self.tasks(frame))
        return tuple(names), logic

    def _gate(self, frame: Frame, name: str, node: str) -> Stopped | Absent | None:
        """None: the task may run as far as `depends` goes."""
        names, logic = self.needs(frame, name)
        if not logic:
            return None
        found: dict[str, tuple[Place, Result]] = {}
        own = self.place(frame, name).call
        for need in names:
            place = self.place(frame, need)
            if not self._comes_before(own, place.call):
                message = f"it waits for {need} by this run's values, but not by those of the file, which tasks are ordered by"
                return Stopped(node=node, phase=Phase.ERROR, message=message)
            result = self._engine.result(place)
            over = result is not None and (result.fulfilled or result.daemoned) and not self.waits(place, result)
            if result is None or not over or self._engine.hooks.unfinished(place):
                return Absent(reason=f"it waits for {need}")
            found[need] = place, result
        moment = max((result.known_at for _, result in found.values()), default="")
        results = {need: self._judged(place, result.as_of(moment)) for need, (place, result) in found.items()}
        try:
            if evaluate_depends(logic, results):
                return None
        except ExprError as error:
            return Stopped(node=node, phase=Phase.ERROR, message=error.message)
        return Stopped(node=node, phase=Phase.OMITTED, message="omitted: depends condition not met")

    def _comes_before(self, task: Call, need: Call) -> bool:
        """Whether a task has surely ended when another begins: it has, unless a tag in `depends` names others now."""
        before = self._engine.globals.tasks_before(task)
        return before.issuperset(self._engine.tree.tasks_of(need))

    def _judged(self, place: Place, result: Result) -> dict[str, bool]:
        """What `depends` may ask of a task. Argo: TaskResults."""
        children: list[Result] = []
        if result.type == "TaskGroup":
            composites = self._engine.composites
            children = [*(composites.turn_results(place) or ()), *(hooked for _, hooked in composites.hooks_of_loop(place))]
        return {
            "Succeeded": result.phase is Phase.SUCCEEDED and not result.daemoned,
            "Failed": result.phase is Phase.FAILED,
            "Errored": result.phase is Phase.ERROR,
            "Skipped": result.phase is Phase.SKIPPED,
            "Omitted": result.phase is Phase.OMITTED,
            "Daemoned": result.daemoned and result.phase is not Phase.PENDING,
            "AnySucceeded": any(child.phase is Phase.SUCCEEDED for child in children),
            "AllFailed": bool(children) and all(child.phase is Phase.FAILED for child in children),
        }

    def place(self, frame: Frame, name: str) -> Place:
        """A task's place; a loop's as a whole."""
        members = self._engine.share(("members", frame.key), lambda: self._members(frame), of=frame)
        return Place(members[name], frame.place.index)

    def _members(self, frame: Frame) -> dict[str, Call]:
        return {self.name_of(frame, call): call for call in frame.place.call.groups[0]}

    def name_of(self, frame: Frame, call: Call) -> str:
        """A task's name, tags in it replaced."""
        if "{{" not in call.name:
            return call.name
        written = [task["name"] for task in self._engine.plan.templates[frame.place.call.template]["dag"]["tasks"]]
        return str(frame.template["dag"]["tasks"][written.index(call.name)]["name"])

    def turns_of(self, frame: Frame, call: Call) -> Expanded:
        """The task's turns, names and arguments included."""
        return self._engine.share_turns(frame, call, lambda: self._expand(frame, call))

    def _expand(self, frame: Frame, call: Call) -> Expanded:
        source, scope = self._resolved(frame, call)
        node = self.node_of(frame, self.name_of(frame, call))
        with clock.fixed(self._engine.facts, node):
            return Expanded(node=node, turns=tuple(expand(source, scope.params(frame.variables), dag=True)))

    def _resolved(self, frame: Frame, call: Call) -> tuple[Json, Scope]:
        """The task with its references resolved, and what it may speak of."""
        return self._engine.share(("resolved", frame.key, call.id), lambda: self._resolve(frame, call), of=frame)

    def _resolve(self, frame: Frame, call: Call) -> tuple[Json, Scope]:
        name = self.name_of(frame, call)
        source, node = self.tasks(frame)[name], self.node_of(frame, name)
        text = gojson.dumps({name: value for name, value in source.items() if name != "hooks"})
        scope = self.scope(frame, name, text)
        with clock.fixed(self._engine.facts, node):
            if "{{" in text or '"from' in text or source.get("when"):
                source = resolve_step(source, scope, self._engine.beginnings.of_member(frame, call, text), dag=True)
        return source, scope

    def scope(self, frame: Frame, name: str, text: str) -> Scope:
        """What a task may speak of, as far as the text does: the tasks before it. Argo: buildLocalScopeFromTask."""
        values: dict[str, Any] = of_inputs(frame.template)
        values |= self._engine.composites.global_outputs(frame, text, self.place(frame, name).call)
        if _REFERS.search(text) or any(call.loop for call in frame.place.call.groups[0]):
            for ancestor in self.ancestors(frame, name):
                values |= self.variables(frame, ancestor, text)
        return Scope(values)

    def scope_of_all(self, frame: Frame, text: str) -> Scope:
        """What the dag's outputs may speak of: every task, but no global output, as in Argo."""
        values: dict[str, Any] = of_inputs(frame.template)
        for name in self.tasks(frame):
            if name in self.wanted(frame):
                values |= self.variables(frame, name, text)
        return Scope(values)

    def ancestors(self, frame: Frame, name: str) -> tuple[str, ...]:
        """The tasks that a task depends on, directly or not, in the dag's order."""
        return self._engine.share(("ancestors", frame.key, name), lambda: self._ancestors(frame, name), of=frame)

    def _ancestors(self, frame: Frame, name: str) -> tuple[str, ...]:
        found: set[str] = set()
        pending = [name]
        while pending:
            new = [need for need in self.needs(frame, pending.pop())[0] if need not in found]
            found.update(new)
            pending += new
        return tuple(task for task in self.tasks(frame) if task in found)

    def variables(self, frame: Frame, name: str, text: str) -> dict[str, Any]:
        """`tasks.x.*` of a task that is over, if the text may speak of it.

        A loop whose results are no JSON is an error even if not.
        """
        engine, prefix, place = self._engine, f"tasks.{name}", self.place(frame, name)
        spoken = bool(_REFERS.search(text)) and mentions(text, name)
        if not spoken and not self._collects(place):
            return {}
        result = engine.result(place)
        if result is None:
            return {}
        turns = engine.composites.turn_results(place) if result.type == "TaskGroup" else None
        values = of_turns(prefix, turns) if turns is not None else {}
        skipped = result.phase in (Phase.SKIPPED, Phase.OMITTED) and result.outputs is None
        template = engine.plan.templates[place.call.template]
        values |= of_result(prefix, result) | (of_skipped(prefix, template, artifacts=False) if skipped else {})
        return values | ({f"{prefix}.id": self._id(frame, place, result)} if spoken else {})

    def _collects(self, place: Place) -> bool:
        """Whether a loop's results are gathered."""
        if place.call.loop is None:
            return False
        return self._engine.composites.includes_result(place)

    def _id(self, frame: Frame, place: Place, result: Result) -> str:
        name = self.node_of(frame, self.name_of(frame, place.call))
        tried = f"{name}({len(result.attempts) - 1})" if result.type == "Retry" and result.attempts else name
        return node_id(self._engine.facts.name, tried)

    def node_of(self, frame: Frame, name: str) -> str:
        """The node's full name."""
        return f"{frame.node}.{name}"
