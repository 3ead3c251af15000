"""Where every call of a plan stands: its parent, its tasks.

In: Plan.  Out: `CallTree`, look-ups by id.
Must not know: outcomes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from argo_yaml_provider.plan.nodes import Call, LoopKind, Plan, PlannedTask, TaskKind


class Stand(NamedTuple):
    """A call's place in the tree."""

    call: Call
    parent: Call | None
    """The composite, loop or hooked call it belongs to; None for the root, the exit handler and workflow hooks."""
    role: str
    """`root`, `member`, `turn`, `hook`."""
    group: int = 0
    """Of a member of a steps template: its group."""


class CallTree:
    """Look-ups over one plan."""

    def __init__(self, plan: Plan) -> None:
        self.stands: dict[str, Stand] = {}
        for top in (plan.root, *((plan.on_exit,) if plan.on_exit else ()), *plan.hooks):
            self._add(Stand(top, None, "root"))
        self.tasks = {task.id: task for task in plan.tasks}
        self.step_tasks = {task.call: task for task in plan.tasks if task.kind is TaskKind.STEP}
        self._own_tasks: dict[str, tuple[str, ...]] = {}
        self.fanouts = {task.call: task for task in plan.tasks if task.kind is TaskKind.FANOUT}

    def _add(self, stand: Stand) -> None:
        pending = [stand]
        while pending:
            here = pending.pop()
            self.stands[here.call.id] = here
            pending += self._below(here.call)

    def _below(self, call: Call) -> Iterator[Stand]:
        for turn in call.turns:
            yield Stand(turn, call, "turn")
        for number, group in enumerate(call.groups):
            for member in group:
                yield Stand(member, call, "member", number)
        for hook in (*call.hooks, *call.loop_hooks):
            yield Stand(hook, call, "hook")

    def tasks_of(self, call: Call) -> tuple[str, ...]:
        """The tasks of a call and of all below it, hooks included, in the plan's order."""
        if call.id not in self._own_tasks:
            below = {call.id}
            pending = [call]
            while pending:
                more = [stand.call for stand in self._below(pending.pop())]
                below.update(one.id for one in more)
                pending += more
            self._own_tasks[call.id] = tuple(t.id for t in self.tasks.values() if t.call in below)
        return self._own_tasks[call.id]

    def before(self, task: str) -> frozenset[str]:
        """All tasks that have ended when this one starts."""
        found: set[str] = set()
        pending = [task]
        while pending:
            new = [one for one in self.tasks[pending.pop()].upstream if one not in found]
            found.update(new)
            pending += new
        return frozenset(found)

    def parent(self, call: Call) -> Call | None:
        """The call that this one belongs to."""
        return self.stands[call.id].parent

    def task(self, call: Call) -> PlannedTask:
        """The task that runs a leaf."""
        return self.step_tasks[call.id]


def hooks_of(call: Call, index: int) -> tuple[Call, ...]:
    """The hooks of what stands at this place."""
    return call.loop_hooks if is_loop(call, index) else call.hooks


def is_loop(call: Call, index: int) -> bool:
    """Whether the place is a loop as a whole, not one of its turns."""
    return call.loop is LoopKind.UNROLLED or (call.loop is LoopKind.MAPPED and index < 0)
