"""Which programs of this machine stand in for an image.

In: an image name.  Out: `Image`: entrypoint, command, the programs it cannot do without.
Must not know: pods. Nothing is ever pulled.
"""

from __future__ import annotations

import shutil
import stat
import sys
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ImageError(Exception):
    """No programs here stand in for the image."""

    def __init__(self, image: str, message: str) -> None:
        self.image, self.message = image, message
        super().__init__(message)

    def __reduce__(self) -> tuple[type[ImageError], tuple[str, str]]:
        return type(self), (self.image, self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What an image would bring along."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """Programs without which it is of no use."""
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = ""


def _tool(program: str, *command: str) -> Image:
    return Image(entrypoint=(program,), command=command, needs=(program,))


def _language(program: str) -> Image:
    return Image(command=(program,), needs=(program,))


_BASH = Image(command=("bash",), needs=("bash",))
_SHELL = Image(command=("/bin/sh",))
_PYTHON = Image(command=("python3",))

# repository, without registry, `library/` and tag
IMAGES: dict[str, Image] = {
    "pause": Image(entrypoint=("sleep", "2147483647")),
    "busybox": Image(command=("sh",)),
    "alpine": _SHELL,
    **dict.fromkeys(("debian", "ubuntu", "bash", "fedora", "centos", "amazonlinux", "almalinux", "rockylinux"), _BASH),
    **dict.fromkeys(("python", "pypy"), _PYTHON),
    "argoproj/argosay": Image(entrypoint=("/argosay",)),
    "docker/whalesay": Image(command=("/bin/bash",), needs=("bash",)),
    "curlimages/curl": _tool("curl"),
    "stedolan/jq": _tool("jq"),
    "jqlang/jq": _tool("jq"),
    "alpine/git": _tool("git", "--help"),
    "bitnami/git": _language("git"),
    "rclone/rclone": _tool("rclone", "version"),
    "nginx": Image(command=("nginx", "-g", "daemon off;")),
    "bitnami/kubectl": _tool("kubectl"),
    "rancher/kubectl": _tool("kubectl"),
    "node": _language("node"),
    "golang": Image(command=("bash",), needs=("go",)),
    "ruby": _language("ruby"),
    "perl": _language("perl"),
    "redis": Image(command=("redis-server",), needs=("redis-server",)),
    "amazon/aws-cli": _tool("aws"),
    "minio/mc": _tool("mc"),
}


def repository(image: str) -> str:
    """`docker.io/library/python:3.12-slim` is `python`."""
    name = image.partition("@")[0]
    head, slash, rest = name.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        name = rest
    last = name.rsplit("/", 1)[-1]
    if ":" in last:
        name = name[: -len(last)] + last.partition(":")[0]
    return name.removeprefix("library/")


class Images:
    """The table, with what the user adds to it."""

    def __init__(self, more: dict[str, Any] | None = None) -> None:
        added = {name: _read_image(entry) for name, entry in (more or {}).items()}
        self._images = {**IMAGES, **added}

    def find(self, name: str) -> Image:
        repo = repository(name)
        image = self._images.get(name) or self._images.get(repo)
        if image is None:
            raise ImageError(
                name,
                f'no programs of this machine stand in for image "{name}": the embedded Kubernetes pulls nothing. '
                f"Name them in a file that ARGO_YAML_IMAGES names, or use a real cluster; "
                f"known: {', '.join(sorted(self._images)[:8])} and {len(self._images) - 8} more",
            )
        for program in image.needs:
            if not shutil.which(program, path=PATH) and not (_LAYER_PROGRAMS.get(program)):
                raise ImageError(name, f'image "{name}" needs the program "{program}", which is not installed on this machine')
        return image


def _read_image(entry: dict[str, Any]) -> Image:
    """One entry of the user's table: entrypoint, command, needs, env, workdir; all may be left out."""
    return Image(
        entrypoint=tuple(entry.get("entrypoint") or ()),
        command=tuple(entry.get("command") or ("/bin/sh",)),
        needs=tuple(entry.get("needs") or ()),
        env=dict(entry.get("env") or {}),
        workdir=entry.get("workdir") or "",
    )


# program: where it stands in every container, on top of the host's files
_LAYER_PROGRAMS = {
    "argosay": "argosay",
    "cowsay": "usr/local/bin/cowsay",
    "nginx": "usr/local/bin/nginx",
}


def write_layer(layer: Path) -> None:
    """The files that every container has and the host may lack."""
    programs = resources.files("argo_yaml_provider.local") / "programs"
    for name, where in _LAYER_PROGRAMS.items():
        _write_program(layer / where, (programs / f"{name}.sh").read_text())
    if not shutil.which("busybox", path=PATH):
        folder = "usr/bin" if Path("/bin").is_symlink() else "bin"
        _write_program(layer / folder / "busybox", (programs / "busybox.sh").read_text())
    link = layer / "usr/local/bin"
    for name in ("python", "python3"):
        (link / name).unlink(missing_ok=True)
        (link / name).symlink_to(base_python())


def _write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def base_python() -> str:
    """The interpreter below any virtual environment: an image has its own packages, not ours."""
    found: str = getattr(sys, "_base_executable", sys.executable)
    return str(Path(found).resolve())
