"""The containers that move a step's artifacts: one per tool, which moves all that the tool can, side by side.

In: artifacts with whole locations (`locations.relocate`).  Out: container manifests, plain dicts, without
volume mounts, each with its `tool` beside Kubernetes' own fields.
Must not know: Airflow, what else is in the pod.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from argo_yaml_provider.artifacts.locations import store_of
from argo_yaml_provider.artifacts.rclone import BEGIN
from argo_yaml_provider.artifacts.transport import Shelf, description, value_env
from argo_yaml_provider.artifacts.transports import Transport, transport_for
from argo_yaml_provider.diagnostics import RunError

Json = dict[str, Any]

INPUTS = "/argo/inputs/artifacts"
"""Where fetched artifacts lie, each under its name, in the containers that fetch."""
IMAGES = {
    "rclone": "rclone/rclone",
    "curl": "curlimages/curl",
    "git": "alpine/git",
    "sh": "busybox",
}
"""Images of the tools, where the deployment names no others."""
_LONGEST = 100_000
"""Bytes of one argument; the kernel takes 128 KiB."""
_LONGEST_NAME = 255
"""Bytes of a file's name that file systems take."""
GIBIBYTE = 1024**3
_HOME = {"name": "HOME", "value": "/tmp"}  # noqa: S108 - the container's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the deployment says of the containers that move artifacts."""

    images: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of all of them: proxies, endpoints, hosts that are known."""
    unpack_limit: int = 100 * GIBIBYTE
    """Bytes that one archive may unpack to."""


_USUAL = Tools()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One artifact to move, with its place in the pod."""

    index: int
    """Unique in the pod; the supervisor packs an output to /var/run/argo/artifacts/INDEX."""
    artifact: Json
    """Argo's JSON, relocated."""
    path: str
    """Of an input: where the fetching container puts it."""


def left_in_place(inputs: Sequence[Moved], home: str = INPUTS) -> tuple[Moved, ...]:
    """The inputs; what lies in `home` and nobody unpacks now where the process that brings many puts it.

    To move each file from there would cost a process each, as much as half of bringing it.
    """
    free = {one.index for one in inputs if posixpath.dirname(one.path) == home and _kind(one.artifact) == "none"}
    places: dict[int, str] = {}
    for group in _by_tool(inputs).values() if free else ():
        for _, paths in _shelves(group):
            first, lone = next(iter(paths)), _outside_each_other(paths.values())
            places |= {index: f"{home}/.many/{first}/{path}" for index, path in paths.items() if path in lone}
    return tuple(replace(one, path=places[one.index]) if one.index in free & places.keys() else one for one in inputs)


def _outside_each_other(paths: Collection[str]) -> set[str]:
    """Those that can be files of one folder together: a key may lie below another, a file cannot."""
    taken = set(paths)
    above = {path: {path[:end] for end, sign in enumerate(path) if sign == "/"} for path in taken}
    folders = set().union(*above.values())
    short = {path for path in taken if all(len(name.encode()) <= _LONGEST_NAME for name in path.split("/"))}
    return {path for path in short - folders if not above[path] & taken}


def fetch_containers(inputs: Iterable[Moved], tools: Tools = _USUAL) -> list[Json]:
    """Init containers that fetch all the inputs."""
    containers = []
    for tool, group in _by_tool(inputs).items():
        lines = [*_begin(tool), _script("fetch.sh"), f"limit={tools.unpack_limit}", *_descriptions(group)]
        lines += [f"get_{moved.index}() {{\n{transport.fetch}\n}}" for moved, transport in group]
        lines += [f"fetch_many {_words(remote, paths)}" for remote, paths in _shelves(group)]
        lines += [f"place_one {_fetch_arguments(moved)}" for moved, _ in group]
        containers.append(_container(f"argo-fetch-{tool}", tool, [*lines, "finish"], group, tools))
    return containers


def store_containers(outputs: Iterable[Moved], tools: Tools = _USUAL) -> list[Json]:
    """Containers that run beside main, and store all the outputs when it has ended. Each waits on the FIFO `stored-by-TOOL`."""
    containers = []
    for tool, group in _by_tool(outputs).items():
        _check_takes(group)
        lines = [*_begin(tool), _script("report.sh"), _script("store.sh"), *_descriptions(group)]
        lines += [f"put_{moved.index}() {{\n{transport.store}\n}}" for moved, transport in group]
        shelves = _shelves(group)
        together = {index for _, paths in shelves for index in paths}
        lines += [f"wait_for_main {fifo(tool)}", *(f"store_many {_words(*shelf)} &" for shelf in shelves)]
        lines += [*(f"aside store {moved.index}" for moved, _ in group if moved.index not in together), "finish"]
        containers.append(_container(f"argo-store-{tool}", tool, lines, group, tools))
    return containers


def delete_containers(moved: Iterable[Moved], tools: Tools = _USUAL) -> list[Json]:
    """Containers that delete artifacts from their stores; RunError for a store that deletes nothing."""
    containers = []
    for tool, group in _by_tool(moved).items():
        for one, transport in group:
            if not transport.deletion:
                raise RunError(
                    f"artifact {one.artifact['name']!r} is in a store that deletes nothing: {store_of(one.artifact)}",
                    help="give it artifactGC: {strategy: Never}",
                )
        lines = [*_begin(tool), _script("report.sh"), _script("delete.sh"), *_descriptions(group)]
        lines += [f"delete_{one.index}() {{\n{transport.deletion}\n}}" for one, transport in group]
        lines += [f"aside remove {one.index}" for one, _ in group]
        containers.append(_container(f"argo-delete-{tool}", tool, [*lines, "finish"], group, tools))
    return containers


def list_container(artifact: Json, file: str, tools: Tools = _USUAL) -> Json:
    """A container `main` that writes what lies below the artifact's key to a file, and ends."""
    transport = transport_for(artifact, index=1)
    if not transport.listing:
        raise RunError(
            f"artifact {artifact['name']!r} is in a store whose keys cannot be listed: {store_of(artifact)}",
            help="list them in a script step",
        )
    lines = [*_begin(transport.tool), description(transport), f"file={shlex.quote(file)}"]
    lines += [f'list() {{\n{{ {transport.listing}; }} >"$file"\n}}', _script("list.sh")]
    moved = Moved(index=1, artifact=artifact, path=file)
    container = _container("main", transport.tool, lines, [(moved, transport)], tools)
    del container["tool"]
    return {**container, "imagePullPolicy": "IfNotPresent"}


def fifo(tool: str) -> str:
    """The name, under /var/run/argo, of the FIFO that holds a storing container back until main has ended."""
    return f"stored-by-{tool}"


def store_tools(outputs: Iterable[Moved]) -> list[str]:
    """The tools that store the outputs, in the order of their containers."""
    return list(_by_tool(outputs))


def _begin(tool: str) -> list[str]:
    """What every script of the tool's begins with."""
    return [*(BEGIN if tool == "rclone" else ["slots=8"]), _script("transfer.sh")]


def _by_tool(moved: Iterable[Moved]) -> dict[str, list[tuple[Moved, Transport]]]:
    """Those that one process can move together have one environment, that of the first."""
    groups: dict[str, list[tuple[Moved, Transport]]] = {}
    first: dict[str, int] = {}
    for one in moved:
        transport = transport_for(one.artifact, index=one.index)
        if transport.shelf and (index := first.setdefault(transport.shelf.identity, one.index)) != one.index:
            transport = transport_for(one.artifact, index=index)
        groups.setdefault(transport.tool, []).append((one, transport))
    return groups


def _shelves(group: list[tuple[Moved, Transport]]) -> list[tuple[str, dict[int, str]]]:
    """For all that one process can move: the remote, and the path of each by its index.

    Of several at one path it moves the first: each is a file of its own in the pod.
    """
    shelves: dict[str, dict[str, tuple[int, Shelf]]] = {}
    for moved, transport in group:
        if transport.shelf is not None:
            shelves.setdefault(transport.shelf.identity, {}).setdefault(transport.shelf.path, (moved.index, transport.shelf))
    several = (list(shelf.values()) for shelf in shelves.values() if len(shelf) > 1)
    return [(some[0][1].remote, {index: shelf.path for index, shelf in some}) for some in several]


def _words(remote: str, paths: Mapping[int, str]) -> str:
    """The remote, then index and path of each, as shell words."""
    return shlex.join([remote, *(word for index, path in paths.items() for word in (str(index), path))])


def _check_takes(group: list[tuple[Moved, Transport]]) -> None:
    for moved, transport in group:
        if not transport.store:
            raise RunError(
                f"output artifact {moved.artifact['name']!r} is in a store that takes none: {store_of(moved.artifact)}",
                help="store it in s3, gcs, azure, oss, hdfs, http or artifactory",
            )


def _descriptions(group: list[tuple[Moved, Transport]]) -> list[str]:
    return [f"describe_{moved.index}() {{\n{description(transport)}\n}}" for moved, transport in group]


def _container(name: str, tool: str, lines: list[str], group: list[tuple[Moved, Transport]], tools: Tools) -> Json:
    env = {entry["name"]: entry for _, transport in group for entry in transport.env}
    return {
        "name": name,
        "tool": tool,
        "image": tools.images.get(tool) or IMAGES[tool],
        "command": ["sh", "-c"],
        # Kubernetes would expand $(…) and $$ in arguments.
        "args": [part.replace("$", "$$") for part in _parts(lines)],
        "env": [_HOME, *(value_env(name, value) for name, value in tools.env.items()), *env.values()],
    }


def _parts(lines: list[str]) -> list[str]:
    """The script, each line of which stands for itself; one that is too long for an argument comes in several."""
    parts: list[list[str]] = [[]]
    size = 0
    for line in lines:
        size += len(line.encode()) + 1
        if size > _LONGEST and parts[-1]:
            parts.append([])
            size = len(line.encode()) + 1
        parts[-1].append(line)
    texts = ["\n".join(part) for part in parts]
    return texts if len(texts) == 1 else ['for part; do eval "$part"; done', "sh", *texts]


def _fetch_arguments(moved: Moved) -> str:
    artifact = moved.artifact
    mode = artifact.get("mode")
    words = [
        str(moved.index),
        artifact["name"],
        moved.path,
        _kind(artifact),
        "yes" if artifact.get("optional") else "no",
        "" if mode is None else f"{mode:o}",
        "yes" if artifact.get("recurseMode") else "",
    ]
    return " ".join(shlex.quote(word) for word in words)


def _kind(artifact: Json) -> str:
    """How it is packed: `none`, `tar`, `zip`, or `auto`, which its contents tell."""
    archive = artifact.get("archive") or {}
    # A raw artifact, a git tree: nobody packed it.
    kind = next((name for name in ("none", "tar", "zip") if archive.get(name) is not None), "auto")
    return "none" if store_of(artifact) == "git" else kind


@cache
def _script(name: str) -> str:
    """A script without its comments: it travels with every event of the pod."""
    lines = files(__package__).joinpath(name).read_text("utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines if line.strip()[:1] not in ("", "#"))
