"""What runs beside main: sidecars, which end with it, and the other containers of a containerSet.

Must not know: Airflow, Kubernetes' API.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.pods.container_sets import build_set
from argo_yaml_provider.pods.containers import mirrored

Json = dict[str, Any]


def build_sidecars(template: Json, main: Json) -> list[Json]:
    """The rest of a containerSet; the template's sidecars, with main's mounts where they ask for them."""
    others = build_set(template)[1:] if "containerSet" in template else []
    return others + [mirrored(container, main) for container in template.get("sidecars", [])]
