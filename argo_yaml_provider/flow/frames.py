"""A composite that runs: Argo's boundary node.

In: nothing.  Out: `Frame`.
Must not know: the rules of steps and dags.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from argo_yaml_provider.flow.entries import Place
from argo_yaml_provider.plan.nodes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One instance of a steps or dag template."""

    place: Place
    node: str
    template: Json
    """Its inputs filled in, all tags replaced that can be."""
    variables: Mapping[str, Any]
    """`workflow.*` as it is seen here."""

    @property
    def key(self) -> tuple[str, int]:
        """What it is remembered by."""
        return self.place.key
