"""A containerSet's order: each of its containers waits, in the one pod, for those it depends on.

In: a pod spec, a template with `containerSet`.  Out: the spec with those containers under `turn.sh`.
A container that nobody waits for, and that waits for nobody and is not retried, stays as it is.
Argo: pkg/apis/workflow/v1alpha1/container_set_template_types.go, cmd/argoexec/commands/emissary.go.
Must not know: Airflow, Kubernetes' API.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from argo_yaml_provider.flow.retry import parse_duration
from argo_yaml_provider.pods.container_sets import lead_of, needed_by
from argo_yaml_provider.pods.settings import PodSettings
from argo_yaml_provider.pods.supervise import FOLDER, SUPERVISOR, VOLUME, command_of, security

Json = dict[str, Any]

_MOUNT = {"name": VOLUME, "mountPath": FOLDER}


def in_turn(spec: Json, template: Json, settings: PodSettings, *, logged: bool = False) -> Json:
    """The spec with each container of the set held back until those it depends on have ended well; their logs are kept."""
    needs = needed_by(template)
    awaited = {need for names in needs.values() for need in names}
    attempts, seconds = _attempts(template)
    captures = any(container["name"] == SUPERVISOR for container in spec["containers"])
    ordered = {name for name in needs if needs[name] or name in awaited or attempts > 1 or captures}
    if not ordered:
        return spec
    # Outputs are read once all containers have ended, for any may write them.
    lead = lead_of(template)
    others = {lead: [name for name in needs if name != lead]} if captures else {}
    how = [str(attempts), f"{seconds:g}", "log" if logged else ""]
    words = {name: [name, *how, *needs[name], "--", *others.get(name, []), "--"] for name in ordered}
    containers = [
        _held_back(container, words[container["name"]], settings) if container["name"] in ordered else container
        for container in spec["containers"]
    ]
    if captures:
        return {**spec, "containers": containers}
    first = next(container for container in containers if container["name"] in ordered)
    volumes = [*spec.get("volumes", []), {"name": VOLUME, "emptyDir": {}}]
    return {**spec, "volumes": volumes, "containers": [_staging(first, spec, settings), *containers]}


def _attempts(template: Json) -> tuple[int, float]:
    """How often a container is started at most, and the pause between; `retries` counts the first too, as in Argo's code."""
    strategy = template["containerSet"].get("retryStrategy") or {}
    if strategy.get("retries") is None:
        return 1, 0.0
    return max(1, int(strategy["retries"])), parse_duration(str(strategy.get("duration") or "0s")) / 1e9


def _held_back(container: Json, words: list[str], settings: PodSettings) -> Json:
    turn = [f"{FOLDER}/busybox", "sh", "-c", _script(), "turn", *words]
    if container.get("command") == [f"{FOLDER}/supervise"]:
        at = container["args"].index("--") + 1
        return {**container, "args": [*container["args"][:at], *turn, *container["args"][at:]]}
    mounts = container.get("volumeMounts", [])
    return {
        **container,
        "command": turn[:5],
        "args": [*words, *command_of(container, settings)],
        "volumeMounts": mounts if _MOUNT in mounts else [*mounts, _MOUNT],
    }


def _staging(first: Json, spec: Json, settings: PodSettings) -> Json:
    """A container that brings a busybox, and ends; those after it start once its hook has seen the busybox."""
    busybox = "/bin/busybox"
    bring = f"{busybox} cp {busybox} {FOLDER}/busybox && : >{FOLDER}/ready"
    wait = f"until [ -e {FOLDER}/ready ]; do {busybox} sleep 0.01; done"
    return {
        "name": SUPERVISOR,
        "image": settings.supervisor_image,
        "imagePullPolicy": "IfNotPresent",
        "command": [busybox, "sh", "-c", bring],
        "lifecycle": {"postStart": {"exec": {"command": [busybox, "sh", "-c", wait]}}},
        "resources": {"requests": {"cpu": "1m", "memory": "10Mi"}},
        "securityContext": security(first, spec),
        "volumeMounts": [_MOUNT],
    }


@cache
def _script() -> str:
    """Without its comments; Kubernetes would expand $(…) and $$."""
    lines = files(__package__).joinpath("turn.sh").read_text("utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines if line.strip()[:1] not in ("", "#")).replace("$", "$$")
