"""Argo's operate(), worked out on demand: each question is answered from outcomes, and remembered.

In: Ground (Plan, RunFacts), Source.  Out: how each call was entered, what it executes, what came of it.
Must not know: what tasks do with the answers. Argo: operator.go executeTemplate.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow import clock
from argo_yaml_provider.flow.annotation import wrong_display_name
from argo_yaml_provider.flow.beginnings import Beginnings
from argo_yaml_provider.flow.composites import FAIL_FAST, UNSUCCESSFUL, Composites
from argo_yaml_provider.flow.dags import DagRules
from argo_yaml_provider.flow.entries import Absent, Entry, Execution, Expanded, Place, Started, Stopped
from argo_yaml_provider.flow.facts import Missing, Source
from argo_yaml_provider.flow.frames import Frame
from argo_yaml_provider.flow.globals import GlobalOutputs
from argo_yaml_provider.flow.ground import Ground, Watched
from argo_yaml_provider.flow.hooks import HookRules
from argo_yaml_provider.flow.identity import pod_name
from argo_yaml_provider.flow.inputs import process_args
from argo_yaml_provider.flow.leaves import leaf_result, node_type
from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.flow.results import FAILURES, Result
from argo_yaml_provider.flow.semaphores import without_limit
from argo_yaml_provider.flow.steps import StepsRules
from argo_yaml_provider.flow.tree import hooks_of, is_loop
from argo_yaml_provider.flow.variables import spec_of, submitted_arguments, workflow_variables
from argo_yaml_provider.plan.items import Turn
from argo_yaml_provider.plan.nodes import Call, CallKind, Json, LoopKind
from argo_yaml_provider.plan.templates import COMPOSITES, strategy_of

T = TypeVar("T")
_FEW_TURNS = 3


class Engine:
    """One run of one plan, as far as it has come.

    `live`: a task without an outcome has not ended yet. Otherwise it has, and left none: an Error.
    """

    def __init__(self, ground: Ground, source: Source, *, live: bool = False) -> None:
        self.ground, self.plan, self.facts, self.tree = ground, ground.plan, ground.facts, ground.tree
        self.source, self.live = Watched(source), live
        self.spec: Json = spec_of(self.plan)
        self._known: dict[Hashable, tuple[Any, bool]] = {}
        """Each with whether no outcome was looked at for it."""
        self._turns_asked: dict[Hashable, int] = {}
        self.steps, self.dags, self.hooks = StepsRules(self), DagRules(self), HookRules(self)
        self.composites = Composites(self)
        self.globals = GlobalOutputs(self)
        self.beginnings = Beginnings(self)

    def remember(self, key: Hashable, work: Callable[[], T]) -> T:
        """The value of `work`, worked out once. An error is remembered too; what is missing is asked for again."""
        value: T | ExprError = self._find(key, work)[0]
        if isinstance(value, ExprError):
            raise value
        return value

    def share(self, key: Hashable, work: Callable[[], T], *, of: object = None) -> T:
        """The same, for all tasks of the run, if no outcome was looked at.

        `of`: what `work` was handed from outside, which must then be shared itself.
        """
        known: dict[Hashable, T] = self.ground.known
        if not self._is_shared(of):
            return self.remember(key, work)
        if key not in known:
            value, pure = self._find(key, work)
            if not pure or isinstance(value, ExprError):  # an error that is raised again and again grows
                return self.remember(key, work)
            known[key] = value
        return known[key]

    def share_turns(self, frame: Frame, call: Call, work: Callable[[], Expanded]) -> Expanded:
        """The turns of a member; of a mapped loop there may be a hundred thousand, which are not kept for all."""
        find = self.remember if call.loop is LoopKind.MAPPED else partial(self.share, of=frame)
        return find(("turns", frame.key, call.id), work)

    def _is_shared(self, value: object) -> bool:
        key = ("frame", value.key) if isinstance(value, Frame) else "variables"
        return value is None or self.ground.known.get(key) is value

    def _find(self, key: Hashable, work: Callable[[], Any]) -> tuple[Any, bool]:
        if key not in self._known:
            asked = self.source.asked
            try:
                value = work()
            except ExprError as error:
                value = error
            self._known[key] = value, self.source.asked == asked
        value, pure = self._known[key]
        if not pure:
            self.source.asked += 1  # whoever works something out of it looks at outcomes too
        return value, pure

    @property
    def variables(self) -> dict[str, str]:
        """`workflow.*`, as it is from the start."""
        return self.share("variables", lambda: workflow_variables(self.plan, self.facts, self.source.config_map))

    @property
    def root(self) -> Place:
        """The entrypoint."""
        return Place(self.plan.root, -1)

    @property
    def root_node(self) -> str:
        """The root's name in the tree."""
        return self.facts.node or self.facts.name

    def parent(self, place: Place) -> Place | None:
        """The place that this one belongs to."""
        call = self.tree.parent(place.call)
        if call is None:
            return None
        leaves_loop = place.call.loop is LoopKind.MAPPED
        return Place(call, -1 if leaves_loop else place.index)

    def entry(self, place: Place) -> Entry:
        """How the call came to run, or why not."""
        return self.remember(("entry", place.key), lambda: self._entry(place))

    def _entry(self, place: Place) -> Entry:
        role = self.tree.stands[place.call.id].role
        if role == "root":
            return self._top(place)
        if role == "hook":
            return self.hooks.entry(place)
        loop, index = place, -1
        if role == "turn" or place.call.loop is LoopKind.MAPPED:
            parent = self.tree.parent(place.call) if role == "turn" else place.call
            assert parent is not None
            loop = Place(parent, place.index if role == "turn" else -1)
            index = (place.call.item or 0) if role == "turn" else place.index
        turn = self._turn(loop, index)
        entry = self.rules(loop).turn(loop, turn) if isinstance(turn, Turn) else turn
        return Absent(reason=FAIL_FAST) if self._stopped_fast(loop, runs=isinstance(entry, Started)) else entry

    def _turn(self, loop: Place, index: int) -> Turn | Stopped | Absent:
        """The turn of that index (-1: of a step without a loop).

        Of a mapped loop it is read without its thousand siblings, unless more and more of them are asked for.
        """
        key = ("one", loop.key, index)
        if loop.call.loop is LoopKind.MAPPED and index >= 0 and (key in self._known or self._asked(loop) <= _FEW_TURNS):
            stopped = self.remember(("gate", loop.key), lambda: self.rules(loop).gate(loop))
            found = self.remember(key, lambda: self.rules(loop).one(loop, index)) if stopped is None else None
            if found is not None:
                return found
            return Absent(reason=f"its loop has no item {index}" if stopped is None else _reason(stopped))
        expanded = self.expanded(loop)
        if not isinstance(expanded, Expanded):
            return expanded if index < 0 else Absent(reason=_reason(expanded))
        if max(index, 0) >= len(expanded.turns):
            return Absent(reason=f"{expanded.node} has only {len(expanded.turns)} items")
        return expanded.turns[max(index, 0)]

    def _asked(self, loop: Place) -> int:
        """How often a turn of this loop was asked for."""
        self._turns_asked[loop.key] = self._turns_asked.get(loop.key, 0) + 1
        return self._turns_asked[loop.key]

    def _stopped_fast(self, place: Place, *, runs: bool) -> bool:
        """Whether a member that surely ended before this one made the template give up.

        One that does not run still comes to a node after a composite that failed, for Argo judges both in one go.
        """
        frame = self.frame_of(place)
        if frame is None or frame.template.get("failFast") is not True:
            return False
        types = UNSUCCESSFUL if runs else ("Pod",)
        return self.composites.failed_fast(frame, self.globals.tasks_before(place.call), types=types)

    def _top(self, place: Place) -> Entry:
        if place.call is not self.plan.root:
            return self.hooks.workflow_entry(place)
        arguments = self.facts.inputs
        if arguments is None:
            arguments = submitted_arguments(self.plan, self.facts)
        return Started(node=self.root_node, step={"arguments": arguments})

    def turn_failed_fast(self, place: Place) -> bool:
        """Whether an earlier turn of this mapped loop has failed by now: a turn asks before it starts its pod."""
        if place.call.loop is not LoopKind.MAPPED:
            return False
        frame = self.frame_of(place)
        if frame is None or frame.template.get("failFast") is not True:
            return False
        task = self.tree.task(place.call).id
        ended = [self.source.outcome(task, number) for number in range(place.index)]
        return any(outcome is not None and outcome.phase in FAILURES for outcome in ended)

    def rules(self, place: Place) -> StepsRules | DagRules:
        """The rules of the template that this call is a member of."""
        parent = self.tree.parent(place.call)
        assert parent is not None
        return self.steps if parent.kind is CallKind.STEPS else self.dags

    def expanded(self, place: Place) -> Expanded | Stopped | Absent:
        """A member of a composite after gate, references and loop; a step without a loop has one turn."""
        return self.remember(("expanded", place.key), lambda: self.rules(place).expanded(place))

    def execution(self, place: Place) -> Execution | Stopped | Absent:
        """The called template with its arguments filled in."""
        return self.remember(("execution", place.key), lambda: self._execution(place))

    def _execution(self, place: Place) -> Execution | Stopped | Absent:
        entry = self.entry(place)
        return self.filled(place, entry) if isinstance(entry, Started) else entry

    def filled(self, place: Place, entry: Started) -> Execution | Stopped:
        """The called template with the step's arguments in it, or the error that they are."""
        step, template = entry.step, self.plan.templates.get(self.called(place, entry.step))
        if template is None:
            return Stopped(node=entry.node, phase=Phase.ERROR, message=_unknown(self.called(place, step)), raised=True)
        variables = self.beginnings.variables(place, template, self.hooks.variables(place))
        try:
            with clock.fixed(self.facts, entry.node):
                filled = process_args(
                    template,
                    step.get("arguments") or {},
                    self.beginnings.for_template(template, variables),
                    self.locals_of(place, entry, template),
                    config_map=self.source.config_map,
                )
        except ExprError as error:
            return Stopped(node=entry.node, phase=Phase.ERROR, message=error.message, raised=True)
        if filled.get("steps") == []:  # Go's JSON leaves it out: then the template says nothing to run
            wrong = f"Template '{filled.get('name')}' missing specification"
            return Stopped(node=entry.node, phase=Phase.ERROR, message=wrong, raised=True)
        if wrong := without_limit(filled.get("synchronization"), self.facts, self.source):
            return Stopped(node=entry.node, phase=Phase.ERROR, message=wrong, raised=True)
        wrong = wrong_display_name(filled)
        return Execution(place=place, node=entry.node, step=step, template=filled, variables=variables, wrong=wrong)

    def called(self, place: Place, step: Json) -> str:
        """The key of the called template; where its name held a tag, that is gone now."""
        if "{{" not in place.call.template:
            return place.call.template
        from argo_yaml_provider.resolve.references import key_of

        parent = self.tree.parent(place.call)
        while parent is not None and not parent.groups:
            parent = self.tree.parent(parent)
        return key_of(parent.template, step) if parent is not None else place.call.template

    def locals_of(self, place: Place, entry: Started, template: Json) -> dict[str, str]:
        """`node.name`, `pod.name`, `steps.name`. Argo: executeTemplate."""
        known = {"node.name": entry.node}
        if place.call is self.plan.root:
            known |= self.facts.locals
        if place.call.kind in (CallKind.POD, CallKind.RESOURCE) and self.strategy(place) is None:
            known["pod.name"] = pod_name(self.facts.name, entry.node, str(template.get("name") or ""))
        parent = self.tree.parent(place.call)
        while parent is not None and parent.kind not in COMPOSITES:
            parent = self.tree.parent(parent)
        role, own = self.tree.stands[place.call.id].role, str(entry.step.get("name") or place.call.name)
        if parent is not None and parent.kind is CallKind.DAG and role != "hook":
            known["tasks.name"] = own
        else:
            known["steps.name"] = "" if role in ("root", "hook") else own
        return known

    def turn_name(self, place: Place) -> str:
        """The step's or task's own name, with its index and item."""
        entry = self.entry(place)
        return str(entry.step.get("name") or place.call.name) if isinstance(entry, Started) else place.call.name

    def turn_mark(self, place: Place) -> str:
        """The index and item of a turn of a mapped loop, as they stand in its name, whether it runs or not."""
        turn = self._turn(Place(place.call, -1), place.index)
        return turn.name[turn.name.index("(") :] if isinstance(turn, Turn) else ""

    def strategy(self, place: Place) -> Json | None:
        """The retryStrategy that holds here; a child plan's root is one attempt of its caller's."""
        if place.call.kind in COMPOSITES:
            return None
        return strategy_of(self.plan.templates[place.call.template], self.spec)

    def frame(self, place: Place) -> Frame | None:
        """A composite that runs; None if it does not."""
        # There may be a hundred thousand turns of a loop.
        find = self.share if place.index < 0 else self.remember
        return find(("frame", place.key), lambda: self._frame(place))

    def _frame(self, place: Place) -> Frame | None:
        found = self.execution(place)
        if not isinstance(found, Execution) or found.wrong:
            return None
        return Frame(place=place, node=found.node, template=found.template, variables=found.variables)

    def frame_of(self, place: Place) -> Frame | None:
        """The composite that this member, or the step that this hook belongs to, lies in."""
        hooked = self.tree.stands[place.call.id].role == "hook"
        start = self.parent(place) if hooked else place
        above = self.parent(start) if start is not None else None
        while above is not None and (above.call.kind not in COMPOSITES or is_loop(above.call, above.index)):
            above = self.parent(above)
        return None if above is None else self.frame(above)

    def result(self, place: Place) -> Result | None:
        """What came of a call; None: there is no such node."""
        return self.remember(("result", place.key), lambda: self._judged(place))

    def own_result(self, place: Place) -> Result | None:
        """The same, whatever its hooks come to."""
        return self.remember(("own result", place.key), lambda: self._result(place))

    def _judged(self, place: Place) -> Result | None:
        """A hook whose expression is wrong makes a task of a dag an Error; of a steps template, its group (see there)."""
        result = self.own_result(place)
        if result is None or not hooks_of(place.call, place.index):
            return result
        frame = self.frame_of(place)
        wrong = self.hooks.wrong(place, exits=False) if frame is not None and frame.place.call.kind is CallKind.DAG else ""
        return replace(result, phase=Phase.ERROR, message=wrong) if wrong else result

    def _result(self, place: Place) -> Result | None:
        if is_loop(place.call, place.index):
            return self.composites.loop_result(place)
        outcome = None if place.call.kind in COMPOSITES else self.outcome_of(place)
        # A task that has just begun may yet find that its node does not run.
        if outcome is not None and outcome.phase is not Phase.RUNNING:
            return self._leaf(place, outcome)
        found = self.execution(place)
        if isinstance(found, Absent):
            return None
        if isinstance(found, Stopped):
            return Result(type="Skipped", phase=found.phase, message=found.message, raised=found.raised)
        if found.wrong:
            kind = node_type(found.template, retried=self.strategy(place) is not None)
            return Result(type=kind, phase=Phase.ERROR, message=found.wrong, raised=True)
        if place.call.kind in COMPOSITES:
            return self.composites.result(place)
        if self.live or outcome is not None:
            return self._leaf(place, outcome)
        return self._leaf(place, Outcome(phase=Phase.ERROR, message="the task ended without an outcome"))

    def _leaf(self, place: Place, outcome: Outcome | None) -> Result | None:
        return leaf_result(self.plan.templates[place.call.template], place.call, outcome, self.spec)

    def outcome_of(self, place: Place) -> Outcome | None:
        """The outcome of a leaf's task."""
        return self.source.outcome(self.tree.task(place.call).id, place.index)

    def gather(self, places: Iterable[Place]) -> list[Result | None]:
        """Several results; all that is missing is asked for at once."""
        found: list[Result | None] = []
        missing: list[Missing] = []
        for place in places:
            try:
                found.append(self.result(place))
            except Missing as one:
                missing.append(one)
        if missing:
            raise Missing.all(missing)
        return found

    def turns(self, call: Call, index: int) -> list[Place]:
        """The turns of a loop, as many as there are."""
        if call.loop is LoopKind.UNROLLED:
            return [Place(turn, index) for turn in call.turns]
        outcome = self.source.outcome(self.tree.fanouts[call.id].id, index)
        count = (outcome.items or 0) if outcome is not None else 0
        return [Place(call, number) for number in range(count)]

    def loop_name(self, place: Place) -> str:
        """The node name of a loop as a whole."""
        frame = self.frame_of(place)
        assert frame is not None
        if frame.place.call.kind is CallKind.STEPS:
            name = self.steps.name_of(frame, place.call)
            return self.steps.node_of(frame, self.tree.stands[place.call.id].group, name)
        return self.dags.node_of(frame, self.dags.name_of(frame, place.call))

    def failures(self, *, hooks: bool) -> list[Json]:
        """`workflow.failures`: every node that failed, groups included; `hooks`: of the workflow's hooks, too."""
        from argo_yaml_provider.flow.view import failed_nodes

        return failed_nodes(self, hooks=hooks)


def _unknown(key: str) -> str:
    return f"there is no template {'/'.join(key.split('/')[1:])}, or lint says what is wrong in it"


def _reason(found: Stopped | Absent) -> str:
    """Why nothing of a loop is there."""
    return found.reason if isinstance(found, Absent) else f"{found.node}: {found.message}"
