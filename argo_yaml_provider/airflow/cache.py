"""Compiled files, kept between parses: Airflow parses each DAG file in a new process, again and again.

In: a file and how to compile it.  Out: what compiling gave, or gave before. Kept as JSON, one small file per workflow file,
valid for one content, one version of this package and one content of the templates beside it.
Must not know: DAGs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from argo_yaml_provider import __version__
from argo_yaml_provider.plan.nodes import Json

_REFERS = (b"emplateRef", b"configMapKeyRef")
_FORMAT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """A folder of compiled files; without a folder, or where it cannot be written, nothing is kept."""

    folder: Path | None

    def look_up(self, path: Path, key: str, compute: Callable[[], Json]) -> Json:
        """What `compute` gives for this file and key."""
        kept = self.read(path)
        if kept is not None and kept.get("key") == key:
            return dict(kept["value"])
        value = compute()
        self.write(path, {"key": key, "value": value})
        return value

    def read(self, path: Path) -> Json | None:
        """The entry of the path, whatever its key."""
        if self.folder is None:
            return None
        try:
            return dict(json.loads(self._place(path).read_bytes()))
        except (OSError, ValueError):
            return None

    def write(self, path: Path, entry: Json) -> None:
        """Keep the entry in one step, so that no one reads half of it."""
        if self.folder is None:
            return
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(entry, file, separators=(",", ":"))
            Path(name).replace(self._place(path))

    def _place(self, path: Path) -> Path:
        assert self.folder is not None
        return self.folder / f"{hashlib.sha256(str(path).encode()).hexdigest()[:40]}.json"


def content_key(raw: bytes, templates: Callable[[], str]) -> str:
    """The key of a file's content; that of the templates counts only where the file refers to any."""
    digest = hashlib.sha256(f"{_FORMAT} {__version__} {compiler_stamp()}\n".encode())
    digest.update(raw)
    if any(word in raw for word in _REFERS):
        digest.update(templates().encode())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def compiler_stamp() -> int:
    """Changes with the compiler's own files, so that working on them, or installing a build of the same version, counts."""
    package = Path(__file__).parent.parent
    folders = [package / name for name in ("source", "expr", "spec", "resolve", "plan")]
    return hash(tuple(path.stat().st_mtime_ns for folder in folders for path in sorted(folder.rglob("*.py"))))


def templates_key(files: Iterable[Path]) -> str:
    """One digest of every file that may hold templates."""
    digest = hashlib.sha256()
    for path in sorted(files):
        with contextlib.suppress(OSError):
            raw = path.read_bytes()
            if b"Template" in raw or b"ConfigMap" in raw:
                digest.update(str(path).encode() + b"\0" + raw + b"\0")
    return digest.hexdigest()
