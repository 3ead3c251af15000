"""What the supervisor packs, by the busybox of this machine or by what stands in for it."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.artifacts.containers import Moved
from argo_yaml_provider.pods.artifacts import Moves, Output, pack_script

BUSYBOX = shutil.which("busybox")
pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="needs a busybox")


def packed(tmp_path: Path, path: Path | str, archive: dict[str, Any] | None) -> Path:
    """Packs one artifact; where it lies then."""
    location = {"s3": {"endpoint": "e", "bucket": "b", "key": "k"}}
    artifact = {"name": "a", "path": str(path), "archive": archive, **location}
    output = Output(moved=Moved(index=3, artifact=artifact, path=str(path)), recorded=artifact)
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    start = f"home={home} work={home}/work bb={BUSYBOX}\n"
    subprocess.run([str(BUSYBOX), "sh", "-c", start + pack_script(Moves(outputs=(output,)))], check=True)
    return home / "artifacts" / "3"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "some folder"
    (made / "sub").mkdir(parents=True)
    (made / "sub" / "a'b.txt").write_text("hello")
    (made / "ü.txt").write_text("x" * 100_000)
    (made / "empty").write_text("")
    return made


def test_a_tar_holds_a_folder_under_its_own_name(tmp_path: Path, folder: Path) -> None:
    with tarfile.open(packed(tmp_path, folder, None), "r:gz") as tar:
        assert sorted(tar.getnames()) == [
            "some folder",
            "some folder/empty",
            "some folder/sub",
            "some folder/sub/a'b.txt",
            "some folder/ü.txt",
        ]


def test_a_tar_holds_a_single_file_under_its_own_name(tmp_path: Path, folder: Path) -> None:
    with tarfile.open(packed(tmp_path, folder / "ü.txt", {"tar": {"compressionLevel": 0}}), "r:gz") as tar:
        assert [(member.name, member.size) for member in tar.getmembers()] == [("ü.txt", 100_000)]


def test_a_zip_holds_what_argos_does_files_alone_in_the_order_of_a_walk_without_times_and_modes(
    tmp_path: Path, folder: Path
) -> None:
    (folder / "nothing").mkdir()
    (folder / "sub.txt").write_text("after what is in sub")
    (folder / "sub-2").write_text("before it, by its name, and yet after it")
    (folder / "two\nlines").write_text("2")
    (folder / "sub" / "run.sh").write_text("#!/bin/sh")
    (folder / "sub" / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("ü.txt")
    (folder / "linked").symlink_to("sub")
    with zipfile.ZipFile(packed(tmp_path, folder, {"zip": {}})) as archive:
        assert archive.testzip() is None
        files = [(name.removeprefix("some folder/"), archive.read(name)) for name in archive.namelist()]
        kinds = {
            (entry.compress_type, entry.create_system, entry.create_version, entry.external_attr, entry.date_time)
            for entry in archive.infolist()
        }
    assert files == [
        ("empty", b""),
        ("link", b""),
        ("linked", b""),
        ("sub/a'b.txt", b"hello"),
        ("sub/run.sh", b"#!/bin/sh"),
        ("sub-2", b"before it, by its name, and yet after it"),
        ("sub.txt", b"after what is in sub"),
        ("two\nlines", b"2"),
        ("ü.txt", b"x" * 100_000),
    ]
    assert kinds == {(zipfile.ZIP_DEFLATED, 0, 20, 0, (1980, 0, 0, 0, 0, 0))}


def test_a_zip_holds_a_single_file_under_its_own_name(tmp_path: Path, folder: Path) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(folder / "sub" / "a'b.txt")
    with zipfile.ZipFile(packed(tmp_path, link, {"zip": {}})) as archive:
        assert [(name, archive.read(name)) for name in archive.namelist()] == [("link.txt", b"hello")]


@pytest.mark.parametrize("archive", [{"tar": {}}, {"zip": {}}, {"none": {}}], ids=["tar", "zip", "none"])
def test_a_folder_may_be_named_with_a_slash_at_its_end(tmp_path: Path, folder: Path, archive: dict[str, Any]) -> None:
    plain = packed(tmp_path / "1", folder, archive)
    assert [path.read_bytes() for path in _files(packed(tmp_path / "2", f"{folder}/", archive))] == [
        path.read_bytes() for path in _files(plain)
    ]


def _files(made: Path) -> list[Path]:
    return sorted(path for path in (made, *made.rglob("*")) if path.is_file())


def test_without_an_archive_the_files_stay_as_they_are(tmp_path: Path, folder: Path) -> None:
    assert (packed(tmp_path, folder, {"none": {}}) / "sub" / "a'b.txt").read_text() == "hello"


def test_a_linked_file_is_packed_under_the_name_of_the_link(tmp_path: Path, folder: Path) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(folder / "ü.txt")
    with tarfile.open(packed(tmp_path, link, None), "r:gz") as tar:
        assert [(member.name, member.size) for member in tar.getmembers()] == [("link.txt", 100_000)]


def test_what_is_not_there_is_not_packed(tmp_path: Path) -> None:
    assert [packed(tmp_path, tmp_path / "nothing", None).exists(), list((tmp_path / "home/artifacts").iterdir())] == [False, []]
