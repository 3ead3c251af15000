"""Save edges: where m tasks precede n others, one join in between makes m + n edges of m x n.

In: tasks with their upstreams.  Out: the same, with joins, in topological order.
Must not know: calls, templates.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from argo_yaml_provider.plan.names import Names
from argo_yaml_provider.plan.nodes import PlannedGroup, PlannedTask, TaskKind

Upstream = tuple[str, ...]


def with_joins(tasks: Sequence[PlannedTask], groups: Sequence[PlannedGroup], names: Names) -> tuple[PlannedTask, ...]:
    """The tasks, each set of upstreams that several share replaced by a join where that saves edges."""
    users: defaultdict[Upstream, list[PlannedTask]] = defaultdict(list)
    for task in tasks:
        users[task.upstream].append(task)
    place = _Places(tasks, groups)
    joins: dict[Upstream, PlannedTask] = {}
    made: list[PlannedTask] = []
    for task in tasks:
        shared, upstream = users[task.upstream], task.upstream
        if len(upstream) * len(shared) <= len(upstream) + len(shared):
            made.append(task)
            continue
        if upstream not in joins:
            joins[upstream] = _join(shared, upstream, place, names)
            made.append(joins[upstream])
        made.append(replace(task, upstream=(joins[upstream].id,)))
    return tuple(made)


def _join(shared: list[PlannedTask], upstream: Upstream, place: _Places, names: Names) -> PlannedTask:
    group = place.common([*(task.group for task in shared), *(place.of[task] for task in upstream)])
    return PlannedTask(id=names.beside(shared[0].id, "join"), label="", kind=TaskKind.JOIN, group=group, upstream=upstream)


class _Places:
    """Which group each task lies in, and what groups have in common."""

    def __init__(self, tasks: Sequence[PlannedTask], groups: Sequence[PlannedGroup]) -> None:
        self.of = {task.id: task.group for task in tasks}
        self._parents = {group.id: group.parent for group in groups}

    def common(self, groups: Sequence[str]) -> str:
        """The innermost group that holds all of these."""
        paths = [self._path(group) for group in set(groups)]
        shared = ""
        for level in zip(*paths, strict=False):
            if len(set(level)) > 1:
                break
            shared = level[0]
        return shared

    def _path(self, group: str) -> list[str]:
        path: list[str] = []
        while group:
            path.append(group)
            group = self._parents[group]
        return path[::-1]
