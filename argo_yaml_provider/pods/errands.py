"""Pods outside of any step that do something with artifacts: bring them where they can be read, delete them.

In: artifacts with whole locations, the deployment's settings.  Out: manifests, plain dicts.
Must not know: Airflow, Kubernetes' API, workflows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from argo_yaml_provider.artifacts.containers import INPUTS, Moved, delete_containers, fetch_containers
from argo_yaml_provider.artifacts.transports import mounts_of
from argo_yaml_provider.pods.names import ATTEMPT_LABEL
from argo_yaml_provider.pods.patch import merge_pod_spec, read_patch
from argo_yaml_provider.pods.settings import PodSettings

Json = dict[str, Any]

DELETED = "artifact-gc"
HELD = "hold"
"""The container that keeps what was fetched until it is read."""
_VOLUME = "artifacts"
_LONGEST = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """How such a pod looks, whatever it does."""

    name: str
    namespace: str
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    service_account: str | None = None
    patch: str = ""


def fetching_errand(errand: Errand, artifacts: Sequence[Json], settings: PodSettings) -> Json:
    """A pod with each artifact, as its store has it, at INPUTS/INDEX (from 1 on) of its container `hold`."""
    moved = [
        Moved(index=index, artifact={**_plain(one), "archive": {"none": {}}}, path=f"{INPUTS}/{index}")
        for index, one in enumerate(artifacts, start=1)
    ]
    mount = {"name": _VOLUME, "mountPath": INPUTS}
    hold = {
        "name": HELD,
        "image": settings.supervisor_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/busybox", "sleep", str(_LONGEST)],
        "volumeMounts": [mount],
    }
    spec = {
        "initContainers": [_finished(one, [mount], moved) for one in fetch_containers(moved, settings.tools)],
        "containers": [hold],
        "volumes": [{"name": _VOLUME, "emptyDir": {}}, *_volumes(moved)],
    }
    return _pod(errand, spec, settings)


def deleting_errand(errand: Errand, artifacts: Sequence[Json], settings: PodSettings) -> Json:
    """A pod that deletes artifacts; what it could not, the termination messages of its containers say, by index from 1 on."""
    moved = [Moved(index=index, artifact=_plain(one), path="") for index, one in enumerate(artifacts, start=1)]
    containers = [_finished(one, [], moved) for one in delete_containers(moved, settings.tools)]
    return _pod(errand, {"containers": containers, "volumes": _volumes(moved)}, settings)


def digest_of(value: object) -> str:
    """A few letters that stand for a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:10]


def _plain(artifact: Json) -> Json:
    return {name: value for name, value in artifact.items() if name not in ("mode", "recurseMode", "optional", "archive")}


def _finished(container: Json, mounts: list[Json], moved: Sequence[Moved]) -> Json:
    stores = {mount["name"]: mount for one in moved for mount, _ in mounts_of(one.artifact)}
    own = list(stores.values()) if container["tool"] == "sh" else []
    plain = {name: value for name, value in container.items() if name != "tool"}
    return {**plain, "imagePullPolicy": "IfNotPresent", "volumeMounts": [*mounts, *own]}


def _volumes(moved: Sequence[Moved]) -> list[Json]:
    sources = {mount["name"]: source for one in moved for mount, source in mounts_of(one.artifact)}
    return [{"name": name, **source} for name, source in sources.items()]


def _pod(errand: Errand, spec: Json, settings: PodSettings) -> Json:
    base = settings.pod_template or {}
    under = {name: value for name, value in (base.get("spec") or {}).items() if name not in ("containers", "initContainers")}
    spec = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": _LONGEST,
        "terminationGracePeriodSeconds": 0,
        "serviceAccountName": errand.service_account or settings.service_account,
        **spec,
    }
    spec = merge_pod_spec(under, {name: value for name, value in spec.items() if value not in (None, [])})
    if errand.patch:
        spec = merge_pod_spec(spec, read_patch(errand.patch))
    metadata = {
        "name": errand.name,
        "namespace": errand.namespace,
        "labels": {**(settings.labels or {}), **errand.labels, ATTEMPT_LABEL: "errand"},
        "annotations": errand.annotations,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
