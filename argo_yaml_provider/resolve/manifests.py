"""What the manifests of resource templates may refer to, where such a manifest is itself an Argo Workflow.

In: templates, `Library`.  Out: the WorkflowTemplates that must be at hand when the manifest is known, at run time.
Must not know: how a manifest is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from argo_yaml_provider.resolve.resolved import Library
from argo_yaml_provider.spec.resource import Json, Resource

_TAG = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_STAND_IN = "--tag--"
_ANY = ("", "")
"""A reference whose name is known only at run time."""

Reference = tuple[str, str]
"""Scope (`namespaced`, `cluster`) and name."""


def library_for(templates: Iterable[Json], library: Library) -> tuple[Json, ...]:
    """All that the manifests of these templates may refer to, and what that refers to in turn."""
    pools = {"namespaced": library.namespaced, "cluster": library.cluster}
    found: dict[Reference, Resource] = {}
    pending = [one for template in templates for one in _in_resource(template.get("resource") or {})]
    while pending:
        scope, name = reference = pending.pop()
        everything = [((where, one), resource) for where, pool in pools.items() for one, resource in pool.items()]
        named = everything if reference == _ANY else [(reference, pools[scope][name])] if name in pools[scope] else []
        for key, resource in named:
            if key not in found:
                found[key] = resource
                pending += _references(resource.json)
    return tuple(found[key].json for key in sorted(found))


def _in_resource(resource: Json) -> Iterator[Reference]:
    manifest = resource.get("manifest") or ""
    if resource.get("manifestFrom") is not None or (manifest.startswith("{{") and manifest.rstrip().endswith("}}")):
        yield _ANY
    yield from _in_manifest(manifest)


def _in_manifest(manifest: Any) -> Iterator[Reference]:
    """The references in a text; one that cannot be read yet may hold any."""
    if not isinstance(manifest, str) or "emplateRef" not in manifest:
        return
    import yaml

    try:
        documents = list(yaml.safe_load_all(_TAG.sub(_STAND_IN, manifest)))
    except yaml.YAMLError:
        yield _ANY
        return
    yield from _references(documents)


def _references(value: Any) -> Iterator[Reference]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("templateRef", "workflowTemplateRef") and isinstance(inner, dict):
                yield _reference(inner)
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
    else:
        yield from _in_manifest(value)


def _reference(written: Json) -> Reference:
    name = str(written.get("name") or "")
    if _STAND_IN in name or _TAG.search(name):
        return _ANY
    return ("cluster" if written.get("clusterScope") else "namespaced", name)
