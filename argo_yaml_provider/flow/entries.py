"""How a call came to run, or why it did not.

In: nothing.  Out: the small values that the rules of steps and dags hand to the engine.
Must not know: how they are worked out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.plan.items import Turn
from argo_yaml_provider.plan.nodes import Call, Json


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One instance of a call: the call, and its index in the mapped loop it lies in (-1: it lies in none).

    A mapped loop itself has the index -1, its turns 0, 1, ….
    """

    call: Call
    index: int

    @property
    def key(self) -> tuple[str, int]:
        """What it is remembered by."""
        return self.call.id, self.index


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Argo would never have created this node."""

    reason: str
    wrong: bool = False
    """Of a hook: its expression or its arguments are wrong, which its step answers for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A node that exists but ran no template."""

    node: str
    phase: Phase
    message: str
    raised: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The template is called: with these arguments, under this name."""

    node: str
    step: Json
    """The step with references and item resolved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """A looping step after its items were read."""

    node: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A template with all its tags filled in, about to run or having run."""

    place: Place
    node: str
    step: Json
    template: Json
    variables: Mapping[str, Any] = field(default_factory=dict)
    """`workflow.*` as this call sees it."""
    wrong: str = ""
    """What Argo finds wrong once it looks at the node again: then that is an Error, and so is what it lies in."""


Entry = Started | Stopped | Absent
