"""Containers without a mount namespace: paths of the pod are replaced by the host's, where they can be seen.

In: a sandbox spec.  Out: the same, its command and environment speaking of folders of this machine.
Must not know: pods. A path that a program makes up itself is not replaced; that is what the warning is about.
"""

from __future__ import annotations

import re
from pathlib import Path

from argo_yaml_provider.local.resources import Json

_BEFORE, _AFTER = r"(?<![\w.\-/])", r"(?![\w.\-])"


def substitute(text: str, paths: dict[str, str]) -> str:
    """Replace whole paths, longer ones first: /a/b is not found in /a/bc, nor in /x/a/b."""
    if not paths:
        return text
    ordered = sorted(paths, key=len, reverse=True)
    pattern = re.compile(_BEFORE + "(" + "|".join(re.escape(path) for path in ordered) + ")" + _AFTER)
    return pattern.sub(lambda found: paths[found[1]], text)


def without_mounts(spec: Json, layer: Path, folder: Path) -> Json:
    """The spec for a plain process: mounts by substitution, our programs by PATH."""
    paths = {mount["target"].rstrip("/") or "/": mount["source"] for mount in spec["mounts"]}
    paths = {target: source for target, source in paths.items() if target != "/"}
    paths |= {f"/{entry.name}": str(entry) for entry in layer.iterdir() if entry.is_file()}
    paths.setdefault("/tmp", spec["disk"])  # noqa: S108 - the pod's, replaced by one of our own
    work = folder / "work"
    work.mkdir(exist_ok=True)
    env = {name: substitute(value, paths) for name, value in spec["env"].items()}
    programs = ":".join(str(layer / where) for where in ("usr/local/bin", "usr/bin", "bin"))
    env |= {"PATH": f"{env.get('PATH', '')}:{programs}", "TMPDIR": spec["disk"], "HOME": str(work)}
    cwd = substitute(spec["cwd"], paths) if spec["cwd"] else str(work)
    return {**spec, "argv": [substitute(part, paths) for part in spec["argv"]], "env": env, "cwd": cwd}
