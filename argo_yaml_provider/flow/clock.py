"""Clock and dice of a run: the same for every task that works out the same node.

In: RunFacts, a node's name.  Out: a context in which expressions are evaluated; times as numbers.
Must not know: who asks.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime

from argo_yaml_provider.expr import instant
from argo_yaml_provider.flow.facts import RunFacts

SECOND = 1_000_000_000


def fixed(facts: RunFacts, node: str) -> AbstractContextManager[None]:
    """Time stands still at the workflow's creation, and the dice are the node's own."""
    return instant.fixed(nanoseconds(facts.created_at), f"{facts.uid}\n{node}")


def nanoseconds(moment: str) -> int:
    """An RFC 3339 time as nanoseconds since 1970; 0 for ''."""
    if not moment:
        return 0
    parsed = datetime.fromisoformat(moment)
    return int(parsed.timestamp()) * SECOND + parsed.microsecond * 1000


def rfc3339(moment: datetime) -> str:
    """UTC, to the second, as Kubernetes writes times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
