"""How long a pod may stay as it is: what the kubelet does not enforce, because the pod has not started or its node is lost.

In: a pod, its decision.  Out: seconds from now, and the end that comes after them; None: no limit.
Argo: workflow/controller/operator.go, checkTemplateTimeouts, failNodesWithoutCreatedPodsAfterDeadlineOrShutdown.
Must not know: HTTP, Airflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.flow.retry import parse_duration
from argo_yaml_provider.step.outcome import End

Json = dict[str, Any]

LOST_SECONDS = 120.0
"""How much later than its grace period a deleted pod may go before its node is taken for lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The end of what a pod may take."""

    seconds: float
    end: End


def limit_of(pod: Json, decision: Decision) -> Limit | None:
    """The limit that holds for the pod now."""
    metadata = pod["metadata"]
    if deleted := metadata.get("deletionTimestamp"):
        return _limit(deleted, LOST_SECONDS, Phase.ERROR, "pod deleted")
    if pod.get("status", {}).get("phase") not in (None, "Pending"):
        return None
    waits = [wait for wait in (_pending_timeout(decision), _deadline(pod, decision)) if wait is not None]
    if not waits or "creationTimestamp" not in metadata:
        return None
    return _limit(metadata["creationTimestamp"], min(waits), Phase.FAILED, "Step exceeded its deadline")


def _limit(since: str, seconds: float, phase: Phase, message: str) -> Limit:
    now = datetime.now(UTC)
    left = seconds - (now - datetime.fromisoformat(since)).total_seconds()
    at = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Limit(seconds=max(0.0, left), end=End(phase=phase, message=message, at=at))


def _pending_timeout(decision: Decision) -> float | None:
    timeout = decision.template.get("pendingTimeout")
    return parse_duration(str(timeout)) / 1e9 if timeout else None


def _deadline(pod: Json, decision: Decision) -> float | None:
    """The pod's deadline, where waiting counts too: a template's activeDeadlineSeconds begins only when the pod does."""
    deadline: float | None = pod.get("spec", {}).get("activeDeadlineSeconds")
    own = decision.template.get("activeDeadlineSeconds")
    only_own = not decision.template.get("timeout") and own is not None and str(deadline) == str(own)
    return None if only_own else deadline
