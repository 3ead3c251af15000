"""One life of one container: from its command to its end.

In: a container's spec, its environment and mounts.  Out: a running `Process`, then a `terminated` state.
Must not know: the other containers, restarts, the store.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from argo_yaml_provider.local.environment import ConfigError, expand
from argo_yaml_provider.local.images import PATH, Image
from argo_yaml_provider.local.logs import Log
from argo_yaml_provider.local.plain import without_mounts
from argo_yaml_provider.local.processes import LaunchError, Process, Processes, exit_code
from argo_yaml_provider.local.resources import Json
from argo_yaml_provider.local.store import now

_DRAIN = 0.5
"""Seconds to wait for output once the first process has ended."""
_MESSAGE_SIZE = 4096
_KNOWN_HOSTS = (
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
)
_FALLBACK_SIZE, _FALLBACK_LINES = 2048, 80


@dataclass(slots=True, kw_only=True)
class Life:
    """One start of a container."""

    spec: Json
    id: str
    folder: Path
    process: Process
    log: Log
    started_at: str
    env: dict[str, str]
    cwd: str
    user: tuple[int | None, int | None]
    killed_for: str = ""
    """The reason to report, where it was not the container's own doing."""

    async def wait(self) -> Json:
        """The `terminated` state, once the process has ended and its output is complete."""
        status = await asyncio.shield(self.process.ended)
        try:
            await asyncio.wait_for(self.log.closed.wait(), _DRAIN)
        except TimeoutError:
            self.log.close()
        code, _ = exit_code(status)
        state = ended_state(code, started_at=self.started_at, id=self.id)
        if self.killed_for:
            state["reason"] = self.killed_for
        if message := self._message(failed=code != 0):
            state["message"] = message
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        return state

    def _message(self, *, failed: bool) -> str:
        """The termination message: the file, or where it is empty the end of the log if the policy says so."""
        path = self.folder / "termination-log"
        data = path.read_bytes()[:_MESSAGE_SIZE] if path.exists() else b""
        if data:
            return data.decode(errors="replace")
        if failed and self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            return self.log.last(_FALLBACK_LINES, _FALLBACK_SIZE)
        return ""


def ended_state(code: int, *, started_at: str = "", id: str = "", reason: str = "", message: str = "") -> Json:  # noqa: A002
    state: Json = {
        "exitCode": code,
        "reason": reason or ("Completed" if code == 0 else "Error"),
        "startedAt": started_at or now(),
        "finishedAt": now(),
        "containerID": id,
    }
    return state | ({"message": message} if message else {})


def new_id() -> str:
    return f"embedded://{secrets.token_hex(32)}"


def command_of(spec: Json, image: Image, env: dict[str, str]) -> list[str]:
    """Command and args over the image's: a command alone drops the image's own arguments."""
    declared = {entry["name"] for entry in spec.get("env") or ()}
    unknown = {"PATH", "HOSTNAME", "HOME", *image.env} - declared  # the runtime's and the image's: no $(NAME) means them
    known = {name: value for name, value in env.items() if name not in unknown}
    command, args = ([expand(str(part), known) for part in spec.get(field) or ()] for field in ("command", "args"))
    argv = [*command, *args] if command else [*image.entrypoint, *(args or image.command)]
    if not argv:
        raise ConfigError("no command specified")
    return argv


def user_of(spec: Json, pod: Json) -> tuple[int | None, int | None, list[int]]:
    """User, group and further groups, by the container's security context, then the pod's."""
    own, shared = spec.get("securityContext") or {}, pod["spec"].get("securityContext") or {}
    uid = own.get("runAsUser", shared.get("runAsUser"))
    gid = own.get("runAsGroup", shared.get("runAsGroup"))
    groups = [*(shared.get("supplementalGroups") or ()), *filter(None, [shared.get("fsGroup")])]
    if own.get("runAsNonRoot", shared.get("runAsNonRoot")) and not uid:
        raise ConfigError("container has runAsNonRoot and image will run as root")
    return uid, gid, groups


def given_env(pod: Json, image: Image, service: dict[str, str], uid: int | None) -> dict[str, str]:
    home = "/root" if not uid else "/"
    return {"PATH": PATH, "HOSTNAME": hostname_of(pod), "HOME": home, **image.env, **service}


def hostname_of(pod: Json) -> str:
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:63]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """All that a container is started from."""

    pod: Json
    spec: Json
    image: Image
    env: dict[str, str]
    mounts: list[Json]
    folder: Path
    layer: Path


async def start(processes: Processes, what: Start) -> Life:
    """Start a container, or raise LaunchError or ConfigError."""
    spec, folder = what.spec, what.folder
    folder.mkdir(parents=True, exist_ok=True)
    message = folder / "termination-log"
    message.touch()
    message.chmod(0o666)
    uid, gid, groups = user_of(spec, what.pod)
    cwd = spec.get("workingDir") or what.image.workdir
    at = spec.get("terminationMessagePath") or "/dev/termination-log"
    sandbox: Json = {
        "argv": command_of(spec, what.image, what.env),
        "env": what.env,
        "cwd": cwd,
        "hostname": hostname_of(what.pod),
        "uid": uid,
        "gid": gid,
        "groups": groups,
        "init": bool(what.pod["spec"].get("shareProcessNamespace")),
        "private": str(folder / "private"),
        "disk": str(_scratch(folder)),
        "layer": str(what.layer),
        "files": {"/etc/hosts": _hosts(what.pod), "/etc/hostname": hostname_of(what.pod) + "\n"},
        "mounts": [*what.mounts, {"source": str(message), "target": at}],
    }
    if processes.mode == "plain":
        sandbox = without_mounts(sandbox, what.layer, folder)
    log = Log(folder / "log")
    life_id, started_at = new_id(), now()
    process = await _launch(processes, sandbox, log)
    return Life(
        spec=spec,
        id=life_id,
        folder=folder,
        process=process,
        log=log,
        started_at=started_at,
        env=sandbox["env"],
        cwd=sandbox["cwd"],
        user=(uid, gid),
    )


def _scratch(folder: Path) -> Path:
    """The container's /tmp, where large files are; all else that it writes outside of volumes is in memory."""
    path = folder / "tmp"
    path.mkdir(exist_ok=True)
    path.chmod(0o1777)
    return path


async def _launch(processes: Processes, sandbox: Json, log: Log) -> Process:
    writing = log.attach()
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        return await processes.launch(sandbox, (nothing, writing, writing))
    except LaunchError:
        log.close()
        raise
    finally:
        os.close(writing)
        os.close(nothing)


def _hosts(pod: Json) -> str:
    """As the kubelet writes it."""
    lines = [*_KNOWN_HOSTS, f"127.0.0.1\t{hostname_of(pod)}"]
    aliases = pod["spec"].get("hostAliases") or ()
    lines += ["", "# Entries added by HostAliases."] if aliases else []
    lines += ["\t".join([alias["ip"], *(alias.get("hostnames") or ())]) for alias in aliases]
    return "\n".join(lines) + "\n"
