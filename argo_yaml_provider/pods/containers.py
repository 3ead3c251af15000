"""The containers of a step's pod: main, and the init containers beside it.

In: an Argo template with all tags substituted.  Out: container manifests, plain dicts.
Must not know: Airflow, Kubernetes' API.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.flow.identity import node_id
from argo_yaml_provider.pods.container_sets import build_set

Json = dict[str, Any]

MAIN = "main"
SCRIPT_FOLDER = "/argo/staging"
SCRIPT_PATH = SCRIPT_FOLDER + "/script"


def build_main(template: Json) -> Json:
    """The main container, named as Argo names it.

    A script's source, if it has any, lies in a file, and its path is the last argument.
    Argo: workflow/controller/operator.go, executeScript.
    """
    if "containerSet" in template:
        return build_set(template)[0]
    if "script" in template:
        script = dict(template["script"])
        path = [SCRIPT_PATH] if script.pop("source", "") else []
        return {**script, "name": MAIN, "args": [*script.get("args", []), *path]}
    return {**template["container"], "name": MAIN}


def build_init_containers(template: Json, main: Json) -> list[Json]:
    """The template's own init containers."""
    return [mirrored(container, main) for container in template.get("initContainers", [])]


def mirrored(container: Json, main: Json) -> Json:
    """A user container, with main's mounts too where it says `mirrorVolumeMounts`."""
    plain = {key: value for key, value in container.items() if key != "mirrorVolumeMounts"}
    if container.get("mirrorVolumeMounts"):
        plain["volumeMounts"] = [*plain.get("volumeMounts", []), *main.get("volumeMounts", [])]
    return plain


def with_argo_env(container: Json, workflow_name: str, node: str, *, result: bool) -> Json:
    """The container with the environment variables that Argo gives every container of a step."""
    extra = {
        "ARGO_CONTAINER_NAME": container["name"],
        "ARGO_NODE_ID": node_id(workflow_name, node),
        "ARGO_INCLUDE_SCRIPT_OUTPUT": str(result).lower(),
        "ARGO_WORKFLOW_NAME": workflow_name,
    }
    given = {entry["name"] for entry in container.get("env", [])}
    added = [{"name": name, "value": value} for name, value in extra.items() if name not in given]
    return {**container, "env": [*container.get("env", []), *added]}
