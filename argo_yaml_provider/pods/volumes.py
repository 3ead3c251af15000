"""The volumes of a step's pod: those its mounts name, and the script's.

Argo: workflow/controller/workflowpod.go, addVolumeReferences.
Must not know: Airflow, Kubernetes' API.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.pods.containers import SCRIPT_FOLDER
from argo_yaml_provider.pods.expansion import expanded
from argo_yaml_provider.pods.names import PREFIX

Json = dict[str, Any]

SCRIPT_ANNOTATION = PREFIX + "script"
SCRIPT_VOLUME = "argo-staging"
_LONGEST_SCRIPT = 250_000
"""Kubernetes bounds a pod's annotations, all together, at 256 KiB."""


def build_volumes(
    template: Json, workflow: Json, containers: Iterable[Json], *, workflow_name: str, present: Iterable[str]
) -> list[Json]:
    """All volumes of the template, and those of the workflow that a mount names.

    `present` are the names of volumes that the deployment's pod template already has.
    """
    chosen = {volume["name"]: volume for volume in template.get("volumes", [])}
    claims = [claim["metadata"]["name"] for claim in workflow.get("volumeClaimTemplates", [])]
    shared = {claim: _claim(claim, workflow_name) for claim in claims}
    shared |= {volume["name"]: volume for volume in workflow.get("volumes", [])}
    known = {*present, SCRIPT_VOLUME}
    for container in containers:
        for mount in container.get("volumeMounts", []):
            name = mount["name"]
            if name in chosen or name in known:
                continue
            if name not in shared:
                raise RunError(
                    f"volume '{name}' not found in workflow spec",
                    help=f"declare it in spec.volumes or the template's; declared: {', '.join(sorted(shared)) or 'none'}",
                )
            chosen[name] = shared[name]
    return list(chosen.values())


def script_annotation(template: Json) -> dict[str, str]:
    """The script's text, which travels in an annotation: no extra object, no extra container."""
    if "script" not in template:
        return {}
    source = expanded(template["script"].get("source", ""), template)
    size = len(source.encode())
    if size > _LONGEST_SCRIPT:
        raise RunError(
            f"the script of template {template.get('name')!r} is {size} bytes long; a pod carries at most {_LONGEST_SCRIPT}",
            help="keep the text in a ConfigMap or an image, and let the script start it",
        )
    return {SCRIPT_ANNOTATION: source}


def script_volume() -> Json:
    """A file with the script's text."""
    field = {"fieldPath": f"metadata.annotations['{SCRIPT_ANNOTATION}']"}
    # Executable, for `command: [sh, -c]` runs it by its path.
    return {"name": SCRIPT_VOLUME, "downwardAPI": {"defaultMode": 0o755, "items": [{"path": "script", "fieldRef": field}]}}


def script_mount() -> Json:
    """Where Argo has it."""
    return {"name": SCRIPT_VOLUME, "mountPath": SCRIPT_FOLDER}


def _claim(name: str, workflow_name: str) -> Json:
    """A claim made for the run is named after it. Argo: workflow/controller/operator.go, createPVCs."""
    return {"name": name, "persistentVolumeClaim": {"claimName": f"{workflow_name}-{name}"}}
