"""A daemon's step is over once its pod serves; the pod goes on until the run ends.

In: pods.  Out: whether one serves, and the attempt that it then is.
Must not know: hosts, who ends the pod. Argo: workflow/controller/operator.go, assessNodeStatus.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.step.outcome import End

Json = dict[str, Any]


def is_serving(pod: Json) -> bool:
    """Running, and every container ready."""
    status = pod.get("status", {})
    return status.get("phase") == "Running" and all(one.get("ready") for one in status.get("containerStatuses", ()))


def daemoned(pod: Json) -> Attempt:
    """A daemon has no outputs but its address."""
    status, created = pod["status"], pod["metadata"].get("creationTimestamp", "")
    ready = (one["lastTransitionTime"] for one in status.get("conditions", ()) if one["type"] == "Ready")
    return Attempt(
        phase=Phase.SUCCEEDED,
        pod=pod["metadata"]["name"],
        pod_ip=status.get("podIP", ""),
        host_node=pod.get("spec", {}).get("nodeName", ""),
        started_at=created,
        finished_at=next(ready, None) or created,
        daemoned=True,
    )


def end_of_daemon(end: End) -> End:
    """One that ends of itself before it served has failed, whatever its exit code."""
    return replace(end, phase=Phase.FAILED) if end.phase == Phase.SUCCEEDED else end
