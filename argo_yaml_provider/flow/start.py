"""Whether the workflow as a whole may begin: it has its semaphores, and the claims that it asks for.

In: the spec's own fields, their tags replaced.  Out: how the workflow ends without a node, if it may not.
Must not know: steps. Argo: operator.go, operate, until its first node.
"""

from __future__ import annotations

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.flow.facts import RunFacts, Source
from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.flow.semaphores import without_limit
from argo_yaml_provider.plan.nodes import Json

ASKED = ("synchronization", "volumeClaimTemplates")


def refused(spec: Json, facts: RunFacts, source: Source) -> Outcome | None:
    """How it ended; None: it may begin. A child run begins as its parent did."""
    if facts.depth:
        return None
    if wrong := without_limit(spec.get("synchronization"), facts, source):
        return Outcome(phase=Phase.FAILED, message=f"Failed to acquire the synchronization lock. {wrong}")
    claims = spec.get("volumeClaimTemplates")
    if claims and (wrong := source.claims_refused(gojson.dumps(claims), facts.restarted_at)):
        return Outcome(phase=Phase.ERROR, message=f"pvc create error: {wrong}")
    return None
