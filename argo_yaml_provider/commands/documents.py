"""The Kubernetes documents that lie beside a workflow: ConfigMaps, Secrets and what else it may count on.

In: paths.  Out: objects, and the same in a cluster that is thrown away afterwards. Never applied to a user's own cluster.
Must not know: workflows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argo_yaml_provider.step.kube import Kube

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """Where objects of a kind live."""

    prefix: str
    plural: str
    namespaced: bool = True


KINDS = {
    "Namespace": Kind("/api/v1", "namespaces", namespaced=False),
    "ConfigMap": Kind("/api/v1", "configmaps"),
    "Secret": Kind("/api/v1", "secrets"),
    "ServiceAccount": Kind("/api/v1", "serviceaccounts"),
    "Service": Kind("/api/v1", "services"),
    "PersistentVolume": Kind("/api/v1", "persistentvolumes", namespaced=False),
    "PersistentVolumeClaim": Kind("/api/v1", "persistentvolumeclaims"),
    "LimitRange": Kind("/api/v1", "limitranges"),
    "ResourceQuota": Kind("/api/v1", "resourcequotas"),
    "Role": Kind("/apis/rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": Kind("/apis/rbac.authorization.k8s.io/v1", "rolebindings"),
    "ClusterRole": Kind("/apis/rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False),
    "ClusterRoleBinding": Kind("/apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False),
}
"""What may be applied, in this order."""
_MENTIONED = re.compile(rb"(?:^|[{,])\s*[\"']?kind[\"']?\s*:\s*[\"']?(" + "|".join(KINDS).encode() + rb")\b", re.MULTILINE)


def find_documents(paths: Iterable[Path]) -> list[Json]:
    """All such objects in these files and folders; a file that cannot be read is somebody else's to complain of."""
    found: dict[tuple[str, str], Json] = {}
    for path in _files(paths):
        for document in _read(path):
            found.setdefault((document["kind"], document["metadata"]["name"]), document)
    order = list(KINDS)
    return sorted(found.values(), key=lambda document: order.index(document["kind"]))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """A file; a folder's own files; of a list, each once."""
    seen: set[Path] = set()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.suffix in (".yaml", ".yml", ".json") and file.is_file() and file not in seen:
                seen.add(file)
                yield file


def _read(path: Path) -> Iterator[Json]:
    import yaml

    try:
        text = path.read_bytes()
        documents = list(yaml.safe_load_all(text)) if _MENTIONED.search(text) else []
    except (OSError, ValueError, yaml.YAMLError):
        return
    for document in documents:
        if isinstance(document, dict) and document.get("kind") in KINDS and (document.get("metadata") or {}).get("name"):
            yield document


async def apply_documents(kube: Kube, documents: Iterable[Json], namespace: str) -> None:
    """Create them, or put them in the place of what is there; namespaced ones go where the pods run."""
    await _apply(kube, KINDS["Namespace"], {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, "")
    for document in documents:
        kind = KINDS[document["kind"]]
        if kind.namespaced:
            document = {**document, "metadata": {**document["metadata"], "namespace": namespace}}  # noqa: PLW2901
        await _apply(kube, kind, document, namespace)


async def _apply(kube: Kube, kind: Kind, document: Json, namespace: str) -> None:
    from argo_yaml_provider.step.kube import ApiError

    folder = f"{kind.prefix}/namespaces/{namespace}/{kind.plural}" if kind.namespaced else f"{kind.prefix}/{kind.plural}"
    try:
        await kube.call("POST", folder, body=document)
    except ApiError as error:
        if error.status != 409:
            raise
        if document["kind"] in ("ConfigMap", "Secret"):
            await kube.call("PUT", f"{folder}/{document['metadata']['name']}", body=document)
