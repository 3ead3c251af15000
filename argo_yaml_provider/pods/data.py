"""A data template's source as an ordinary pod, whose main container is the tool that lists the store.

In: a decision, the namespace's repository.  Out: the decision of that pod, the listing being its output parameter; then, of
the listing, the keys.
Argo: workflow/executor/executor_data_source_processor.go; the drivers' ListObjects.
Must not know: Airflow, Kubernetes' API, transformations.
"""

from __future__ import annotations

import json
import posixpath
from dataclasses import replace
from typing import Any

from argo_yaml_provider.artifacts.containers import Tools, list_container
from argo_yaml_provider.artifacts.locations import STORES, key_of, relocate, store_of, with_key
from argo_yaml_provider.artifacts.transports import mounts_of
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.pods.artifacts import location_of

Json = dict[str, Any]

LISTING = "listing"
"""The output parameter that holds what the tool printed."""
_FILE = "/tmp/argo-listing"  # noqa: S108 - the container's own
_BY_PREFIX = ("azure", "gcs", "oss")
"""Stores of which Argo lists every key that begins so, not only a folder."""


def listed_artifact(decision: Decision, repository: Json | None, *, pod_name: str) -> Json:
    """The artifact whose keys are wanted, with a whole location; its key may be ''."""
    artifact = (decision.template["data"].get("source") or {}).get("artifactPaths")
    if artifact is None:
        raise RunError("no valid source is used for data template", help="write source: {artifactPaths: {s3: {…}}}")
    artifact = {"name": LISTING, **artifact}
    name = store_of(artifact)
    needed = [field for field in STORES[name].whole if field != STORES[name].key] if name else []
    if name and needed and all(artifact[name].get(field) for field in needed):
        return artifact
    found = relocate(artifact, location_of(decision, repository, pod_name))
    bucket = artifact[name].get("bucket") if name else None
    return {**found, name: {**found[name], "bucket": bucket}} if name and bucket and name in found else found


def listing_pod(decision: Decision, artifact: Json, tools: Tools) -> Decision:
    """The pod that lists it."""
    key = key_of(artifact)
    if store_of(artifact) in _BY_PREFIX:
        key = posixpath.dirname(key)
    # A key must not be empty; / is the whole bucket.
    container = list_container(with_key(artifact, key or "/"), _FILE, tools)
    mounts = mounts_of(artifact)
    container["volumeMounts"] = [mount for mount, _ in mounts]
    template = {
        **{name: value for name, value in decision.template.items() if name not in ("data", "outputs")},
        "container": container,
        "volumes": [{"name": mount["name"], **source} for mount, source in mounts],
        "outputs": {"parameters": [{"name": LISTING, "valueFrom": {"path": _FILE}}]},
    }
    return replace(decision, template=template, include_result=False)


def keys_in(listing: str, artifact: Json) -> list[str]:
    """The whole keys, in the order of their bytes."""
    key = key_of(artifact)
    by_prefix = store_of(artifact) in _BY_PREFIX
    folder = posixpath.dirname(key) if by_prefix else posixpath.normpath(key) if key else ""
    if listing.lstrip().startswith("["):
        names = [entry["Path"] for entry in json.loads(listing)]
    else:
        names = [name.removeprefix("./") for name in listing.split("\0") if name]
    keys = [f"{folder}/{name}" if folder else name for name in names]
    if by_prefix:
        keys = [one for one in keys if one.startswith(key)]
    elif not keys and key:
        raise RunError(f"no key found of name {key}")
    return sorted(keys, key=str.encode)
