"""A tar stream from a pod, unpacked on this machine without leaving its folder.

In: a stream whose first path component stands for the place.  Out: files, folders and links below the place.
Python has a filter for this (PEP 706) since 3.11.4 only. Whoever wrote the stream is not trusted.
"""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from argo_yaml_provider.diagnostics import RunError


def unpack(source: BinaryIO, place: Path) -> None:
    """All members; a RunError at the first that would lie, or lead, outside. Devices and the like are left out."""
    with tarfile.open(fileobj=source, mode="r|") as archive:
        for member in archive:
            below = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            _write(archive, member, place / below, place)
    while source.read(65536):
        pass


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path, place: Path) -> None:
    if path != place:
        path.parent.mkdir(parents=True, exist_ok=True)
    if ".." in PurePosixPath(member.name).parts or (path != place and not _inside(path.parent, place)):
        raise _outside(member.name)
    if member.isdir():
        path.mkdir(exist_ok=True)
    elif member.isreg():
        _write_file(archive, member, path)
    elif member.issym():
        _link(member, path, place)


def _write_file(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    content = archive.extractfile(member)
    assert content is not None
    path.unlink(missing_ok=True)  # a link there would be followed
    with path.open("xb") as file:
        shutil.copyfileobj(content, file)
    path.chmod(member.mode & 0o755 | 0o600)


def _link(member: tarfile.TarInfo, path: Path, place: Path) -> None:
    target = PurePosixPath(member.linkname)
    climbs_late = ".." in target.parts[len([part for part in target.parts if part == ".."]) :]
    if path == place or climbs_late or not _inside(path.parent.resolve() / target, place):
        raise _outside(f"{member.name} -> {member.linkname}")
    path.unlink(missing_ok=True)
    path.symlink_to(member.linkname)


def _inside(path: Path, place: Path) -> bool:
    return path.resolve().is_relative_to(place.resolve())


def _outside(name: str) -> RunError:
    return RunError(
        f"the archive would write outside of its folder: {name}", help="whoever made the artifact is not to be trusted"
    )
