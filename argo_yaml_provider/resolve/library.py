"""What can be referred to: the templates of the file, of its folder, and of the `--templates` paths.

In: paths.  Out: `Library`.
Must not know: who refers to what.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from argo_yaml_provider.diagnostics import SpecError
from argo_yaml_provider.resolve.resolved import Library
from argo_yaml_provider.source import read_file
from argo_yaml_provider.spec.load import Loaded, load_all

SUFFIXES = (".yaml", ".yml", ".json")
_TEMPLATE_KIND = re.compile(rb"kind[\"']?\s*:\s*[\"']?(Cluster)?WorkflowTemplate\b")
_LARGE = 2**24
_EMPTY = Loaded(resources=(), problems=(), broken=frozenset())


def load_path(path: str | Path, *, shown_as: str = "") -> Loaded:
    """What a file holds; read once as long as it does not change."""
    try:
        stat = Path(path).stat()
    except OSError:
        return load_all(read_file(path, shown_as=shown_as))
    return _load(str(path), shown_as or str(path), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=512)
def _load(path: str, shown_as: str, _changed: int, _size: int) -> Loaded:
    return load_all(read_file(path, shown_as=shown_as))


def find_library(own: Loaded, path: Path | None, library_paths: Iterable[Path] = ()) -> Library:
    """The library of a file: its own templates first, then its folder's, then those of the paths given.

    Other files are read only where the file refers to another resource; one of them that is broken hides nothing but itself.
    """
    groups: list[Iterable[Loaded]] = [[own]]
    if any("emplateRef" in line for resource in own.resources[:1] for line in resource.document.lines.lines):
        if path is not None:
            groups.append(_others(sorted(path.absolute().parent.iterdir()), besides=path))
        groups.extend(_others(files_below([folder]), besides=path) for folder in library_paths)
    return build_library(loaded for group in groups for loaded in group)


def build_library(files: Iterable[Loaded]) -> Library:
    """A library of files in order; of two templates with one name the first counts."""
    library = Library()
    for loaded in files:
        if loaded.problems:
            library.problems.setdefault(loaded.problems[0].pos.file, loaded.problems)
        for resource in loaded.resources:
            if resource.kind == "WorkflowTemplate" and resource.is_argo:
                library.namespaced.setdefault(resource.name, resource)
            elif resource.kind == "ClusterWorkflowTemplate" and resource.is_argo:
                library.cluster.setdefault(resource.name, resource)
    return library


def files_below(paths: Iterable[Path]) -> Iterator[Path]:
    """The YAML and JSON files among paths: a folder stands for all below it."""
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
        else:
            yield path


def _others(files: Iterable[Path], *, besides: Path | None) -> Iterator[Loaded]:
    """The files that hold templates; the text is looked at first, because few do and reading them all takes long."""
    own = besides.absolute() if besides else None
    for file in files:
        if file.suffix in SUFFIXES and file.absolute() != own and file.is_file():
            stat = file.stat()
            if _holds_templates(str(file), stat.st_mtime_ns, stat.st_size):
                yield _try_load(file)


@lru_cache(maxsize=4096)
def _holds_templates(path: str, _changed: int, size: int) -> bool:
    try:
        return size > _LARGE or bool(_TEMPLATE_KIND.search(Path(path).read_bytes()))
    except OSError:
        return False


def _try_load(file: Path) -> Loaded:
    try:
        return load_path(file)
    except (SpecError, OSError):
        return _EMPTY
