"""Workflow files in a folder, found without parsing them.

In: a folder.  Out: the files that hold something of Argo's to run, in a stable order.
Must not know: what is in them beyond a glance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

SUFFIXES = (".yaml", ".yml", ".json")
_ARGO = re.compile(rb"""apiVersion["']?\s*:\s*["']?argoproj\.io/""")
_KIND = re.compile(rb"""(?m)^["']?kind["']?\s*:\s*["']?([A-Za-z]*)""")
_NOT_RUN = {
    b"ConfigMap",
    b"Secret",
    b"ServiceAccount",
    b"Role",
    b"RoleBinding",
}
_GLANCE = 4 * 2**20
"""Bytes looked at; a file larger than the reader's limit is refused by the reader, not passed over here."""


def workflow_files(folder: Path) -> Iterator[Path]:
    """The folder's workflow files at any depth, `.airflowignore` respected, sorted."""
    return (path for path in data_files(folder) if holds_workflow(path))


def data_files(folder: Path) -> Iterator[Path]:
    """Every YAML and JSON file of the folder, likewise."""
    return map(Path, data_names(folder))


def data_names(folder: Path) -> list[str]:
    """The same as text: to make a Path of each costs more than to look at it."""
    from airflow._shared.module_loading.file_discovery import find_path_from_directory
    from airflow.configuration import conf

    syntax = conf.get("core", "dag_ignore_file_syntax", fallback="glob")
    found = find_path_from_directory(folder, ".airflowignore", syntax)
    return sorted(path for path in found if path.lower().endswith(SUFFIXES))


def holds_workflow(path: Path) -> bool:
    """Whether a file speaks of something of Argo's to run; one that cannot be read is left to the reader to refuse."""
    try:
        with path.open("rb") as file:
            return is_workflow(file.read(_GLANCE))
    except OSError:
        return True


def is_workflow(text: bytes) -> bool:
    """Whether a text speaks of something of Argo's to run; other YAML of the folder is none of our business.

    One whose kind is misspelt is passed on: the reader says what is wrong with it.
    """
    if not _ARGO.search(text):
        return _ARGO.search(text.replace(b"\0", b"")) is not None  # UTF-16, which the reader refuses
    kinds = set(_KIND.findall(text))
    return not kinds or not kinds <= _NOT_RUN
