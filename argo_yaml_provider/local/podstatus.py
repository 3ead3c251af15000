"""A pod's status from its containers' records, by the kubelet's rules.

In: a pod and a `Record` per container.  Out: the `status` object.
Must not know: processes, the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from argo_yaml_provider.local.resources import Json
from argo_yaml_provider.local.store import now

_MESSAGES = 12 * 1024


@dataclass(slots=True, kw_only=True)
class Record:
    """What is known of one container, through all its lives."""

    spec: Json
    kind: str
    """`init`, `sidecar` or `main`."""
    state: Json
    last: Json = field(default_factory=dict)
    ready: bool = False
    started: bool = False
    begun: bool = False
    """A sidecar that has been started once; init containers after it may run."""
    restarts: int = 0
    id: str = ""

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def ended(self) -> Json | None:
        return self.state.get("terminated")

    @property
    def running(self) -> bool:
        return "running" in self.state


def records_of(pod: Json) -> list[Record]:
    """A record for every container, none of them begun."""
    spec = pod["spec"]
    found = []
    for container in spec.get("initContainers") or ():
        kind = "sidecar" if container.get("restartPolicy") == "Always" else "init"
        found.append(Record(spec=container, kind=kind, state={"waiting": {"reason": "PodInitializing"}}))
    reason = "PodInitializing" if found else "ContainerCreating"
    found += [Record(spec=c, kind="main", state={"waiting": {"reason": reason}}) for c in spec["containers"]]
    return found


def _container_status(record: Record, most: int) -> Json:
    status: Json = {
        "name": record.name,
        "image": record.spec["image"],
        "imageID": f"embedded://{record.spec['image']}" if record.id else "",
        "state": _cut(record.state, most),
        "lastState": _cut(record.last, most),
        "ready": record.ready or (record.kind == "init" and (record.ended or {}).get("exitCode") == 0),
        "started": record.started and record.running,
        "restartCount": record.restarts,
    }
    if record.id:
        status["containerID"] = record.id
    return status


def initialized(records: Iterable[Record]) -> bool:
    """Whether every init container has succeeded and every sidecar has started."""
    return all(r.begun if r.kind == "sidecar" else (r.ended or {}).get("exitCode") == 0 for r in records if r.kind != "main")


def phase_of(policy: str, records: Sequence[Record]) -> str:
    """Pending, Running, Succeeded or Failed. Kubernetes: kubelet_pods.go, getPhase."""
    failed_init = any(r.kind == "init" and r.ended and r.ended["exitCode"] != 0 for r in records)
    if failed_init and policy == "Never":
        return "Failed"
    if not initialized(records):
        return "Pending"
    main = [r for r in records if r.kind == "main"]
    if any("waiting" in r.state and not r.last for r in main):
        return "Pending"
    sidecars_run = any(r.kind == "sidecar" and r.running for r in records)
    if any(not r.ended for r in main) or policy == "Always" or sidecars_run:
        return "Running"
    if all(r.ended and r.ended["exitCode"] == 0 for r in main):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def build_status(pod: Json, records: Sequence[Record], *, phase: str, ip: str, reason: str = "", message: str = "") -> Json:
    """The whole status; conditions keep the time at which they last changed."""
    old = pod.get("status") or {}
    status: Json = {"phase": phase, "qosClass": _qos(pod), "startTime": old.get("startTime") or now()}
    if reason:
        status |= {"reason": reason, "message": message}
    status |= {"hostIP": ip, "hostIPs": [{"ip": ip}], "podIP": ip, "podIPs": [{"ip": ip}]}
    status["conditions"] = _conditions(old.get("conditions") or (), _truths(records, phase))
    most = _MESSAGES // len(records)
    inits = [_container_status(r, most) for r in records if r.kind != "main"]
    if inits:
        status["initContainerStatuses"] = inits
    status["containerStatuses"] = [_container_status(r, most) for r in records if r.kind == "main"]
    return status


def _cut(state: Json, most: int) -> Json:
    """The containers of a pod share 12 KiB of termination messages. Kubernetes: status_manager.go, normalizeStatus."""
    ended = state.get("terminated") or {}
    message = ended.get("message", "").encode()
    if len(message) <= most:
        return state
    return {"terminated": {**ended, "message": message[:most].decode(errors="ignore")}}


def _qos(pod: Json) -> str:
    resources = [c.get("resources") or {} for c in pod["spec"]["containers"]]
    if not any(r.get("requests") or r.get("limits") for r in resources):
        return "BestEffort"
    pairs = [(r.get("limits") or {}, r.get("requests")) for r in resources]
    guaranteed = all({"cpu", "memory"} <= set(limits) and (asked or limits) == limits for limits, asked in pairs)
    return "Guaranteed" if guaranteed else "Burstable"


def _truths(records: Sequence[Record], phase: str) -> dict[str, tuple[bool, str, str]]:
    done = phase in {"Succeeded", "Failed"}
    unready = [r.name for r in records if r.kind == "main" and not r.ready]
    reason, message = "", ""
    if phase == "Succeeded":
        reason = "PodCompleted"
    elif phase == "Failed":
        reason = "PodFailed"
    elif unready:
        reason, message = "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
    begun = initialized(records)
    behind = [r.name for r in records if not initialized([r])]
    unbegun = "" if begun else "ContainersNotInitialized"
    incomplete = "" if begun else f"containers with incomplete status: [{' '.join(behind)}]"
    return {
        "PodReadyToStartContainers": (not done, "", ""),
        "Initialized": (begun, "PodCompleted" if phase == "Succeeded" else unbegun, incomplete),
        "Ready": (not done and not unready, reason, message),
        "ContainersReady": (not done and not unready, reason, message),
        "PodScheduled": (True, "", ""),
    }


def _conditions(old: Iterable[Json], truths: dict[str, tuple[bool, str, str]]) -> list[Json]:
    before = {c["type"]: c for c in old}
    conditions = []
    for kind, (true, reason, message) in truths.items():
        word = str(true)
        earlier = before.get(kind) or {}
        since = earlier.get("lastTransitionTime") if earlier.get("status") == word else None
        condition: Json = {"type": kind, "status": word, "lastProbeTime": None, "lastTransitionTime": since or now()}
        conditions.append(condition | ({"reason": reason} if reason else {}) | ({"message": message} if message else {}))
    return conditions
