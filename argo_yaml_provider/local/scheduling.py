"""The one node, and whether a pod may run on it.

In: a pod, the node.  Out: the node object; why a pod does not fit.
Must not know: the store.
"""

from __future__ import annotations

import os
import platform

from argo_yaml_provider.local.resources import Json

NODE = "embedded"


def capacity() -> Json:
    """What the node offers."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"cpu": str(os.cpu_count() or 1), "memory": f"{pages // 1024}Ki", "pods": "10000", "ephemeral-storage": "100Gi"}


def build_node(mode: str) -> Json:
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    system = platform.system().lower()
    labels = {f"{prefix}kubernetes.io/{k}": v for prefix in ("", "beta.") for k, v in (("os", system), ("arch", arch))}
    labels |= {"kubernetes.io/hostname": NODE, "argo-yaml/sandbox": mode}
    info = {
        "architecture": arch,
        "operatingSystem": system,
        "kernelVersion": platform.release(),
        "osImage": platform.platform(terse=True),
        "kubeletVersion": "v1.34.0+embedded",
        "containerRuntimeVersion": f"processes://{mode}",
    }
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}
    room = capacity()
    status = {"capacity": room, "allocatable": room, "nodeInfo": info, "conditions": [ready]}
    status["addresses"] = [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": NODE}]
    return {"metadata": {"name": NODE, "labels": labels}, "spec": {}, "status": status}


def unfit(pod: Json, node: Json) -> str:
    """Why the pod can't run on the node, in the scheduler's words; nothing where it can."""
    spec, labels = pod["spec"], node["metadata"]["labels"]
    if spec.get("nodeName") not in (None, node["metadata"]["name"]):
        return f'0/1 nodes are available: there is no node "{spec["nodeName"]}".'
    wrong = {k: v for k, v in (spec.get("nodeSelector") or {}).items() if labels.get(k) != v}
    if wrong or not _affinity_fits(spec, labels):
        return "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    return ""


def _affinity_fits(spec: Json, labels: dict[str, str]) -> bool:
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (node.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms")
    if terms is None:
        return True
    return any(all(_holds(e, labels) for e in term.get("matchExpressions") or ()) for term in terms)


def _holds(expression: Json, labels: dict[str, str]) -> bool:
    value = labels.get(expression["key"])
    values: list[str] = expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as word:
            return value is not None and (int(value) > int(values[0])) is (word == "Gt")
    return False
