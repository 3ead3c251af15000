"""What all tasks of a run find alike, worked out once: of plan and facts alone, without a look at any outcome.

A task of a dag of five hundred would else fill in the whole dag to find out what it is to do.
In: Plan, RunFacts.  Out: `Ground`, which flows of one run share; `Watched`, a source that tells whether it was asked.
Must not know: what is worked out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from argo_yaml_provider.flow.facts import RunFacts, Source
from argo_yaml_provider.flow.outcome import Outcome
from argo_yaml_provider.flow.tree import CallTree
from argo_yaml_provider.plan.nodes import Json, Plan

_KEPT = 32
"""Runs."""


@dataclass(kw_only=True)
class Ground:
    """Of one run of one plan."""

    plan: Plan
    facts: RunFacts
    known: dict[Hashable, Any] = field(default_factory=dict)

    @cached_property
    def tree(self) -> CallTree:
        """Where every call stands."""
        return CallTree(self.plan)


def ground_of(plan: Plan, facts: RunFacts) -> Ground:
    """The ground of a run, kept while this process has to do with few others."""
    key = facts.uid, facts.name, facts.node
    found = _GROUNDS.pop(key, None)
    if found is None or found.plan is not plan or found.facts != facts:
        found = Ground(plan=plan, facts=facts)
    _GROUNDS[key] = found
    while len(_GROUNDS) > _KEPT:
        _GROUNDS.popitem(last=False)
    return found


_GROUNDS: OrderedDict[tuple[str, str, str], Ground] = OrderedDict()


class Watched:
    """A source that counts the questions."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.asked = 0

    def outcome(self, task_id: str, map_index: int) -> Outcome | None:
        self.asked += 1
        return self._source.outcome(task_id, map_index)

    def config_map(self, name: str, key: str) -> str | None:
        self.asked += 1
        return self._source.config_map(name, key)

    def has_limit(self, namespace: str, semaphore: str, since: str) -> bool:
        self.asked += 1
        return self._source.has_limit(namespace, semaphore, since)

    def claims_refused(self, claims: str, since: str, /) -> str:
        self.asked += 1
        return self._source.claims_refused(claims, since)

    def child_nodes(self, dag_id: str, run_id: str) -> list[Json]:
        self.asked += 1
        return self._source.child_nodes(dag_id, run_id)
