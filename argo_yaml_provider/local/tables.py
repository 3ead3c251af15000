"""What `kubectl get` prints: objects as the server's tables.

In: objects of one kind.  Out: a `Table`.
Must not know: the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from argo_yaml_provider.local.http import Request
from argo_yaml_provider.local.resources import Json, Resource

TABLE = "as=Table;v=v1;g=meta.k8s.io"

Cell = Callable[[Json], Any]


def wants_table(request: Request) -> bool:
    return "as=Table" in request.headers.get("accept", "")


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


# up to: the larger unit, and the smaller one where it still says something. Kubernetes: duration.go, HumanDuration
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_AGES = (
    (2 * _MINUTE, ("s", 1), None),
    (10 * _MINUTE, ("m", _MINUTE), ("s", 1)),
    (3 * _HOUR, ("m", _MINUTE), None),
    (8 * _HOUR, ("h", _HOUR), ("m", _MINUTE)),
    (48 * _HOUR, ("h", _HOUR), None),
    (8 * _DAY, ("d", _DAY), ("h", _HOUR)),
    (730 * _DAY, ("d", _DAY), None),
    (10**12, ("y", 365 * _DAY), None),
)


def render_age(text: str | None) -> str:
    """A duration as kubectl writes it."""
    if not text:
        return "<unknown>"
    seconds = max(0, int((datetime.now(UTC) - parse_time(text)).total_seconds()))
    (unit, size), smaller = next((large, small) for end, large, small in _AGES if seconds < end)
    rest = seconds % size // smaller[1] if smaller else 0
    return f"{seconds // size}{unit}" + (f"{rest}{smaller[0]}" if smaller and rest else "")


def _age(obj: Json) -> str:
    return render_age(obj["metadata"].get("creationTimestamp"))


def _statuses(pod: Json) -> list[Json]:
    return list(pod.get("status", {}).get("containerStatuses") or ())


def _ready(pod: Json) -> str:
    sidecars = [c["name"] for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
    beside = [s for s in pod.get("status", {}).get("initContainerStatuses") or () if s["name"] in sidecars]
    statuses = _statuses(pod) + beside
    return f"{sum(bool(s.get('ready')) for s in statuses)}/{len(pod['spec']['containers']) + len(sidecars)}"


def _container_word(state: Json) -> str:
    if waiting := state.get("waiting"):
        return str(waiting.get("reason") or "")
    if ended := state.get("terminated"):
        if ended.get("reason"):
            return str(ended["reason"])
        return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended['exitCode']}"
    return ""


def _init_word(pod: Json) -> str:
    """How far the init containers are, or nothing once they are through."""
    statuses = pod.get("status", {}).get("initContainerStatuses") or ()
    sidecars = {c["name"] for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"}
    for index, status in enumerate(statuses):
        state = status.get("state") or {}
        if status["name"] in sidecars and (status.get("started") or state.get("terminated")):
            continue
        if (state.get("terminated") or {}).get("exitCode") == 0:
            continue
        word = _container_word(state)
        if word and word not in {"PodInitializing", "ContainerCreating"}:
            return f"Init:{word}"
        return f"Init:{index}/{len(statuses)}"
    return ""


def pod_status(pod: Json) -> str:
    """The STATUS column, by the rules of Kubernetes' printer."""
    status = pod.get("status", {})
    word = str(status.get("reason") or status.get("phase") or "Unknown")
    words = (_container_word(s.get("state") or {}) for s in _statuses(pod))
    word = _init_word(pod) or next(filter(None, words), word)
    if word == "Completed" and any(s.get("ready") and "running" in s["state"] for s in _statuses(pod)):
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ())
        word = "Running" if ready else "NotReady"
    if "deletionTimestamp" in pod["metadata"] and status.get("phase") not in {"Succeeded", "Failed"}:
        word = "Terminating"
    return word


def _restarts(pod: Json) -> str:
    return str(sum(s.get("restartCount", 0) for s in _statuses(pod)))


def _images(containers: Sequence[Json]) -> str:
    return ",".join(c["image"] for c in containers)


def _spec(path: str) -> Cell:
    def cell(obj: Json) -> Any:
        value: Any = obj
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return "<none>" if value in (None, "") else value

    return cell


def _duration(job: Json) -> str:
    status = job.get("status", {})
    if "startTime" not in status:
        return ""
    end = parse_time(status["completionTime"]) if "completionTime" in status else datetime.now(UTC)
    return f"{int((end - parse_time(status['startTime'])).total_seconds())}s"


def _entries(config_map: Json) -> str:
    return str(len(config_map.get("data") or {}) + len(config_map.get("binaryData") or {}))


def _ports(service: Json) -> str:
    return ",".join(f"{p.get('port')}/{p.get('protocol', 'TCP')}" for p in service["spec"].get("ports") or ())


def _name(obj: Json) -> str:
    return str(obj["metadata"]["name"])


# plural: (column, cell, shown only by -o wide)
_COLUMNS: dict[str, tuple[tuple[str, Cell, bool], ...]] = {
    "pods": (
        ("Ready", _ready, False),
        ("Status", pod_status, False),
        ("Restarts", _restarts, False),
        ("Age", _age, False),
        ("IP", _spec("status.podIP"), True),
        ("Node", _spec("spec.nodeName"), True),
        ("Nominated Node", lambda _: "<none>", True),
        ("Readiness Gates", lambda _: "<none>", True),
    ),
    "namespaces": (("Status", _spec("status.phase"), False), ("Age", _age, False)),
    "nodes": (
        ("Status", lambda _: "Ready", False),
        ("Roles", lambda _: "<none>", False),
        ("Age", _age, False),
        ("Version", _spec("status.nodeInfo.kubeletVersion"), False),
    ),
    "configmaps": (("Data", _entries, False), ("Age", _age, False)),
    "secrets": (
        ("Type", lambda o: o.get("type", "Opaque"), False),
        ("Data", lambda o: str(len(o.get("data") or {})), False),
        ("Age", _age, False),
    ),
    "serviceaccounts": (("Secrets", lambda o: str(len(o.get("secrets") or ())), False), ("Age", _age, False)),
    "events": (
        ("Last Seen", lambda o: render_age(o.get("lastTimestamp")), False),
        ("Type", _spec("type"), False),
        ("Reason", _spec("reason"), False),
        ("Object", lambda o: f"{o['involvedObject'].get('kind', '').lower()}/{o['involvedObject'].get('name', '')}", False),
        ("Message", _spec("message"), False),
    ),
    "jobs": (
        ("Status", lambda o: next((c["type"] for c in o.get("status", {}).get("conditions") or ()), "Running"), False),
        ("Completions", lambda o: f"{o.get('status', {}).get('succeeded', 0)}/{o['spec'].get('completions', 1)}", False),
        ("Duration", _duration, False),
        ("Age", _age, False),
    ),
    "persistentvolumeclaims": (
        ("Status", _spec("status.phase"), False),
        ("Volume", _spec("spec.volumeName"), False),
        ("Capacity", _spec("status.capacity.storage"), False),
        ("Access Modes", lambda o: ",".join(o["spec"].get("accessModes") or ()), False),
        ("StorageClass", _spec("spec.storageClassName"), False),
        ("Age", _age, False),
    ),
    "services": (
        ("Type", _spec("spec.type"), False),
        ("Cluster-IP", _spec("spec.clusterIP"), False),
        ("Port(s)", _ports, False),
        ("Age", _age, False),
    ),
}
_OTHERS: tuple[tuple[str, Cell, bool], ...] = (("Age", _age, False),)


def render_table(resource: Resource, items: list[Json], meta: Json, include: str) -> Json:
    """A Table of objects; each row carries its object as `includeObject` asks."""
    columns = (("Name", _name, False), *_COLUMNS.get(resource.plural, _OTHERS))
    definitions = [
        {"name": name, "type": "string", "format": "name" if name == "Name" else "", "description": "", "priority": int(wide)}
        for name, _, wide in columns
    ]
    rows = [{"cells": [cell(obj) for _, cell, _ in columns], "object": _row_object(obj, include)} for obj in items]
    kept = {k: meta[k] for k in ("resourceVersion", "continue", "remainingItemCount") if k in meta}
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": kept, "columnDefinitions": definitions, "rows": rows}


def _row_object(obj: Json, include: str) -> Json | None:
    if include == "None":
        return None
    if include == "Object":
        return obj
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
