from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.step.unpack import unpack


def archive(*members: tuple[str, str, bytes]) -> io.BytesIO:
    """Of name, type (as tarfile has it) and content or link target."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind.encode()
            if kind == "0":
                info.size, info.mode = len(content), 0o750
            else:
                info.linkname = content.decode()
            tar.addfile(info, io.BytesIO(content))
    made.seek(0)
    return made


def test_a_file_takes_the_name_of_its_place(tmp_path: Path) -> None:
    unpack(archive(("data", "0", b"hello")), tmp_path / "brought")
    assert ((tmp_path / "brought").read_bytes(), (tmp_path / "brought").stat().st_mode & 0o777) == (b"hello", 0o750)


def test_a_folder_keeps_its_files_and_its_links(tmp_path: Path) -> None:
    unpack(archive(("d", "5", b""), ("d/a/x", "0", b"1"), ("d/link", "2", b"a/x"), ("d/a/up", "2", b"../a")), tmp_path / "to")
    assert ((tmp_path / "to/link").read_bytes(), (tmp_path / "to/a/up/x").read_bytes()) == (b"1", b"1")


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([("d/../../x", "0", b"")], id="climbing"),
        pytest.param([("d", "5", b""), ("d/l", "2", b"/etc")], id="absolute-link"),
        pytest.param([("d", "5", b""), ("d/l", "2", b"..")], id="link-to-above"),
        pytest.param([("d", "5", b""), ("d/s/m", "2", b".."), ("d/l", "2", b"s/m/../x")], id="link-that-climbs-late"),
        pytest.param([("d", "2", b"/etc")], id="a-link-as-the-whole"),
    ],
)
def test_nothing_is_written_outside(members: list[tuple[str, str, bytes]], tmp_path: Path) -> None:
    with pytest.raises(RunError) as refused:
        unpack(archive(*members), tmp_path / "to")
    assert refused.value.message.startswith("the archive would write outside of its folder: d")
    assert [path.name for path in tmp_path.iterdir() if path.name != "to"] == []


def test_a_file_replaces_a_link_and_does_not_follow_it(tmp_path: Path) -> None:
    unpack(archive(("d", "5", b""), ("d/a", "0", b"1"), ("d/l", "2", b"a"), ("d/l", "0", b"2")), tmp_path / "to")
    assert ((tmp_path / "to/a").read_bytes(), (tmp_path / "to/l").read_bytes()) == (b"1", b"2")
