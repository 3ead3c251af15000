"""How a location is reached: which tool moves it, with which environment, by which shell commands.

In: an artifact with a whole location (`locations.relocate`).  Out: `Transport`, made of container env entries and shell text.
Must not know: pods, Airflow.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import shlex
from collections.abc import Callable

from argo_yaml_provider.artifacts.git import git
from argo_yaml_provider.artifacts.http import artifactory, http
from argo_yaml_provider.artifacts.locations import store_of
from argo_yaml_provider.artifacts.rclone import azure, gcs, hdfs, oss, s3
from argo_yaml_provider.artifacts.transport import Json, Transport, value_env
from argo_yaml_provider.diagnostics import RunError

__all__ = ["Transport", "mounts_of", "transport_for"]


def transport_for(artifact: Json, *, index: int) -> Transport:
    """How the artifact, the index-th of its container, is moved; RunError where it can't be."""
    name = store_of(artifact)
    if name is None or name not in _TRANSPORTS:
        raise RunError(
            f"artifact {artifact.get('name', '')!r} is in a store that is not supported here: {name}",
            f"move it to one of these: {', '.join(sorted(_TRANSPORTS))}",
        )
    try:
        return _TRANSPORTS[name](artifact[name], f"A{index}")
    except RunError as error:
        raise RunError(f"artifact {artifact.get('name', '')!r}: {error.message}", error.help) from None


def _raw(location: Json, prefix: str) -> Transport:
    """The data itself is an environment variable: it needs no quoting there."""
    return Transport(
        tool="sh",
        env=(value_env(f"{prefix}_DATA", location.get("data", "")),),
        fetch=f'printf %s "${prefix}_DATA" > "$file"',
        place="raw",
    )


def _volume(location: Json, _prefix: str) -> Transport:
    """A folder of a mounted volume; an object appears under its key whole or not at all."""
    key = posixpath.normpath("/" + location["key"]).lstrip("/")
    place = posixpath.join(_store_folder(location), key)
    target, folder = shlex.quote(place), shlex.quote(posixpath.dirname(place))
    root, below = shlex.quote(_store_folder(location)), shlex.quote(posixpath.dirname(key) or ".")
    return Transport(
        tool="sh",
        fetch=f'[ ! -e {target} ] || cp -R {target} "$file"',
        store=(
            f'mkdir -p {folder} && chmod a+rwx {folder} && rm -rf {target}.part && cp -R "$file" {target}.part'
            f" && rm -rf {target} && mv {target}.part {target}"
        ),
        listing=f"! cd {target} 2>/dev/null || find . -type f -print0",
        # Folders that hold nothing any more go too, as they do in an object store.
        deletion=f"rm -rf {target} && cd {root} && {{ rmdir -p {below} 2>/dev/null || :; }}",
        place=f"volume {key}",
        access="let the pod's user write to the volume",
    )


def mounts_of(artifact: Json) -> list[tuple[Json, Json]]:
    """The volume mounts that the artifact's transport needs, each with its volume's source."""
    location = artifact.get("volume")
    if location is None:
        return []
    folder = _store_folder(location)
    return [({"name": f"artifacts-{posixpath.basename(folder)}", "mountPath": folder}, location["source"])]


def _store_folder(location: Json) -> str:
    digest = hashlib.sha256(json.dumps(location["source"], sort_keys=True).encode()).hexdigest()
    return f"/argo/store/{digest[:8]}"


_TRANSPORTS: dict[str, Callable[[Json, str], Transport]] = {
    "artifactory": artifactory,
    "azure": azure,
    "gcs": gcs,
    "git": git,
    "hdfs": hdfs,
    "http": http,
    "oss": oss,
    "raw": _raw,
    "s3": s3,
    "volume": _volume,
}
