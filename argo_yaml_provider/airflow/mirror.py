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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from argo_yaml_provider.airflow.load import Folder, named

DAG_FILE = """\
# {name}, shown to Airflow as a DAG file. Change the workflow: this file is written from it.

from argo_yaml_provider.airflow import load_file, show_error

# As it was at this version ({key}):
SOURCE = {source}

{call}
"""
Files = Mapping[str, bytes]


def read_folder(folder: Path) -> dict[str, bytes]:
    """The workflow files, and those that they may refer to, `.airflowignore` respected; paths with `/`."""
    from argo_yaml_provider.airflow.files import data_files, holds_workflow

    found = {}
    for path in data_files(folder):
        with contextlib.suppress(OSError):
            raw = path.read_bytes()
            if holds_workflow(path) or b"Template" in raw or b"ConfigMap" in raw:
                found[path.relative_to(folder).as_posix()] = raw
    return found


def mirror(files: Files, target: Path) -> None:
    """Make `target` hold the files and their DAG files, and nothing else; what is as it should be is not touched."""
    _make(target, files, lambda name: not name.endswith(".py"))
    _make(target, _dag_files(target, files), lambda name: name.endswith(".py"))


def _make(target: Path, files: Files, ours: Callable[[str], bool]) -> None:
    """Write the files, and remove others that are `ours`."""
    target.mkdir(parents=True, exist_ok=True)
    for name, raw in files.items():
        _write(target / name, raw)
    for path in [path for path in target.rglob("*") if path.is_file()]:
        name = path.relative_to(target).as_posix()
        if ours(name) and name not in files:
            path.unlink(missing_ok=True)


def _dag_files(target: Path, files: Files) -> dict[str, bytes]:
    """The text of each workflow file's DAG file, by its name."""
    from argo_yaml_provider.airflow.settings import read_settings

    folder = Folder(folder=target, settings=read_settings())
    by_path = folder.by_path()
    chosen = named([entry for entries in by_path.values() for entry in entries])
    ids = {(entry.place, entry.by_path): entry.dag_id for entry in chosen if not entry.error}
    clashes = {entry.dag_id: entry.error for entry in chosen if entry.error}
    found = {}
    for path, entries in by_path.items():
        name = path.relative_to(target).as_posix()
        errors = [entry.error or clashes[entry.dag_id] for entry in entries if (entry.place, entry.by_path) not in ids]
        raw = files[name]
        found[f"{name}.py"] = DAG_FILE.format(
            name=json.dumps(path.name),
            call=_failing(errors[0]) if errors else _loading([ids[entry.place, entry.by_path] for entry in entries]),
            key=folder.key(raw)[:12],
            source=_literal(raw.decode("utf-8", errors="replace")),
        ).encode()
    return found


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


def _write(path: Path, raw: bytes) -> None:
    """In one step, and only if it is not so already: Airflow parses again what has a new time."""
    with contextlib.suppress(OSError):
        if path.read_bytes() == raw:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
    Path(name).replace(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Every version of a folder that was ever seen, each file's content once."""

    folder: Path

    def keep(self, files: Files) -> str:
        """The version: a hash of the files."""
        hashes = {name: hashlib.sha256(raw).hexdigest() for name, raw in sorted(files.items())}
        listed = json.dumps(hashes).encode()
        version = hashlib.sha256(listed).hexdigest()[:40]
        if not (self.folder / f"{version}.json").is_file():
            for name, content in hashes.items():
                _write(self.folder / "contents" / content, files[name])
            _write(self.folder / f"{version}.json", listed)
        return version

    def files(self, version: str) -> dict[str, bytes] | None:
        """The files of a version, or None if it was not kept here."""
        try:
            hashes = json.loads((self.folder / f"{version}.json").read_bytes())
            return {name: (self.folder / "contents" / content).read_bytes() for name, content in hashes.items()}
        except OSError:
            return None
