"""A folder's workflow files, mirrored with a small DAG file beside each.

In: files as bytes by their path in the folder.  Out: a folder of DAG files; files kept by version.
Must not know: bundles.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argo_yaml_provider.airflow.files import data_names, is_workflow
from argo_yaml_provider.airflow.load import Entry, Folder, named

DAG_FILE = """\
# {name}, shown to Airflow as a DAG file. Change the workflow: this file is written from it.

from argo_yaml_provider.airflow import load_file, show_error

# As it was at this version ({key}):
SOURCE = {source}

{call}
"""
Files = Mapping[str, bytes]


@dataclass(slots=True, kw_only=True)
class Source:
    """A folder's workflow files, and those that they may refer to, `.airflowignore` respected; read when they change."""

    folder: Path
    beside: tuple[Path, ...] = ()
    """More places of templates, which are watched and not read."""
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    _read: dict[str, bytes] = field(default_factory=dict)

    def changed(self) -> bool:
        """Whether there is anything new since the last look."""
        found = dict(self._glance())
        if found == self._seen:
            return False
        self._read = {name: self._content(name, stamp) for name, stamp in found.items() if not name.startswith("/")}
        self._seen = found
        return True

    @property
    def files(self) -> Files:
        """As of the last look; paths with `/`."""
        return {name: raw for name, raw in self._read.items() if raw}

    def _glance(self) -> Iterator[tuple[str, tuple[int, int]]]:
        begin = len(str(self.folder)) + 1
        places = [(path[begin:], path) for path in data_names(self.folder)]
        places += [(path, path) for home in self.beside for path in data_names(home.absolute())]
        for name, path in places:
            with contextlib.suppress(OSError):
                stat = os.stat(path)  # noqa: PTH116 - to make a Path of each costs more
                yield name, (stat.st_mtime_ns, stat.st_size)

    def _content(self, name: str, stamp: tuple[int, int]) -> bytes:
        """Nothing, where a file is none of our business."""
        if self._seen.get(name) == stamp:
            return self._read[name]
        try:
            raw = (self.folder / name).read_bytes()
        except OSError:
            return b""
        return raw if _matters(raw) else b""


def _matters(raw: bytes) -> bool:
    return is_workflow(raw) or b"Template" in raw or b"ConfigMap" in raw


@dataclass(slots=True, kw_only=True)
class Mirror:
    """A folder that holds some files and their DAG files, and nothing else."""

    target: Path
    _there: dict[str, bytes] | None = None
    """What the folder holds; read once, for nobody else writes there."""
    _entries: dict[str, tuple[str, list[Entry]]] = field(default_factory=dict)

    def show(self, files: Files) -> None:
        """Hold these; what is as it should be is not touched.

        A mirror that is new is read by nobody before it is done, and what a killed process leaves half written is mended here,
        by the next: so its files are written where they will be. Others are replaced in one step.
        """
        self.target.mkdir(parents=True, exist_ok=True)
        fresh = False
        if self._there is None:
            self._there = self._read_all()
            fresh = not self._there
        write = _write_new if fresh else _write_whole
        self._make(files, lambda name: not name.endswith(".py"), write)
        self._make(self._dag_files(files), lambda name: name.endswith(".py"), write)

    def _read_all(self) -> dict[str, bytes]:
        below = [path for path in self.target.rglob("*") if path.is_file()]
        return {path.relative_to(self.target).as_posix(): path.read_bytes() for path in below}

    def _make(self, files: Files, ours: Callable[[str], bool], write: Callable[[Path, bytes], None]) -> None:
        """Write the files, and remove others that are `ours`."""
        there = self._there
        assert there is not None
        for name in [name for name in there if ours(name) and name not in files]:
            (self.target / name).unlink(missing_ok=True)
            del there[name]
        for name, raw in files.items():
            if there.get(name) != raw:
                write(self.target / name, raw)
                there[name] = raw

    def _dag_files(self, files: Files) -> dict[str, bytes]:
        """The text of each workflow file's DAG file, by its name."""
        from argo_yaml_provider.airflow.settings import read_settings

        folder = Folder(folder=self.target, settings=read_settings(), held=files)
        with folder.cache.open():
            self._entries = {name: self._read(folder, name, raw) for name, raw in files.items() if is_workflow(raw)}
        chosen = named([entry for _, entries in self._entries.values() for entry in entries])
        ids = {(entry.place, entry.by_path): entry.dag_id for entry in chosen if not entry.error}
        clashes = {entry.dag_id: entry.error for entry in chosen if entry.error}
        found = {}
        for name, (key, entries) in self._entries.items():
            errors = [entry.error or clashes[entry.dag_id] for entry in entries if (entry.place, entry.by_path) not in ids]
            call = _failing(errors[0]) if errors else _loading([ids[entry.place, entry.by_path] for entry in entries])
            found[f"{name}.py"] = _dag_file(name, files[name], key, call)
        return found

    def _read(self, folder: Folder, name: str, raw: bytes) -> tuple[str, list[Entry]]:
        key = folder.key(raw)
        kept = self._entries.get(name)
        return kept if kept and kept[0] == key else (key, folder.read(self.target / name))


def _dag_file(name: str, raw: bytes, key: str, call: str) -> bytes:
    source = _literal(raw.decode("utf-8", errors="replace"))
    return DAG_FILE.format(name=json.dumps(name.rpartition("/")[2]), key=key[:12], source=source, call=call).encode()


def _loading(dag_ids: list[str]) -> str:
    return f"load_file(globals(), {', '.join(map(repr, dag_ids))})"


def _failing(error: str) -> str:
    return f"ERROR = {_literal(error)}\n\nshow_error(ERROR)"


def _literal(text: str) -> str:
    """A Python literal in which YAML can be read."""
    for quotes in ('"""', "'''"):
        if quotes not in text and "\r" not in text and "\0" not in text and not text.endswith(("\\", quotes[0])):
            return f"r{quotes}\n{text}{quotes}"
    return repr(text)


def _write_new(path: Path, raw: bytes) -> None:
    """A file that is not there: never into one whose content others share."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(raw)


def _write_whole(path: Path, raw: bytes) -> None:
    """In one step, whatever is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
    Path(name).replace(path)


def _share(shown: Path, path: Path, raw: bytes) -> None:
    """A second name of a mirror's file, which is never written into again, or else a file like it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.hardlink_to(shown)
    except OSError:  # two file systems, or one that has no links
        _write_whole(path, raw)


@dataclass(slots=True, kw_only=True)
class Store:
    """Every version of a folder that was ever seen, each file's content once."""

    folder: Path
    _kept: set[str] = field(default_factory=set)
    """Contents that need not be looked for again."""

    def keep(self, files: Files, shown: Path) -> str:
        """The version: a hash of the files, which the mirror at `shown` holds."""
        hashes = {name: hashlib.sha256(raw).hexdigest() for name, raw in sorted(files.items())}
        listed = json.dumps(hashes).encode()
        version = hashlib.sha256(listed).hexdigest()[:40]
        if not (self.folder / f"{version}.json").is_file():
            for name, content in hashes.items():
                if content not in self._kept and not (self.folder / "contents" / content).is_file():
                    _share(shown / name, self.folder / "contents" / content, files[name])
            _write_whole(self.folder / f"{version}.json", listed)
            self._kept.update(hashes.values())
        return version

    def files(self, version: str) -> dict[str, bytes] | None:
        """The files of a version, or None if it was not kept here."""
        try:
            hashes = json.loads((self.folder / f"{version}.json").read_bytes())
            return {name: (self.folder / "contents" / content).read_bytes() for name, content in hashes.items()}
        except OSError:
            return None
