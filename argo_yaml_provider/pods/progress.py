"""A place for `ARGO_PROGRESS_FILE`, into which a step may write how far it is.

In: a template, its pod's spec.  Out: the spec.
Must not know: what is written there; nobody reads it, for Airflow shows no progress of a task.
Argo: workflow/controller/workflowpod.go, createWorkflowPod.
"""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

VARIABLE = "ARGO_PROGRESS_FILE"
_FOLDER, _VOLUME = "/var/run/argo-progress", "argo-progress"


def with_progress_file(spec: Json, template: Json) -> Json:
    """The spec, whose containers may write the file if their template speaks of it; else it remains a plain pod."""
    if VARIABLE not in json.dumps(template):
        return spec
    return {
        **spec,
        "volumes": [*spec.get("volumes", []), {"name": _VOLUME, "emptyDir": {}}],
        **{kind: [_given(container) for container in spec.get(kind, [])] for kind in ("initContainers", "containers")},
    }


def _given(container: Json) -> Json:
    mount, entry = {"name": _VOLUME, "mountPath": _FOLDER}, {"name": VARIABLE, "value": f"{_FOLDER}/progress"}
    mounts, env = container.get("volumeMounts", []), container.get("env", [])
    return {**container, "volumeMounts": [*mounts, mount], "env": [entry, *env]}
