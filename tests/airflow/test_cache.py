"""One file of compiled files, in the hands of several processes and after accidents."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.airflow.cache import FILE, Cache

ONE = Path("/workflows/one.yaml")


def compiled(folder: Path, path: Path = ONE, key: str = "key", value: str = "new") -> Any:
    """What is kept, or else `value`, from now on."""
    return Cache(folder=folder).look_up(path, key, lambda: {"text": value})["text"]


def test_what_was_compiled_is_found_again_until_its_key_changes(tmp_path: Path) -> None:
    values = [compiled(tmp_path, key=key, value=value) for key, value in (("a", "1"), ("a", "2"), ("b", "3"), ("a", "4"))]
    assert values == ["1", "1", "3", "4"]


def test_without_a_folder_nothing_is_kept() -> None:
    cache = Cache(folder=None)
    assert [cache.look_up(ONE, "key", lambda number=number: {"n": number}) for number in (1, 2)] == [{"n": 1}, {"n": 2}]


def test_a_path_may_be_any_bytes(tmp_path: Path) -> None:
    strange = Path(os.fsdecode(b"/workflows/\xff'.yaml"))
    assert [compiled(tmp_path, path=strange, value=value) for value in ("1", "2")] == ["1", "1"]


def test_all_is_in_one_file_that_its_owner_alone_may_read(tmp_path: Path) -> None:
    for number in range(5):
        compiled(tmp_path / "deep" / "cache", path=Path(f"{number}.yaml"))
    modes = {path.name: f"{path.stat().st_mode & 0o777:o}" for path in (tmp_path / "deep").rglob("*")}
    assert modes == {"cache": "700", FILE: "600", f"{FILE}-journal": "600"}


def test_what_is_open_is_read_before_it_is_written_and_by_others_after_it_is_closed(tmp_path: Path) -> None:
    ours, theirs = Cache(folder=tmp_path), Cache(folder=tmp_path)
    with ours.open():
        ours.write(ONE, "key", {"n": 1})
        within = (ours.read(ONE, "key"), theirs.read(ONE, "key"))
    assert (within, theirs.read(ONE, "key")) == (({"n": 1}, None), {"n": 1})


def test_nothing_is_open_between_two_uses_for_the_process_may_fork(tmp_path: Path) -> None:
    def opened() -> list[str]:
        links = [Path(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]  # noqa: PTH208 - names, not paths
        return [str(link.readlink()) for link in links if link.is_symlink() and FILE in str(link.readlink())]

    cache = Cache(folder=tmp_path)
    with cache.open():
        cache.read(ONE, "key")
        within = opened()
    cache.write(ONE, "key", {"n": 1})
    assert (within, opened()) == ([str(tmp_path / FILE)], [])


def spoil(folder: Path, how: str) -> None:
    file = folder / FILE
    whole = file.read_bytes()
    if how == "a folder in its place":
        file.unlink()
        file.mkdir()
    elif how == "cannot be written":  # a format that SQLite may only read
        file.write_bytes(whole[:18] + b"\3" + whole[19:])
    elif how == "old page":
        file.write_bytes(whole.replace(b"kept", b"olds"))
    elif how == "other table":
        file.unlink()
        sqlite3.connect(file).execute("CREATE TABLE compiled (a)").connection.close()
    else:
        half, page = len(whole) // 2, 4096
        spoilt = {"empty": b"", "no database": b"x" * 9000, "cut": whole[:half], "bad pages": whole[:page] + b"x" * 10 * page}
        file.write_bytes(spoilt[how])


@pytest.mark.parametrize(
    ("how", "later"),
    [
        pytest.param("empty", "first", id="empty"),
        pytest.param("no database", "first", id="no-database-is-replaced"),
        pytest.param("cut", "first", id="half-of-it-is-replaced"),
        pytest.param("bad pages", "first", id="bad-pages-are-replaced"),
        pytest.param("old page", "first", id="a-value-that-is-not-what-was-kept"),
        pytest.param("a folder in its place", "second", id="a-folder"),
        pytest.param("other table", "second", id="another-table"),
    ],
)
def test_a_file_that_is_broken_is_a_miss(tmp_path: Path, how: str, later: str) -> None:
    for number in range(30):
        compiled(tmp_path, path=Path(f"{number}.yaml"), value="kept" * 500)
    spoil(tmp_path, how)
    path = Path("29.yaml")
    assert [compiled(tmp_path, path=path, value=value) for value in ("first", "second")] == ["first", later]


def test_a_file_that_cannot_be_written_is_still_read(tmp_path: Path) -> None:
    compiled(tmp_path, value="kept")
    spoil(tmp_path, "cannot be written")
    other = [compiled(tmp_path, path=Path("two.yaml"), value=value) for value in ("first", "second")]
    assert (other, compiled(tmp_path)) == (["first", "second"], "kept")


def test_of_a_locked_file_a_whole_folder_waits_once(tmp_path: Path) -> None:
    compiled(tmp_path, value="kept")
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("BEGIN EXCLUSIVE")
    cache, begun = Cache(folder=tmp_path), time.monotonic()
    with cache.open():
        values = [cache.look_up(Path(f"{number}.yaml"), "key", lambda: {"text": "new"})["text"] for number in range(250)]
    waited = time.monotonic() - begun
    other.close()
    assert (set(values), waited < 2, compiled(tmp_path)) == ({"new"}, True, "kept")


def test_processes_that_were_forked_read_and_write_beside_each_other(tmp_path: Path) -> None:
    def child(number: int) -> None:
        assert compiled(tmp_path) == "parent's"
        for one in range(20):
            assert compiled(tmp_path, path=Path(f"{number}-{one}.yaml"), value=f"{number}") == f"{number}"

    assert compiled(tmp_path, value="parent's") == "parent's"
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=child, args=(number,)) for number in range(4)]
    for process in children:
        process.start()
    with Cache(folder=tmp_path).open():
        for number in range(20):
            assert compiled(tmp_path, path=Path(f"parent-{number}.yaml"), value="p") == "p"
    for process in children:
        process.join()
    kept = [compiled(tmp_path, path=Path(f"{number}-{one}.yaml")) for number in range(4) for one in range(20)]
    assert ({process.exitcode for process in children}, kept) == ({0}, [f"{number}" for number in range(4) for _ in range(20)])


def test_a_process_that_is_killed_as_it_writes_spoils_nothing(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from argo_yaml_provider.airflow.cache import Cache
for number in range(10**9):
    Cache(folder=Path({str(tmp_path)!r})).write(Path(f"{{number % 50}}.yaml"), "key", {{"text": "kept" * 5000}})
    print(number, flush=True)
"""
    compiled(tmp_path, value="before")
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(20):
                writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
        assert [compiled(tmp_path), compiled(tmp_path, path=Path("5.yaml"))] == ["before", "kept" * 5000]
