"""What every store's driver gives: the tool that moves an artifact, its environment, and the shell commands.

Credentials stay in Kubernetes secrets: an env entry refers to one, and no command line ever shows its value.
Must not know: pods, Airflow, any one store.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from argo_yaml_provider.diagnostics import RunError

Json = dict[str, Any]


CONNECTION = f"connection-{secrets.token_hex(16)}:"
"""Begins the name of a Secret that is made with the pod, from the connection whose name follows. No workflow can guess it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where one process of rclone can move many artifacts at once."""

    identity: str
    """Equal for artifacts with the same store, credentials and bucket."""
    remote: str
    """As rclone names the bucket."""
    path: str
    """Of the artifact, below the remote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How one artifact moves. In the commands, `$file` is the local path; a fetch that finds nothing leaves no file there."""

    tool: str
    """`rclone`, `curl`, `git`, or `sh` where a shell is enough: the image that the deployment's settings name for it."""
    fetch: str
    store: str = ""
    """'' = nothing can be stored there."""
    listing: str = ""
    """Prints what lies below the key, as `rclone lsjson` does, or names with a NUL behind each. '' = it cannot be had."""
    deletion: str = ""
    """Deletes the key, or all below it; one that is gone is no error. '' = nothing can be deleted there."""
    shelf: Shelf | None = None
    env: tuple[Json, ...] = ()
    """Container env entries, Kubernetes' JSON."""
    place: str = ""
    """Where the artifact lies, for messages: store, bucket, key, endpoint; never a password."""
    access: str = ""
    """What to do where the store refuses the credentials; '' = look at the secrets that `env` refers to."""
    bucket: str = ""
    """What to do where there is no such bucket, container or repository."""


def value_env(name: str, value: str) -> Json:
    """An env entry with a value of its own. Kubernetes expands $(NAME) and $$ in values; $$ is how it is told not to."""
    return {"name": name, "value": value.replace("$", "$$")}


def secret_env(name: str, selector: Json) -> Json:
    """An env entry with a value from a secret; one that is not there is told by the script, and holds no pod back."""
    return {
        "name": name,
        "valueFrom": {"secretKeyRef": {"name": selector["name"], "key": selector["key"], "optional": True}},
    }


def connection_env(name: str, connection: str, option: str, *, optional: bool) -> Json:
    """An env entry with what a connection of the deployment's says; one that must be there holds the pod back until it is."""
    ref = {"name": f"{CONNECTION}{connection}", "key": option, **({"optional": True} if optional else {})}
    return {"name": name, "valueFrom": {"secretKeyRef": ref}}


def description(transport: Transport) -> str:
    """Shell text that sets what the messages of `transfer.sh` need: `place`, `access`, `bucket`, `lacking`."""
    refs = [(entry["name"], entry["valueFrom"]["secretKeyRef"]) for entry in transport.env if "valueFrom" in entry]
    refs = [(name, ref) for name, ref in refs if not ref["name"].startswith(CONNECTION)]
    named = ", ".join(dict.fromkeys(f"key {ref['key']} of Secret {ref['name']}" for _, ref in refs))
    access = transport.access or (f"check {named}" if named else "name the Secrets that hold the credentials")
    lines = [
        f"place={shlex.quote(transport.place)}",
        f"access={shlex.quote(access)}",
        f"bucket={shlex.quote(transport.bucket or 'create it, or correct the location')}",
        "lacking=",
    ]
    for name, ref in refs:
        lack = f"Secret {ref['name']} has no key {ref['key']}, or is not in the namespace: create it, or correct the location"
        lines.append(f'[ -n "${{{name}+given}}" ] || lacking={shlex.quote(lack)}')
    return "\n".join(lines)


def refuse(location: Json, store: str, **ways_out: str) -> None:
    """RunError for a field that would change nothing here."""
    for field, way_out in ways_out.items():
        if location.get(field):
            raise RunError(f"{store}.{field} of an artifact is not supported here", way_out)


def need(location: Json, store: str, fields: Sequence[str]) -> None:
    """RunError for a location that lacks a field."""
    for field in fields:
        if not location.get(field):
            raise RunError(
                f"{store}.{field} of an artifact is missing", "add it to the artifact, or to the artifact repository"
            )
