"""The mirror on the disk: what is written how, and what an accident leaves of it."""

from __future__ import annotations

import errno
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from argo_yaml_provider.airflow.mirror import Mirror, Store

WORKFLOW = b"""apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME}
spec: {entrypoint: a, templates: [{name: a, container: {image: x}}]}
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__ARGO_YAML__CACHE_DIR", str(tmp_path / "cache"))


def workflows(*names: str) -> dict[str, bytes]:
    return {f"deep/{name}.yaml": WORKFLOW.replace(b"NAME", name.encode()) for name in names}


def held(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def inodes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


def test_a_mirror_holds_each_workflow_and_a_dag_file_that_their_owner_alone_may_read(tmp_path: Path) -> None:
    for names in (("a",), ("a", "b")):  # at first, and later
        Mirror(target=tmp_path / "mirror").show(workflows(*names))
    found = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "mirror" / "deep").iterdir()}
    assert found == dict.fromkeys(("a.yaml", "a.yaml.py", "b.yaml", "b.yaml.py"), 0o600)


def test_what_is_right_is_not_touched_and_what_replaces_another_is_a_file_of_its_own(tmp_path: Path) -> None:
    mirror = Mirror(target=tmp_path / "mirror")
    mirror.show(workflows("a", "b"))
    before = inodes(mirror.target)
    kept_open = (mirror.target / "deep" / "a.yaml").open("rb")
    mirror.show({**workflows("a", "b"), "deep/a.yaml": WORKFLOW.replace(b"NAME", b"other")})
    after = inodes(mirror.target)
    changed = {name for name, inode in after.items() if inode != before[name]}
    with kept_open:
        assert (changed, kept_open.read()) == ({"a.yaml", "a.yaml.py"}, workflows("a")["deep/a.yaml"])


def test_what_a_killed_process_left_half_written_is_mended(tmp_path: Path) -> None:
    files, target = workflows(*(f"wf{number}" for number in range(300))), tmp_path / "mirror"
    writer = multiprocessing.get_context("fork").Process(target=lambda: Mirror(target=target).show(files))
    writer.start()
    while writer.is_alive() and len(held(target)) < 50:
        time.sleep(0.001)
    writer.kill()
    writer.join()
    left = held(target)
    (target / "deep" / "wf0.yaml").write_bytes(files["deep/wf0.yaml"][:40])  # as if killed in the middle of a file
    Mirror(target=target).show(files)
    Mirror(target=tmp_path / "other").show(files)
    assert (50 <= len(left) < 600, held(target)) == (True, held(tmp_path / "other"))


def test_the_store_shares_the_mirrors_files_and_keeps_what_they_were(tmp_path: Path) -> None:
    mirror, store = Mirror(target=tmp_path / "mirror"), Store(folder=tmp_path / "kept")
    first, second = workflows("a", "b"), {"deep/b.yaml": b"# " + WORKFLOW}
    mirror.show(first)
    one = store.keep(first, mirror.target)
    links = {path.name: path.stat().st_nlink for path in mirror.target.rglob("*") if path.is_file()}
    mirror.show(second)
    two = store.keep(second, mirror.target)
    assert links == {"a.yaml": 2, "a.yaml.py": 1, "b.yaml": 2, "b.yaml.py": 1}
    assert (store.files(one), store.files(two), store.files("none")) == (first, second, None)


def test_a_mirror_that_is_new_never_writes_into_what_the_store_shares(tmp_path: Path) -> None:
    files, store = workflows("a"), Store(folder=tmp_path / "kept")
    Mirror(target=tmp_path / "mirror").show(files)
    version = store.keep(files, tmp_path / "mirror")
    (tmp_path / "mirror" / "deep" / "a.yaml").unlink()
    (tmp_path / "mirror" / "deep" / "a.yaml.py").unlink()
    Mirror(target=tmp_path / "mirror").show({"deep/a.yaml": WORKFLOW})
    assert store.files(version) == files


def test_where_no_link_can_be_made_the_store_has_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    mirror, store = Mirror(target=tmp_path / "mirror"), Store(folder=tmp_path / "kept")
    mirror.show(workflows("a"))
    version = store.keep(workflows("a"), mirror.target)
    assert (store.files(version), (mirror.target / "deep" / "a.yaml").stat().st_nlink) == (workflows("a"), 1)
