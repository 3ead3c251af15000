"""Walk from template to template and write down every call, its tasks, its groups and their order.

In: resolve.Resolved.  Out: a tree of `Call`s, and the `PlannedTask`s and `PlannedGroup`s that stand for it.
Must not know: Airflow. An edge means "must have ended": whether a task then runs is decided at run time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from argo_yaml_provider.plan.items import loops
from argo_yaml_provider.plan.loops import MOST_UNROLLED, is_mapped, is_unrolled, literal_count, turn_names
from argo_yaml_provider.plan.names import ROOT, Names, slug
from argo_yaml_provider.plan.nodes import Call, CallKind, Json, LoopKind, PlannedGroup, PlannedTask, TaskKind
from argo_yaml_provider.plan.slots import Slots
from argo_yaml_provider.plan.templates import (
    COMPOSITES,
    dependencies,
    exit_hook,
    expression_hooks,
    kind_of,
    members,
    strategy_of,
    waits_for_end,
    wanted_tasks,
)
from argo_yaml_provider.resolve.known import with_known_waiting
from argo_yaml_provider.resolve.references import is_dynamic, key_of, may_become
from argo_yaml_provider.resolve.resolved import Resolved

Sinks = tuple[str, ...]
"""Ids of the tasks after which a call is over, in the order they were planned."""

MOST_TASKS = 2000
"""Tasks that one template call may unfold to inside one plan; a larger one becomes a child run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a call stands."""

    path: tuple[str, ...]
    name: str
    group: str = ""
    mapped: bool = False
    """Whether it lies inside a mapped group."""
    mapped_over: str = ""
    """Of a mapped leaf: its fan-out."""
    stack: tuple[str, ...]
    """Keys of the templates it lies in."""
    item: int | None = None
    parallelism: int | None = None
    """How many calls may run at a time in the template around this one."""
    child_root: bool = False

    def inside(self, name: str, group: str, template: str) -> Spot:
        """A member of the composite that is called here."""
        return Spot(path=(*self.path, name), name=name, group=group, mapped=self.mapped, stack=(*self.stack, template))

    @property
    def limited(self) -> bool:
        """Whether calls here take turns."""
        return self.parallelism is not None


@dataclass(slots=True)
class Children:
    """The child plans that are called for: template key to plan key."""

    keys: dict[str, str] = field(default_factory=dict)

    def key(self, template: str) -> str:
        """The child plan of a template; asked for the first time, it will be built."""
        if template not in self.keys:
            wanted = slug(template.rpartition("/")[2])
            taken = set(self.keys.values())
            tries = (f"{wanted}-{n}" for n in range(2, len(taken) + 3))
            self.keys[template] = wanted if wanted not in taken else next(t for t in tries if t not in taken)
        return self.keys[template]


class CallBuilder:
    """The tasks and groups of one plan, as they are found."""

    def __init__(self, resolved: Resolved, children: Children) -> None:
        self.tasks: list[PlannedTask] = []
        self.groups: list[PlannedGroup] = []
        self.names = Names()
        self.used: set[str] = set()
        self.dynamic: dict[str, str] = {}
        self._resolved = resolved
        self._spec: Json = resolved.workflow.get("spec") or {}
        self._children = children
        self._sizes: dict[str, int] = {}
        self._planned: dict[str, Json] = {}

    def call(self, spot: Spot, template: str, source: Json, upstream: Sinks) -> tuple[Call, Sinks]:
        """A step, task or hook, with its loop if it has one."""
        if not loops(source):
            return self.single(spot, template, source, upstream)
        if is_unrolled(source, self._size(template)) and not _too_many(source, spot.parallelism):
            return self._unrolled(spot, template, source, upstream)
        return self._mapped(spot, template, source, upstream)

    def single(self, spot: Spot, template: str, source: Json, upstream: Sinks) -> tuple[Call, Sinks]:
        """One call of a template, its hooks included."""
        kind = self._kind(spot, template)
        if kind in COMPOSITES:
            return self._composite(spot, template, source, upstream, kind)
        ident = self._leaf_id(spot, template)
        call = Call(id=ident, name=spot.name, kind=kind, template=template, source=source, item=spot.item)
        call = self._with_child(call)
        self.used.add(template)
        self._task(spot, call, upstream)
        return self._with_hooks(spot, call, upstream, (ident,))

    def written(self, key: str) -> Json:
        """A template by its key; of a templateRef whose name is known only at run time, what is the same for all: its name."""
        return {"name": key.rpartition("/")[2]} if is_dynamic(key) else self._resolved.templates[key]

    def template(self, key: str) -> Json:
        """The same with tasks that wait for each other as by the file's own values: no run changes the order of its tasks."""
        if key not in self._planned:
            self._planned[key] = with_known_waiting(self._resolved, key, self.written(key))
        return self._planned[key]

    def _with_child(self, call: Call) -> Call:
        """A CHILD with its plan; where only the run tells which, with all that it may be."""
        if call.kind is not CallKind.CHILD:
            return call
        if not is_dynamic(call.template):
            return replace(call, child=self._children.key(call.template))
        for key in self._resolved.templates:
            if may_become(call.template, key):
                self.dynamic[key] = self._children.key(key)
                self.used.add(key)
        return call

    def workflow_hooks(self, hooks: dict[str, Json], scope: str, sinks: Sinks) -> tuple[Call, ...]:
        """The hooks of the workflow itself, which run beside everything."""
        made: list[Call] = []
        for name, hook in hooks.items():
            spot = Spot(path=("hooks", name), name=f"hooks.{name}", stack=())
            made.append(self._hook(spot, scope, hook, sinks if waits_for_end(hook) else ())[0])
        return tuple(made)

    def _task(self, spot: Spot, call: Call, upstream: Sinks) -> None:
        task = PlannedTask(
            id=call.id,
            label=spot.name or str(self.template(call.template).get("name") or call.id),
            kind=TaskKind.STEP,
            call=call.id,
            call_kind=call.kind,
            group=spot.group,
            upstream=upstream,
            mapped_over=spot.mapped_over,
            parallelism=spot.parallelism if spot.mapped_over or spot.mapped else None,
            retries=strategy_of(self.template(call.template), self._spec) is not None,
        )
        self.tasks.append(task)

    def _leaf_id(self, spot: Spot, template: str) -> str:
        path = spot.path or (self.template(template).get("name") or "main",)
        return self.names.task(path)

    def _composite(self, spot: Spot, template: str, source: Json, upstream: Sinks, kind: CallKind) -> tuple[Call, Sinks]:
        self.used.add(template)
        group = self._open_group(spot)
        inner = replace(spot, mapped_over="")
        body = self._steps if kind is CallKind.STEPS else self._dag
        groups, sinks = body(inner, group, template, upstream)
        call = Call(
            id=group or ROOT, name=spot.name, kind=kind, template=template, source=source, item=spot.item, groups=groups
        )
        return self._with_hooks(spot, call, upstream, sinks)

    def _open_group(self, spot: Spot) -> str:
        """The group of a composite: none for the root."""
        if not spot.path:
            return ""
        ident = self.names.group(spot.path)
        self.groups.append(PlannedGroup(id=ident, label=spot.name, parent=spot.group, mapped_over=spot.mapped_over))
        return ident

    def _steps(self, spot: Spot, group: str, template: str, upstream: Sinks) -> tuple[tuple[tuple[Call, ...], ...], Sinks]:
        """One group of steps after the other."""
        made: list[tuple[Call, ...]] = []
        for steps in self.template(template)["steps"]:
            slots = self._slots(template)
            built = [self._member(spot, group, template, step, upstream, slots) for step in steps]
            made.append(tuple(call for call, _ in built))
            upstream = _union(sinks for _, sinks in built) or upstream
        return tuple(made), upstream

    def _dag(self, spot: Spot, group: str, template: str, upstream: Sinks) -> tuple[tuple[tuple[Call, ...], ...], Sinks]:
        """Each task after those it names; those that no target needs are left out."""
        body = self.template(template)
        needs, sinks = dependencies(body), dict[str, Sinks]()
        made: dict[str, Call] = {}
        slots = self._slots(template)
        for task in wanted_tasks(body):
            name = task["name"]
            before = _union(sinks[need] for need in needs[name]) or upstream
            made[name], sinks[name] = self._member(spot, group, template, task, before, slots)
        needed = {need for name in made for need in needs[name]}
        last = _union(sinks[name] for name in made if name not in needed)
        return (tuple(made.values()),), last or upstream

    def _member(self, spot: Spot, group: str, template: str, step: Json, upstream: Sinks, slots: Slots) -> tuple[Call, Sinks]:
        limit = self.template(template).get("parallelism")
        inside = replace(spot.inside(step["name"], group, template), parallelism=limit)
        width = 1 if limit is None or not loops(step) else literal_count(step) or limit
        before = slots.before(width)
        call, sinks = self.call(inside, self._called(template, step), step, _union((upstream, before)))
        slots.take(width, sinks)
        return call, sinks

    def _slots(self, template: str) -> Slots:
        return Slots(self.template(template).get("parallelism"))

    def _called(self, scope: str, holder: Json) -> str:
        key = self._resolved.reference(scope, holder) or key_of(scope, holder)
        if not is_dynamic(key) and key not in self._resolved.templates:
            raise LookupError(f"{scope}: {holder.get('name')} calls a template that is not known")
        return key

    def _unrolled(self, spot: Spot, template: str, source: Json, upstream: Sinks) -> tuple[Call, Sinks]:
        """One call per item, in a group of their own."""
        names = turn_names(source)
        ident = self.names.group(spot.path)
        if names:
            self.groups.append(PlannedGroup(id=ident, label=spot.name, parent=spot.group))
        turns: list[Call] = []
        ends: list[Sinks] = []
        for index, name in enumerate(names):
            turn = replace(spot, path=(*spot.path, str(index)), name=name, group=ident, item=index)
            call, sinks = self.single(turn, template, source, upstream)
            turns.append(call)
            ends.append(sinks)
        kind = turns[0].kind if turns else kind_of(self.template(template))
        self.used.add(template)
        loop = Call(
            id=ident, name=spot.name, kind=kind, template=template, source=source, loop=LoopKind.UNROLLED, turns=tuple(turns)
        )
        return self._with_loop_hooks(spot, loop, upstream, _union(ends) or upstream)

    def _mapped(self, spot: Spot, template: str, source: Json, upstream: Sinks) -> tuple[Call, Sinks]:
        """A fan-out, and one task or group that Airflow maps over its list."""
        kind = self._kind(replace(spot, mapped=True), template)
        hooked = bool(exit_hook(source) or expression_hooks(source))
        grouped = kind in COMPOSITES or hooked
        ident = self.names.group(spot.path) if grouped else self.names.task(spot.path)
        fanout = PlannedTask(
            id=self.names.beside(ident, "items"),
            label=f"{spot.name} items",
            kind=TaskKind.FANOUT,
            call=ident,
            call_kind=kind,
            group=spot.group,
            upstream=upstream,
        )
        self.tasks.append(fanout)
        call = Call(id=ident, name=spot.name, kind=kind, template=template, source=source, loop=LoopKind.MAPPED)
        self.used.add(template)
        if not grouped:
            call = self._with_child(call)
            self._task(replace(spot, mapped_over=fanout.id), call, (fanout.id,))
            return call, (ident,)
        self.groups.append(PlannedGroup(id=ident, label=spot.name, parent=spot.group, mapped_over=fanout.id))
        call, sinks = self._mapped_group(replace(spot, group=ident, mapped=True), call, (fanout.id,))
        return self._with_loop_hooks(spot, call, (fanout.id,), sinks)

    def _mapped_group(self, spot: Spot, call: Call, upstream: Sinks) -> tuple[Call, Sinks]:
        if call.kind in COMPOSITES:
            body = self._steps if call.kind is CallKind.STEPS else self._dag
            groups, sinks = body(spot, call.id, call.template, upstream)
            call = replace(call, groups=groups)
        else:
            call = self._with_child(call)
            sinks = (self.names.beside(call.id, "run"),)
            self._task(spot, call, upstream)
            self.tasks[-1] = replace(self.tasks[-1], id=sinks[0])
        return self._with_hooks(spot, call, upstream, sinks)

    def _with_hooks(self, spot: Spot, call: Call, upstream: Sinks, sinks: Sinks) -> tuple[Call, Sinks]:
        """The call with its hooks. Of the turns of a dag's loop each has the exit handler only."""
        if not spot.stack:
            return call, sinks
        is_turn = spot.item is not None or call.loop is LoopKind.MAPPED
        watching = {} if is_turn and self._in_dag(spot) else expression_hooks(call.source)
        hooks, sinks = self._hooks(spot, call.source, watching, upstream, sinks)
        return replace(call, hooks=hooks), sinks

    def _with_loop_hooks(self, spot: Spot, loop: Call, upstream: Sinks, sinks: Sinks) -> tuple[Call, Sinks]:
        """A loop with the hooks that it has as a whole: in a dag template, where it is a node. Argo: dag.go, executeDAGTask."""
        if not self._in_dag(spot):
            return loop, sinks
        hooks, sinks = self._hooks(spot, loop.source, expression_hooks(loop.source), upstream, sinks)
        return replace(loop, loop_hooks=hooks), sinks

    def _in_dag(self, spot: Spot) -> bool:
        return bool(spot.stack) and self.template(spot.stack[-1]).get("dag") is not None

    def _hooks(
        self, spot: Spot, source: Json, watching: dict[str, Json], upstream: Sinks, sinks: Sinks
    ) -> tuple[tuple[Call, ...], Sinks]:
        """Expression hooks beside what they belong to, the exit handler after it."""
        scope, made, ends = spot.stack[-1], list[Call](), [sinks]
        around = replace(spot, mapped_over="", item=None)
        for name, hook in watching.items():
            where = replace(around, path=(*spot.path, "hooks", name), name=f"hooks.{name}")
            built, after = self._hook(where, scope, hook, sinks if waits_for_end(hook) else upstream)
            made.append(built)
            ends.append(after)
        exits = exit_hook(source)
        if exits is not None:
            where = replace(around, path=(*spot.path, "onExit"), name="onExit")
            built, after = self._hook(where, scope, exits, _union(ends))
            made.append(built)
            ends = [after]
        return tuple(made), _union(ends)

    def _hook(self, spot: Spot, scope: str, hook: Json, upstream: Sinks) -> tuple[Call, Sinks]:
        kept = ("template", "templateRef", "arguments", "expression")
        plain = {field: value for field, value in hook.items() if field in kept}
        return self.single(spot, self._called(scope, plain), plain, upstream)

    def _kind(self, spot: Spot, template: str) -> CallKind:
        """The template's kind, or CHILD for a composite that cannot unfold here."""
        body = self.template(template)
        kind = CallKind.CHILD if is_dynamic(template) else kind_of(body)
        if kind not in COMPOSITES or spot.child_root:
            return kind
        held = bool(body.get("synchronization") or body.get("memoize")) or bool(spot.path and self._has_daemon(template))
        loops_again = spot.mapped and self._has_mapped_loop(template)
        too_large = bool(spot.path) and self._size(template) > MOST_TASKS
        again = template in spot.stack or (spot.mapped and spot.limited)
        retried = strategy_of(body, self._spec) is not None
        return CallKind.CHILD if held or retried or again or loops_again or too_large else kind

    def _has_daemon(self, template: str) -> bool:
        """Whether a service of its own runs until it ends: as a run of its own it has a verdict, which ends the service."""
        called = (self._called(template, step) for step in members(self.template(template)))
        return any(not is_dynamic(key) and bool(self.template(key).get("daemon")) for key in called)

    def _has_mapped_loop(self, template: str) -> bool:
        body = self.template(template)
        return any(
            is_mapped(step, self._size(self._called(template, step)))
            or (loops(step) and _too_many(step, body.get("parallelism")))
            for step in members(body)
        )

    def _size(self, template: str, stack: tuple[str, ...] = ()) -> int:
        """About how many tasks a call of the template unfolds to, hooks aside."""
        if template in stack:
            return 1
        if template not in self._sizes:
            body = self.template(template)
            if kind_of(body) not in COMPOSITES:
                return 1
            total = 0
            for step in members(body):
                count = literal_count(step) if loops(step) else 1
                size = self._size(self._called(template, step), (*stack, template))
                total += size * (count if count is not None and count * size <= MOST_UNROLLED else 1)
            self._sizes[template] = total
        return self._sizes[template]


def _too_many(source: Json, parallelism: int | None) -> bool:
    """Whether a loop has more items than may run at a time: then it is mapped, for Airflow counts mapped tasks."""
    count = literal_count(source)
    return parallelism is not None and (count is None or count > parallelism)


def _union(sets: Iterable[Sinks]) -> Sinks:
    """All ids, each once, in order."""
    return tuple(dict.fromkeys(ident for sinks in sets for ident in sinks))
