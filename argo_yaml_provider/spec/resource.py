"""One Kubernetes object of a file, as Argo would hold it.

In: a `Document`.  Out: `Resource`: its kind, its names, its normalised JSON, and the place of every part of it.
Must not know: what a reference leads to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from argo_yaml_provider.diagnostics import Pos
from argo_yaml_provider.source import Document

Json = dict[str, Any]
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One object: a Workflow, a WorkflowTemplate, a ConfigMap, …"""

    kind: str
    api_version: str
    name: str
    """`metadata.name`, else ''."""
    generate_name: str = ""
    namespace: str = ""
    json: Json
    """As Argo's Go types would write it again: unknown fields gone, a parameter's value its JSON text, null dropped."""
    document: Document

    @property
    def is_argo(self) -> bool:
        """Whether the object is Argo's (apiVersion argoproj.io/v1alpha1)."""
        return self.api_version.startswith("argoproj.io/")

    def at(self, path: Path, *, key: bool = False, offset: int = 0, length: int = 0) -> Pos:
        """The place of a value (or, with `key`, of its key), or of a part of its text; the nearest that exists above it."""
        return self.document.at(path, key=key, offset=offset, length=length)
