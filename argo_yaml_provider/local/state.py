"""The folder that one embedded Kubernetes keeps its state in, and what earlier ones left behind.

In: a parent folder.  Out: a folder of our own, mode 0700; those of dead servers are removed.
Must not know: what is kept in it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

from argo_yaml_provider.diagnostics import RunError

_PREFIX = "argo-yaml-kube-"


def claim_folder(root: Path | None) -> Path:
    """Make our folder, after clearing away what a killed server left."""
    parent = root or Path(tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.glob(f"{_PREFIX}*"):
        _clear(old)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    (folder / "pid").write_text(f"{os.getpid()} {begun_at(os.getpid())}")
    return folder


def release_folder(folder: Path) -> None:
    shutil.rmtree(folder, onerror=_insist)


def _insist(function: Any, path: str, _: Any) -> None:
    """Overlays leave folders that nobody may enter, not even their owner."""
    with contextlib.suppress(OSError):
        Path(path).chmod(0o700)
        Path(path).parent.chmod(0o700)
        function(path) if function is not os.scandir and function is not os.open else shutil.rmtree(path, ignore_errors=True)


def begun_at(pid: int) -> str:
    """When a process started, so that a reused number is not taken for it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _clear(folder: Path) -> None:
    """Remove a folder whose server is gone, and end what it ran without a sandbox."""
    with contextlib.suppress(OSError, ValueError):
        if folder.stat().st_uid != os.geteuid():
            return
        pid, _, begun = (folder / "pid").read_text().partition(" ")
        if begun_at(int(pid)) == begun if begun else _alive(int(pid)):
            return
        for file in (folder / "groups").glob("*"):
            _end_group(int(file.name), file.read_text())
        release_folder(folder)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _end_group(leader: int, begun: str) -> None:
    if begun_at(leader) == begun:
        with contextlib.suppress(OSError):
            os.killpg(leader, signal.SIGKILL)


def read_images(path: Path | None) -> dict[str, Any]:
    """The user's own table of images: name -> {entrypoint, command, needs, env, workdir}."""
    named = path or (Path(os.environ["ARGO_YAML_IMAGES"]) if os.environ.get("ARGO_YAML_IMAGES") else None)
    if named is None:
        return {}
    import yaml

    try:
        table = yaml.safe_load(named.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise RunError(f"the images table {named} cannot be read: {error}") from None
    if not isinstance(table, dict) or not all(isinstance(entry, dict) for entry in table.values()):
        raise RunError(f"the images table {named} is not a mapping of image names to mappings", "write `name: {command: [sh]}`")
    return table
