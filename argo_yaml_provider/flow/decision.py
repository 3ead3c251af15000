"""What a task that is about to run should do, as the flow sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

from argo_yaml_provider.flow.outcome import Outcome
from argo_yaml_provider.plan.nodes import CallKind, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Either `outcome` (nothing to run: skipped, omitted, absent, an error) or everything a pod needs."""

    outcome: Outcome | None = None
    kind: CallKind = CallKind.POD
    node: str = ""
    """Argo's full node name of this attempt: `wf[0].step(0:item)`, with `(n)` of the attempt under a retryStrategy."""
    template: Json = field(default_factory=dict)
    """The called template with all tags substituted, inputs with their values; Argo's JSON."""
    workflow: Json = field(default_factory=dict)
    """The workflow's spec (without templates), substituted: volumes, podMetadata, podSpecPatch, … of every pod."""
    variables: Json = field(default_factory=dict)
    """`workflow.*` by flat name, for what the namespace says rather than the workflow: an artifact repository's key format."""
    boundary: Json = field(default_factory=dict)
    """The enclosing steps/dag template's nodeSelector, tolerations, affinity, where the template has none of its own."""
    include_result: bool = False
    """Whether stdout is to be captured: only where something refers to it."""
    attempt: int = 0
    deadline_seconds: float | None = None
    """Seconds the pod may run from now on: the least of template, retry and workflow deadlines."""
    child: str = ""
    """Of a CHILD: the key in plan.children."""
    child_conf: Json = field(default_factory=dict)
    """Of a CHILD: what the child run's RunFacts take over: {"inputs", "globals", "node", "depth"}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """What follows a failed attempt: another after `delay` seconds, or (None) the end, with the node's phase and message."""

    delay: float | None
    outcome: Outcome
    """The task's outcome if nothing more is tried."""
