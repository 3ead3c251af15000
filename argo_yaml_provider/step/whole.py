"""Artifacts of a run that has begun, with whole locations: what an outcome records, and the repository that completes it.

In: a Kube, the plan's workflow, records of outcomes.  Out: artifacts that anybody can fetch or delete.
Must not know: Airflow, pods.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.artifacts.locations import STORES, archive_location, has_location, relocate, with_key
from argo_yaml_provider.pods.settings import PodSettings
from argo_yaml_provider.step.artifacts import read_repository
from argo_yaml_provider.step.kube import Kube

Json = dict[str, Any]


async def repository_at(kube: Kube, namespace: str, reference: Json | None, settings: PodSettings) -> Json | None:
    """The namespace's repository as it is now, else the deployment's."""
    return await read_repository(kube, namespace, reference) or settings.artifact_repository


def whole(name: str, record: Json, repository: Json | None) -> Json:
    """The artifact that was recorded under this name."""
    artifact: Json = {"name": name, **(record.get("location") or {})}
    if has_location(artifact):
        return artifact
    location = archive_location(repository or {})
    store = record["store"]
    if store in location and record.get("bucket") and "bucket" in STORES[store].whole:
        location = {store: {**location[store], "bucket": record["bucket"]}}
    return with_key(relocate({**artifact}, location), record["key"])
