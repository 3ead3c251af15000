"""Secrets that are made with a pod, from what the deployment keeps elsewhere, and that go when the pod goes.

In: a manifest whose containers refer to a connection's Secret.  Out: the manifest with a name of the pod's own in its
place, and that Secret, which the pod owns.
Must not know: Airflow, what is in a Secret.
"""

from __future__ import annotations

import json
from typing import Any

from argo_yaml_provider.artifacts.transport import CONNECTION

Json = dict[str, Any]


def connections_of(manifest: Json) -> dict[str, str]:
    """The connections that the pod needs, each with the name of the Secret that will hold it."""
    spec, name = manifest.get("spec") or {}, manifest["metadata"]["name"]
    found = []
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        for entry in container.get("env") or ():
            wanted = ((entry.get("valueFrom") or {}).get("secretKeyRef") or {}).get("name") or ""
            if wanted.startswith(CONNECTION):
                found.append(wanted.removeprefix(CONNECTION))
    return {one: f"{name}-store{number or ''}" for number, one in enumerate(dict.fromkeys(found))}


def with_own_secrets(manifest: Json, secrets: dict[str, str]) -> Json:
    """The manifest with their names in place of the connections'."""
    if not secrets:
        return manifest
    text = json.dumps(manifest)
    for connection, secret in secrets.items():
        text = text.replace(json.dumps(f"{CONNECTION}{connection}"), json.dumps(secret))
    changed: Json = json.loads(text)
    return changed


def own_secret(pod: Json, name: str, values: dict[str, str]) -> Json:
    """The Secret."""
    metadata = pod["metadata"]
    owner = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": metadata["namespace"], "ownerReferences": [owner]},
        "stringData": values,
    }
