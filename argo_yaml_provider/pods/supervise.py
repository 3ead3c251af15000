"""The supervisor: put into a pod only where a result or output parameters must be captured.

In: a pod spec that is otherwise complete, a decision.  Out: the spec with main under `supervise.sh`, and beside it a container
that stages that script and a busybox; its postStart hook holds main back until they are there, which costs 0.1 s and
works with any image, one without a shell too.
Must not know: Airflow, Kubernetes' API.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.pods.artifacts import NONE, Moves, fifos, pack_script, storing
from argo_yaml_provider.pods.container_sets import lead_of
from argo_yaml_provider.pods.settings import PodSettings

Json = dict[str, Any]

SUPERVISOR = "supervisor"
FOLDER = "/var/run/argo"
VOLUME = "var-run-argo"
_MESSAGES = 12_288
_MESSAGE = 4_096
"""Bytes of termination message that Kubernetes keeps of a pod and of a container."""
_INJECTED = 2
"""Containers that admission may add to the pod and that share its messages."""

# As in the ConfigMap that Argo's own manifests install.
KNOWN_IMAGES: Json = {
    "argoproj/argosay:v1": {"cmd": ["cowsay"]},
    "argoproj/argosay:v2": {"entrypoint": ["/argosay"]},
    "docker/whalesay:latest": {"cmd": ["/bin/bash"]},
    "python:alpine3.6": {"cmd": ["python3"]},
}


class NoEntrypoint(RunError):
    """A supervised container without `command`, of an image whose entrypoint is not known."""

    def __init__(self, image: str) -> None:
        self.image = image
        super().__init__(
            f"the step's outputs are captured, and what image {image!r} starts is not known",
            help=f"give the container a `command`, or list the image in [argo_yaml] images: "
            f'{{"{image}": {{"entrypoint": […], "cmd": […]}}}}',
        )

    def __reduce__(self) -> tuple[type[NoEntrypoint], tuple[str]]:  # type: ignore[override]
        return type(self), (self.image,)


def output_paths(template: Json) -> list[tuple[str, str]]:
    """Name and path of each output parameter that is a file."""
    parameters = template.get("outputs", {}).get("parameters", [])
    paths = [(parameter["name"], (parameter.get("valueFrom") or {}).get("path")) for parameter in parameters]
    return [(name, path) for name, path in paths if path]


def is_supervised(decision: Decision, moves: Moves = NONE) -> bool:
    """Whether the pod has anything to hand on."""
    return decision.include_result or bool(output_paths(decision.template) or moves.outputs)


def supervised(spec: Json, decision: Decision, settings: PodSettings, moves: Moves = NONE) -> Json:
    """The spec with main under the supervisor, and last the containers that store what it packs."""
    lead = lead_of(decision.template)
    main = next(container for container in spec["containers"] if container["name"] == lead)
    stores = storing(moves, settings.tools, _mount())
    shape = {**spec, "containers": [*spec["containers"], *stores]}
    limit = {"name": "ARGO_REPORT_LIMIT", "value": str(_limit(shape))}
    usual = {"imagePullPolicy": "IfNotPresent", "securityContext": security(main, spec)}
    shape["containers"] = [*spec["containers"], *({**one, "env": [*one["env"], limit], **usual} for one in stores)]
    containers = [
        _under_supervisor(container, shape, decision, settings, moves) if container["name"] == lead else container
        for container in shape["containers"]
    ]
    main = next(container for container in containers if container["name"] == lead)
    return {
        **spec,
        "volumes": [*spec.get("volumes", []), {"name": VOLUME, "emptyDir": {}}],
        "containers": [_staging(main, spec, settings, moves), *containers],
    }


def _under_supervisor(main: Json, spec: Json, decision: Decision, settings: PodSettings, moves: Moves) -> Json:
    words = ["--limit", str(_limit(spec))]
    if log := main.get("terminationMessagePath"):
        words += ["--log", log]
    if decision.include_result:
        words.append("--result")
    if "containerSet" not in decision.template and any(output.log for output in moves.outputs):
        words.append("--combined")
    for _, path in output_paths(decision.template):
        words += ["--output", _literal(path)]
    return {
        **main,
        "command": [f"{FOLDER}/supervise"],
        "args": [*words, "--", *command_of(main, settings)],
        "volumeMounts": [*main.get("volumeMounts", []), _mount()],
    }


def command_of(main: Json, settings: PodSettings) -> list[str]:
    """What the container would start by itself. Argo: workflowpod.go, lookupImage."""
    if main.get("command"):
        return [*main["command"], *main.get("args", [])]
    image = main.get("image", "")
    found = {**KNOWN_IMAGES, **(settings.images or {})}.get(image)
    if found is None:
        raise NoEntrypoint(image)
    return [*found.get("entrypoint", []), *(main["args"] if main.get("args") is not None else found.get("cmd", []))]


def _limit(spec: Json) -> int:
    containers = len(spec["containers"]) + len(spec.get("initContainers", [])) + 1 + _INJECTED
    return min(_MESSAGE, _MESSAGES // containers)


def _mount() -> Json:
    return {"name": VOLUME, "mountPath": FOLDER}


def _staging(main: Json, spec: Json, settings: PodSettings, moves: Moves) -> Json:
    busybox = "/bin/busybox"
    hold_back = f"until [ -e {FOLDER}/ready ]; do {busybox} sleep 0.01; done"
    return {
        "name": SUPERVISOR,
        "image": settings.supervisor_image,
        "imagePullPolicy": "IfNotPresent",
        "command": [busybox, "sh", "-c"],
        "args": [
            *(_literal(text) for text in (_text("stage.sh"), "stage", _text("supervise.sh"), pack_script(moves))),
            *fifos(moves),
        ],
        "lifecycle": {"postStart": {"exec": {"command": [busybox, "sh", "-c", hold_back]}}},
        "resources": {"requests": {"cpu": "1m", "memory": "10Mi"}},
        "securityContext": {**security(main, spec), "readOnlyRootFilesystem": True},
        "volumeMounts": [_mount()],
    }


def security(main: Json, spec: Json) -> Json:
    """As little as a restricted namespace demands; main's own user where there is one."""
    own, pod = main.get("securityContext") or {}, spec.get("securityContext") or {}
    taken = {field: own[field] for field in ("runAsUser", "runAsGroup", "runAsNonRoot", "seccompProfile") if field in own}
    if {**pod, **own}.get("runAsNonRoot") and "runAsUser" not in {**pod, **own}:
        taken["runAsUser"] = 65534
    return {**taken, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def _literal(text: str) -> str:
    """Kubernetes would expand $(…) and $$ in arguments."""
    return text.replace("$", "$$")


@cache
def _text(name: str) -> str:
    """A script without its comments: it travels with every event of the pod."""
    lines = files(__package__).joinpath(name).read_text("utf-8").splitlines()
    kept = [line for line in lines if line.startswith("#!") or line.strip()[:1] not in ("", "#")]
    return "".join(f"{line}\n" for line in kept)
