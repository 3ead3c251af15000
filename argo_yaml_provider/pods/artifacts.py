"""The artifacts of one step's pod: where each comes from, where main sees it, under which key it is stored.

In: a template with all tags substituted, the namespace's repository.  Out: `Moves`; and the containers that move them.
Must not know: Airflow, Kubernetes' API.
Argo: workflow/controller/workflowpod.go, addArchiveLocation, addInputArtifactsVolumes; workflow/executor/executor.go,
stageArchiveFile.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from argo_yaml_provider.artifacts.containers import (
    INPUTS,
    Moved,
    Tools,
    fetch_containers,
    fifo,
    left_in_place,
    store_containers,
    store_tools,
)
from argo_yaml_provider.artifacts.locations import archive_location, has_location, key_of, relocate, saved_as
from argo_yaml_provider.artifacts.transports import mounts_of
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.template import replace_json
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.inputs import any_string
from argo_yaml_provider.pods.container_sets import needed_by
from argo_yaml_provider.pods.containers import MAIN
from argo_yaml_provider.pods.expansion import expanded
from argo_yaml_provider.resolve.locations import has_location_or_key

Json = dict[str, Any]

MIRROR = "/mainctrfs"
"""Where the user's volumes are mounted in a container that fetches onto one of them."""
_VOLUME = "input-artifacts"
_DEFAULT_LEVEL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One artifact that the step gives."""

    moved: Moved
    recorded: Json
    """As others are told of it: Argo's JSON, in the repository where the key alone says it."""
    log: str = ""
    """The container whose log it is; '' = it is the user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """All that is moved for one pod."""

    inputs: tuple[Moved, ...] = ()
    outputs: tuple[Output, ...] = ()

    @property
    def stored(self) -> tuple[Moved, ...]:
        """What is stored, with whole locations."""
        return tuple(output.moved for output in self.outputs)


NONE = Moves()


def archives_logs(template: Json, workflow: Json, repository: Json | None) -> bool:
    """Whether logs are artifacts: if the repository says so, else as template or workflow do (Argo: IsArchiveLogs)."""
    if (repository or {}).get("archiveLogs"):
        return True
    own = (template.get("archiveLocation") or {}).get("archiveLogs")
    return bool(workflow.get("archiveLogs") if own is None else own)


def has_artifacts(template: Json) -> bool:
    """Whether the template has any, as input, output or source of its data."""
    return "data" in template or bool(
        (template.get("inputs") or {}).get("artifacts") or (template.get("outputs") or {}).get("artifacts")
    )


def plan_moves(decision: Decision, repository: Json | None, *, pod_name: str) -> Moves:
    """What is fetched before main, and stored after it."""
    template = decision.template
    logs = _logged(template) if archives_logs(template, decision.workflow, repository) else ()
    declared = [*((template.get("outputs") or {}).get("artifacts") or ()), *map(_log, logs)]
    taken = [
        artifact
        for artifact in (template.get("inputs") or {}).get("artifacts") or ()
        if has_location_or_key(artifact) or not artifact.get("optional")
    ]
    if not declared and not taken:
        return NONE
    location = location_of(decision, repository, pod_name) if _needs_location([*declared, *taken]) else {}
    inputs = tuple(_input(number, artifact, location, template) for number, artifact in enumerate(taken, start=1))
    first = len(inputs) + 1
    outputs = [_output(number, artifact, location) for number, artifact in enumerate(declared, start=first)]
    given = len(outputs) - len(logs)
    outputs[given:] = [replace(output, log=name) for output, name in zip(outputs[given:], logs, strict=True)]
    _check_paths(inputs)
    return Moves(inputs=left_in_place(inputs), outputs=tuple(outputs))


def _needs_location(artifacts: list[Json]) -> bool:
    """Whether any lacks a whole location of its own; else the key format does not matter. Argo: addArchiveLocation."""
    return not all(has_location(artifact) for artifact in artifacts)


def _logged(template: Json) -> tuple[str, ...]:
    """The containers whose logs are archived: main, or all of a set. Argo: GetMainContainerNames, SaveLogs."""
    return tuple(needed_by(template)) if "containerSet" in template else (MAIN,)


def _log(container: str) -> Json:
    return {"name": f"{container}-logs", "path": f"{container}.log", "archive": {"none": {}}}


def location_of(decision: Decision, repository: Json | None, pod_name: str) -> Json:
    """The location that completes all others: the template's own, else the repository's, with all tags replaced."""
    own = {name: value for name, value in (decision.template.get("archiveLocation") or {}).items() if name != "archiveLogs"}
    location = own if has_location(own) else archive_location(repository or {})
    parameters = (decision.template.get("inputs") or {}).get("parameters") or ()
    known: dict[str, Any] = {**decision.variables, "pod.name": pod_name, "node.name": decision.node}
    known |= {f"inputs.parameters.{one['name']}": any_string(one.get("value")) for one in parameters}
    try:
        filled: Json = replace_json(location, known)
    except ExprError as error:
        raise RunError(f"the key format of the artifact repository cannot be filled in: {error.message}") from error
    if "{{" in key_of(filled):
        raise RunError(
            f"the key format of the artifact repository holds a tag that has no value here: {key_of(filled)}",
            help="use workflow.*, inputs.parameters.* or pod.name in keyFormat",
        )
    return filled


def _check_paths(inputs: tuple[Moved, ...]) -> None:
    """Tags may have made one path of two, which nobody could see before."""
    taken: dict[str, str] = {}
    for moved in inputs:
        path, name = posixpath.normpath(moved.artifact["path"]), moved.artifact["name"]
        if path in taken:
            raise RunError(
                f"input artifacts {taken[path]!r} and {name!r} have one path: {path}", "give one of them another path"
            )
        taken[path] = name


def _input(index: int, artifact: Json, location: Json, template: Json) -> Moved:
    path = posixpath.normpath(artifact.get("path") or "")
    if not artifact.get("path"):
        raise RunError(f"inputs.artifacts.{artifact['name']} did not specify a path")
    if not has_location_or_key(artifact):
        raise RunError(
            f"required artifact '{artifact['name']}' not supplied",
            help="the step that gives it left none: pass it on only where that step has run",
        )
    on_volume = overlapping_mount(template, path) is not None
    place = MIRROR + path if on_volume else f"{INPUTS}/{index}"
    if raw := artifact.get("raw"):
        artifact = {**artifact, "raw": {**raw, "data": expanded(raw.get("data", ""), template)}}
    return Moved(index=index, artifact=relocate(artifact, location), path=place)


def _output(index: int, artifact: Json, location: Json) -> Output:
    recorded = saved_as(artifact, location, stored_name(artifact))
    return Output(moved=Moved(index=index, artifact=relocate(recorded, location), path=artifact["path"]), recorded=recorded)


def stored_name(artifact: Json) -> str:
    """The last part of the key, where the artifact names none."""
    archive = artifact.get("archive") or {}
    if archive.get("none") is not None:
        return posixpath.basename(posixpath.normpath(str(artifact["path"])))
    return f"{artifact['name']}{'.zip' if archive.get('zip') is not None else '.tgz'}"


def overlapping_mount(template: Json, path: str) -> Json | None:
    """The innermost of the user's mounts that the path lies on. Argo: FindOverlappingVolume."""
    main = template.get("container") or template.get("script") or template.get("containerSet") or {}
    mounts = main.get("volumeMounts") or []
    over = [mount for mount in mounts if _lies_in(path, mount["mountPath"])]
    return max(over, key=lambda mount: len(mount["mountPath"]), default=None)


def _lies_in(path: str, folder: str) -> bool:
    folder = posixpath.normpath(folder)
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def input_mounts(moves: Moves) -> list[Json]:
    """Main's mounts of what was fetched."""
    return [
        {"name": _VOLUME, "mountPath": moved.artifact["path"], "subPath": posixpath.relpath(moved.path, INPUTS)}
        for moved in moves.inputs
        if moved.path.startswith(INPUTS)
    ]


def input_volumes(moves: Moves) -> list[Json]:
    """The volumes that artifacts need."""
    volumes = [{"name": _VOLUME, "emptyDir": {}}] if moves.inputs else []
    stores = {mount["name"]: source for one in (*moves.inputs, *moves.stored) for mount, source in mounts_of(one.artifact)}
    return volumes + [{"name": name, **source} for name, source in stores.items()]


def fetching(moves: Moves, main: Json, tools: Tools) -> list[Json]:
    """The init containers that fetch; main's own mounts lie below /mainctrfs there."""
    mirrored = [
        {**mount, "mountPath": MIRROR + mount["mountPath"]}
        for mount in main.get("volumeMounts", [])
        if any(moved.path.startswith(MIRROR) for moved in moves.inputs)
    ]
    inputs = {"name": _VOLUME, "mountPath": INPUTS}
    return [_with_mounts(container, [inputs, *mirrored], moves.inputs) for container in fetch_containers(moves.inputs, tools)]


def storing(moves: Moves, tools: Tools, home: Json) -> list[Json]:
    """The containers that store; `home` mounts the supervisor's folder."""
    return [_with_mounts(container, [home], moves.stored) for container in store_containers(moves.stored, tools)]


def _with_mounts(container: Json, mounts: list[Json], moved: tuple[Moved, ...]) -> Json:
    stores = (
        {mount["name"]: mount for one in moved for mount, _ in mounts_of(one.artifact)} if container["tool"] == "sh" else {}
    )
    plain = {name: value for name, value in container.items() if name != "tool"}
    return {**plain, "volumeMounts": [*mounts, *stores.values()]}


def fifos(moves: Moves) -> list[str]:
    """The FIFOs that hold the storing containers back."""
    return [fifo(tool) for tool in store_tools(moves.stored)]


def pack_script(moves: Moves) -> str:
    """What the supervisor reads when main has ended: one line for each output; '' where there is none."""
    lines = [_pack_line(output) for output in moves.outputs]
    return "\n".join([_text(), *lines, ""]) if lines else ""


def _pack_line(output: Output) -> str:
    moved = output.moved
    if output.log:
        return f"pack_log {moved.index} {shlex.quote(output.log)}"
    archive = moved.artifact.get("archive") or {}
    kind = next((name for name in ("none", "zip") if archive.get(name) is not None), "tar")
    level = (archive.get("tar") or {}).get("compressionLevel")
    # busybox knows no level 0, and -1 is as good.
    words = [kind, str(moved.index), str(_DEFAULT_LEVEL if level is None or int(level) < 0 else max(1, int(level)))]
    return "pack_" + " ".join(shlex.quote(word) for word in (*words, posixpath.normpath(moved.path)))


@cache
def _text() -> str:
    lines = files(__package__).joinpath("pack.sh").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if line.strip()[:1] not in ("", "#"))


def recorded_of(output: Output, size: int) -> Json:
    """What an outcome says of a stored artifact."""
    whole = output.moved.artifact
    store = next(name for name in whole if name in _BUCKETS)
    return {
        "store": store,
        "bucket": str(whole[store].get(_BUCKETS[store]) or ""),
        "key": key_of(whole),
        "connection": str(whole[store].get("connection") or ""),
        "size": size,
        "media_type": _media_type(whole),
        "location": {name: value for name, value in output.recorded.items() if name != "name"},
    }


_BUCKETS: Mapping[str, str] = {
    "s3": "bucket", "gcs": "bucket", "oss": "bucket", "azure": "container", "hdfs": "path", "http": "url",
    "artifactory": "url", "volume": "source",
}  # fmt: skip


def _media_type(artifact: Json) -> str:
    archive = artifact.get("archive") or {}
    if archive.get("zip") is not None:
        return "application/zip"
    if archive.get("none") is None:
        return "application/gzip"
    import mimetypes

    return mimetypes.guess_type(artifact["path"])[0] or "application/octet-stream"
