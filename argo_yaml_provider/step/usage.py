"""What a pod used, as Argo counts it: of each resource, what its containers asked for, times the seconds they ran.

In: a pod that has ended.  Out: whole numbers by resource: 1 is one core, 100 MiB of memory, or 10 GiB of storage for a second.
Must not know: why it is asked. Argo: util/resource/duration.go, summary.go.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from argo_yaml_provider.flow.clock import SECOND, nanoseconds
from argo_yaml_provider.flow.measuring import measures_resources
from argo_yaml_provider.plan.nodes import Plan

Json = dict[str, Any]

_DEFAULTS = {"cpu": "100m", "memory": "100Mi"}
_UNITS = {"memory": "100Mi", "storage": "10Gi", "ephemeral-storage": "10Gi"}
_SUFFIXES = {
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)},
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
}


def asks_for_usage(plan: Plan) -> bool:
    """Whether a metric of the plan speaks of it."""
    return measures_resources(plan.workflow, plan.templates)


def used(pod: Json) -> dict[str, int]:
    """By resource; containers that have not ended count nothing."""
    spec, status = pod.get("spec", {}), pod.get("status", {})
    containers = [*spec.get("initContainers", ()), *spec.get("containers", ())]
    states = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    seconds = {state["name"]: _seconds(state.get("state", {}).get("terminated")) for state in states}
    total: dict[str, int] = {}
    for container in containers:
        resources = container.get("resources") or {}
        asked = {**_DEFAULTS, **(resources.get("limits") or {}), **(resources.get("requests") or {})}
        for name, quantity in asked.items():
            unit = _quantity(_UNITS.get(name, "1"))
            total[name] = total.get(name, 0) + int(_quantity(quantity) * seconds.get(container["name"], 0) / unit)
    return total


def _seconds(terminated: Json | None) -> int:
    start, end = ((terminated or {}).get(when) or "" for when in ("startedAt", "finishedAt"))
    return (nanoseconds(end) - nanoseconds(start)) // SECOND if start and end else 0


def _quantity(text: object) -> Decimal:
    """A Kubernetes quantity, which the API server has already found right."""
    written = str(text)
    suffix = next((suffix for suffix in _SUFFIXES if written.endswith(suffix)), "")
    return Decimal(written.removesuffix(suffix)) * _SUFFIXES.get(suffix, Decimal(1))
