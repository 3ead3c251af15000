"""The sidecars of a step's pod: they run beside main and end with it.

Must not know: Airflow, Kubernetes' API.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.pods.containers import mirrored

Json = dict[str, Any]


def build_sidecars(template: Json, main: Json) -> list[Json]:
    """The template's sidecars, with main's mounts where they ask for them."""
    return [mirrored(container, main) for container in template.get("sidecars", [])]
