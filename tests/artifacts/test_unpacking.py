"""Archives, good and hostile, unpacked by the tools of a Debian and by those of a busybox."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.artifacts.containers import Moved, Tools, fetch_containers

PLACE = "artifact model failed to load: volume k: "
DAMAGED = f"{PLACE}its archive is damaged: store it again, or declare archive none if it is no archive"
LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacker:
    """Fetches an archive from a volume's folder, with one set of tools."""

    folder: Path
    path: str

    def unpack(self, data: bytes, destination: Path | None = None, **artifact: Any) -> str:
        """What the container says; what it unpacked is at `got`."""
        (self.folder / "k").write_bytes(data)
        volume = {"volume": {"source": {"emptyDir": {}}, "key": "k"}}
        moved = Moved(index=1, artifact={"name": "model", **volume, **artifact}, path=str(destination or self.got))
        (container,) = fetch_containers([moved], Tools(unpack_limit=LIMIT))
        script = container["args"][0].replace("$$", "$")
        for word in {word for word in script.replace("'", " ").split() if word.startswith("/argo/store/")}:
            script = script.replace(word, str(self.folder / "k"))
        log = self.folder / "log"
        log.write_text("")
        env = {"PATH": self.path, "TERMINATION_LOG": str(log), "HOME": str(self.folder), "TMPDIR": str(self.folder)}
        shell = shutil.which("sh", path=self.path)
        assert shell
        subprocess.run([shell, "-c", script], env=env, check=False, capture_output=True, timeout=60)
        return log.read_text().rstrip("\n")

    @property
    def got(self) -> Path:
        return self.folder / "got"

    def tree(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.got)): path.read_text() if path.is_file() else "" for path in sorted(self.got.rglob("*"))
        }


@pytest.fixture(params=["debian", "busybox"])
def unpacker(request: pytest.FixtureRequest, tmp_path: Path) -> Unpacker:
    folder = tmp_path / "work"
    folder.mkdir()
    if request.param == "debian":
        return Unpacker(folder=folder, path=os.environ["PATH"])
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("busybox is not installed")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        (tools / name).symlink_to(busybox)
    return Unpacker(folder=folder, path=str(tools))


def tar(fill: Callable[[tarfile.TarFile], None]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        fill(archive)
    return made.getvalue()


def tar_of(*files: tuple[str, bytes]) -> bytes:
    def fill(archive: tarfile.TarFile) -> None:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))

    return tar(fill)


def zip_of(*files: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return made.getvalue()


ZIP = {"archive": {"zip": {}}}
PACKERS = [pytest.param(tar_of, {}, id="tar"), pytest.param(zip_of, ZIP, id="zip")]


@pytest.mark.parametrize(("pack", "how"), PACKERS)
def test_a_single_entry_takes_the_artifacts_place(unpacker: Unpacker, pack: Any, how: Any) -> None:
    assert unpacker.unpack(pack(("one", b"1")), **how) == ""
    assert unpacker.got.read_text() == "1"
    unpacker.got.unlink()
    assert unpacker.unpack(pack(("folder/one", b"1"), ("folder/sub/two", b"2")), **how) == ""
    assert unpacker.tree() == {"one": "1", "sub": "", "sub/two": "2"}


@pytest.mark.parametrize(("pack", "how"), PACKERS)
def test_names_may_be_anything_that_stays_inside(unpacker: Unpacker, pack: Any, how: Any) -> None:
    names = ["ümlaut/日本", "a..b", ".hidden", "-rf", "with space", "$(x)", "...", "~"]
    assert unpacker.unpack(pack(*((name, b"x") for name in names)), **how) == ""
    assert {name for name, text in unpacker.tree().items() if text} == set(names)


@pytest.mark.parametrize(("pack", "how"), PACKERS)
@pytest.mark.parametrize("name", ["../evil", "ok/../../evil"])
def test_a_name_that_leads_out_is_refused(unpacker: Unpacker, pack: Any, how: Any, name: str) -> None:
    want = f"{PLACE}its archive holds a name that leads out of it: store it again, without .."
    assert unpacker.unpack(pack(("fine", b"x"), (name, b"x")), **how) == want
    assert sorted(path.name for path in unpacker.folder.parent.rglob("*evil*")) == []
    assert not unpacker.got.exists()


@pytest.mark.parametrize("target", ["/etc", "../../elsewhere", "/etc/passwd"])
def test_a_link_that_leads_out_is_refused(unpacker: Unpacker, target: str) -> None:
    def fill(archive: tarfile.TarFile) -> None:
        for name in ("fine", "way-out"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "nearby" if name == "fine" else target
            archive.addfile(link)

    assert unpacker.unpack(tar(fill)) == f"{PLACE}its archive holds a link that leads out of it: way-out"


def test_nothing_is_written_through_a_link(unpacker: Unpacker) -> None:
    outside = unpacker.folder / "outside"
    outside.mkdir()

    def fill(archive: tarfile.TarFile) -> None:
        link = tarfile.TarInfo("door")
        link.type, link.linkname = tarfile.SYMTYPE, str(outside)
        archive.addfile(link)
        entry = tarfile.TarInfo("door/evil")
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"x"))

    assert unpacker.unpack(tar(fill)).startswith(PLACE)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(("pack", "how"), PACKERS)
def test_an_archive_that_unpacks_to_too_much_is_refused(unpacker: Unpacker, pack: Any, how: Any) -> None:
    want = f"{PLACE}its archive unpacks to more than 0 GiB: raise [argo_yaml] artifact_unpack_limit"
    assert unpacker.unpack(pack(("bomb", bytes(64 * LIMIT))), **how) == want
    assert not unpacker.got.exists()
    assert [path.name for path in unpacker.folder.glob("got*")] == []


def test_a_zip_that_lies_about_its_size_writes_no_more_than_the_limit(unpacker: Unpacker) -> None:
    bomb, size = zip_of(("bomb", bytes(64 * LIMIT))), (64 * LIMIT).to_bytes(4, "little")
    said = unpacker.unpack(bomb.replace(size, (1).to_bytes(4, "little")), **ZIP)
    assert not unpacker.got.exists() or unpacker.got.stat().st_size <= LIMIT
    assert said or unpacker.got.stat().st_size <= LIMIT


@pytest.mark.parametrize(
    ("data", "how"),
    [
        pytest.param(b"no archive", {"archive": {"tar": {}}}, id="no-tar"),
        pytest.param(b"no archive", ZIP, id="no-zip"),
        pytest.param(tar_of(("a", os.urandom(200_000)))[:100_000], {}, id="cut-off"),
        pytest.param(tar_of(("a", b"x" * 50_000))[:-8] + bytes(8), {}, id="wrong-sum"),
        pytest.param(gzip.compress(b"no tar"), {"archive": {"tar": {}}}, id="gzip-of-no-tar"),
    ],
)
def test_a_damaged_archive_is_told(unpacker: Unpacker, data: bytes, how: Any) -> None:
    assert unpacker.unpack(data, **how).partition(" (")[0] == DAMAGED
    assert [path.name for path in unpacker.folder.glob("got*")] == []


@pytest.mark.parametrize(
    "data", [b"plain", gzip.compress(b"compressed, and no tar"), b""], ids=["plain", "compressed", "empty"]
)
def test_what_is_no_archive_arrives_as_it_is(unpacker: Unpacker, data: bytes) -> None:
    assert unpacker.unpack(data) == ""
    assert unpacker.got.read_bytes() == data


@pytest.mark.parametrize(
    ("recurse", "below"), [(True, ("740", "740")), (False, ("700", "600"))], ids=["recursive", "its-folder-alone"]
)
def test_a_mode_is_the_folders_and_if_it_is_recursive_that_of_all_below(
    unpacker: Unpacker, recurse: bool, below: tuple[str, str]
) -> None:
    def fill(archive: tarfile.TarFile) -> None:
        for name, kind in (("top", tarfile.DIRTYPE), ("top/sub", tarfile.DIRTYPE), ("top/sub/file", tarfile.REGTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = kind, 0o700 if kind == tarfile.DIRTYPE else 0o600
            archive.addfile(entry)

    assert unpacker.unpack(tar(fill), mode=0o740, recurseMode=recurse) == ""
    modes = {path.name: f"{path.stat().st_mode & 0o777:o}" for path in (unpacker.got, *unpacker.got.rglob("*"))}
    assert modes == {"got": "740", "sub": below[0], "file": below[1]}


def test_a_mode_that_cannot_be_set_is_told(unpacker: Unpacker) -> None:
    def fill(archive: tarfile.TarFile) -> None:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "nowhere"
        archive.addfile(link)

    said = unpacker.unpack(tar(fill), mode=0o640)
    assert said.partition(" (")[0] == "artifact model failed to load: its mode cannot be set: give it none"


def test_an_artifact_takes_the_place_of_a_file_and_of_an_empty_folder(unpacker: Unpacker) -> None:
    unpacker.got.write_text("old")
    assert unpacker.unpack(tar_of(("one", b"new"))) == ""
    assert unpacker.got.read_text() == "new"
    unpacker.got.unlink()
    unpacker.got.mkdir()
    assert unpacker.unpack(tar_of(("a", b"1"), ("b", b"2"))) == ""
    assert unpacker.tree() == {"a": "1", "b": "2"}


def test_a_place_that_is_taken_is_told(unpacker: Unpacker) -> None:
    unpacker.got.mkdir()
    (unpacker.got / "there").write_text("x")
    want = f"artifact model failed to load: {unpacker.got} is a folder already: give the artifact another path"
    assert unpacker.unpack(tar_of(("a", b"1"), ("b", b"2"))) == want
    assert unpacker.unpack(b"plain") == want
    assert unpacker.tree() == {"there": "x"}


def test_a_file_where_a_folder_is_needed_is_told(unpacker: Unpacker) -> None:
    unpacker.got.write_text("a file")
    want = f"artifact model failed to load: {unpacker.got} is a file, and the artifact a folder: give it another path"
    assert unpacker.unpack(tar_of(("a", b"1"), ("b", b"2"))) == want
    said = unpacker.unpack(b"plain", destination=unpacker.got / "below")
    assert said.partition(" (")[0] == (
        f"artifact model failed to load: its folder {unpacker.got} cannot be made:"
        " a file is in its place: give the artifact another path"
    )
