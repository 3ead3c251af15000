"""Outputs with a `globalName`: what they make known to the whole workflow, and when.

In: places.  Out: `workflow.outputs.*` as each place sees it: of all that surely ended before it began.
Must not know: how outputs come about. Argo: operator.go addOutputsToGlobalScope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.flow.entries import Execution, Place, Started
from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.flow.results import Outputs, Result, of_attempt
from argo_yaml_provider.flow.suspend import asked_for
from argo_yaml_provider.flow.tree import is_loop
from argo_yaml_provider.plan.nodes import Call, CallKind, Json, LoopKind
from argo_yaml_provider.plan.templates import COMPOSITES, kind_of
from argo_yaml_provider.resolve.references import is_dynamic

if TYPE_CHECKING:
    from argo_yaml_provider.flow.engine import Engine


class Found(NamedTuple):
    """What producers left, by global name; of two with one name, the later."""

    parameters: dict[str, str | None]
    artifacts: dict[str, Json]


class GlobalOutputs:
    """The producers of a plan."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        outputs = {key: gojson.dumps(template.get("outputs")) for key, template in engine.plan.templates.items()}
        self._named = {key for key, text in outputs.items() if "globalName" in text}
        found = [stand.call for stand in engine.tree.stands.values() if self._may_produce(stand.call)]
        self._producers = self._in_order(found) if found else []
        self._before: dict[str, frozenset[str]] = {}

    def _in_order(self, calls: list[Call]) -> list[Call]:
        """Calls in the order of their last task; a composite after its members."""
        order = {task.call: number for number, task in enumerate(self._engine.plan.tasks) if task.call}
        last, depth = dict(order), {}
        for stand in self._engine.tree.stands.values():
            around = self._around(stand.call)
            depth[stand.call.id] = len(around)
            if stand.call.id in order:
                last |= {above.id: max(last.get(above.id, 0), order[stand.call.id]) for above in around}
        return sorted(calls, key=lambda call: (last.get(call.id, 0), -depth[call.id]))

    def _around(self, call: Call) -> list[Call]:
        """What a call lies in, from the inside out."""
        found: list[Call] = []
        above = self._engine.tree.parent(call)
        while above is not None:
            found.append(above)
            above = self._engine.tree.parent(above)
        return found

    def _may_produce(self, call: Call) -> bool:
        if call.loop is LoopKind.UNROLLED:
            return False
        if call.kind is CallKind.CHILD or call.template in self._named:
            return True
        return call.kind is CallKind.DAG and any(self._may_name(member) for group in call.groups for member in group)

    def _may_name(self, call: Call) -> bool:
        """Whether the outputs of what is called may have a global name."""
        return call.template in self._named or is_dynamic(call.template)

    def parameters(self, place: Place, *, ended: bool = False) -> dict[str, str]:
        """`workflow.outputs.parameters.*` as the place sees it when it begins; `ended`: when all in it has ended."""
        found = self._visible(place, ended=ended).parameters
        return {f"workflow.outputs.parameters.{name}": value for name, value in found.items() if value is not None}

    def artifacts(self, place: Place, *, ended: bool = False) -> dict[str, Any]:
        """`workflow.outputs.artifacts.*`, likewise."""
        found = self._visible(place, ended=ended).artifacts
        return {f"workflow.outputs.artifacts.{name}": artifact for name, artifact in found.items()}

    def all(self) -> Found:
        """What the workflow gives in the end."""
        found = Found({}, {})
        for call in self._producers:
            for place in self.places(call, None):
                self._add(found, place)
        return found

    def _visible(self, place: Place, *, ended: bool) -> Found:
        if not self._producers:
            return Found({}, {})
        return self._engine.remember(("globals", place.key, ended), lambda: self._work_out(place, ended=ended))

    def _work_out(self, place: Place, *, ended: bool) -> Found:
        before, tree = self.tasks_before(place.call), self._engine.tree
        around: set[str] = set()
        if ended:
            before = before.union(tree.tasks_of(place.call))
            around = {place.call.id, *(call.id for call in self._around(place.call))}
        found = Found({}, {})
        for call in self._producers:
            tasks = tree.tasks_of(call)
            if call.id not in around and tasks and before.issuperset(tasks):
                for producer in self.places(call, place):
                    self._add(found, producer)
        return found

    def tasks_before(self, call: Call) -> frozenset[str]:
        """Every task that has ended before this call begins."""
        tasks = self._engine.tree.tasks_of(call)
        if call.loop is LoopKind.MAPPED:
            tasks = (self._engine.tree.fanouts[call.id].id, *tasks)
        if not tasks:
            return frozenset()
        first = tasks[0]
        if first not in self._before:
            self._before[first] = self._engine.tree.before(first)
        return self._before[first]

    def places(self, call: Call, asker: Place | None) -> list[Place]:
        """The instances of a producer: one, or, in a mapped loop, one for each index; the asker's own, if it lies there too."""
        loop: Call | None = call
        while loop is not None and loop.loop is not LoopKind.MAPPED:
            loop = self._engine.tree.parent(loop)
        if loop is None:
            return [Place(call, -1)]
        above = asker.call if asker is not None else None
        while above is not None and above.id != loop.id:
            above = self._engine.tree.parent(above)
        if above is not None and asker is not None and asker.index >= 0:
            return [Place(call, asker.index)]
        return [Place(call, turn.index) for turn in self._engine.turns(loop, -1)]

    def _add(self, found: Found, place: Place) -> None:
        if place.call.kind is CallKind.CHILD:
            self._add_child(found, self._engine.outcome_of(place))
        if is_loop(place.call, place.index):
            return
        for outputs in self._published(place, self._engine.result(place)):
            self._add_outputs(found, place, outputs)
        if place.call.kind is CallKind.DAG:
            self._add_members(found, place)

    def _published(self, place: Place, result: Result | None) -> list[Outputs]:
        """What a call gives of itself: each of a pod's attempts, a steps template that ran; a dag does not, see below."""
        if result is None or result.outputs is None:
            return []
        kind = kind_of(self._template(place)) if place.call.kind is CallKind.CHILD else place.call.kind
        if kind is CallKind.SUSPEND:
            return [Outputs(parameters=self._supplied(place, result.outputs))]
        if kind in COMPOSITES:
            ran = place.call.kind is kind or bool(result.attempts)
            return [result.outputs] if kind is CallKind.STEPS and ran else []
        return [outputs for attempt in result.attempts if (outputs := of_attempt(attempt)) is not None]

    def _template(self, place: Place) -> Json:
        """The called template as it is written, also where only the run tells which."""
        entry = self._engine.entry(place) if is_dynamic(place.call.template) else None
        key = self._engine.called(place, entry.step) if isinstance(entry, Started) else place.call.template
        return self._engine.plan.templates.get(key) or {}

    def _supplied(self, place: Place, outputs: Outputs) -> dict[str, str | None]:
        """Of a suspend: what a person said, not what it goes on with by itself. Argo: updateSuspendedNode."""
        template = self._template(place)
        timed, defaults = bool((template.get("suspend") or {}).get("duration")), asked_for(template)
        return {
            name: value
            for name, value in outputs.parameters.items()
            if value is not None and not (timed and value == defaults.get(name))
        }

    def _add_members(self, found: Found, place: Place) -> None:
        """A dag that has succeeded makes known what each of its tasks gave, in its order; not that of a loop as a whole."""
        frame = self._engine.frame(place)
        if frame is None or self._engine.composites.failed_fast(frame):
            return
        if self._engine.composites.branches.phase(frame) is not Phase.SUCCEEDED:
            return
        wanted = self._engine.dags.wanted(frame)
        for name in (name for name in self._engine.dags.tasks(frame) if name in wanted):
            task = self._engine.dags.place(frame, name)
            if is_loop(task.call, task.index) or not self._may_name(task.call):
                continue
            result = self._engine.result(task)
            if result is not None and result.outputs is not None:
                self._add_outputs(found, task, result.outputs)

    def _add_child(self, found: Found, outcome: Outcome | None) -> None:
        values = outcome.values if outcome is not None else {}
        given: dict[str, Any] = values.get("globals") or {}
        found.parameters.update(given.get("parameters") or {})
        found.artifacts.update(given.get("artifacts") or {})

    def _add_outputs(self, found: Found, place: Place, outputs: Outputs) -> None:
        declared = self._declared(place)
        for parameter in declared.get("parameters") or ():
            if parameter.get("globalName") and parameter["name"] in outputs.parameters:
                found.parameters[parameter["globalName"]] = outputs.parameters[parameter["name"]]
        for artifact in declared.get("artifacts") or ():
            if artifact.get("globalName") and artifact["name"] in outputs.artifacts:
                kept = outputs.artifacts[artifact["name"]]
                named = {field: value for field, value in kept.items() if field not in ("globalName", "path")}
                found.artifacts[artifact["globalName"]] = {**named, "name": artifact["globalName"]}

    def _declared(self, place: Place) -> Json:
        """The template's outputs, with tags in their names replaced."""
        outputs: Json = self._template(place).get("outputs") or {}
        if "{{" not in gojson.dumps(outputs):
            return outputs
        found = self._engine.execution(place)
        return (found.template.get("outputs") or {}) if isinstance(found, Execution) else outputs
