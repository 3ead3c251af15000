"""The shell that moves artifacts, run here by this machine's own shell with plain files for a store."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from argo_yaml_provider.artifacts.containers import Moved, fetch_containers, fifo, store_containers
from argo_yaml_provider.artifacts.transports import mounts_of

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")


def run_container(container: dict[str, object], tmp_path: Path, **env: str) -> tuple[int, str]:
    """The exit code and the termination message of a container, run on this machine."""
    log = tmp_path / "termination-log"
    log.write_text("")
    given = {entry["name"]: entry["value"].replace("$$", "$") for entry in container["env"]}  # type: ignore[attr-defined]
    script = container["args"][0].replace("$$", "$")  # type: ignore[index]
    code = subprocess.run(
        ["sh", "-c", script],
        env={**os.environ, **given, **env, "TERMINATION_LOG": str(log)},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    ).returncode
    return code, log.read_text()


def raw(name: str, data: str, path: Path, **more: object) -> Moved:
    return Moved(index=1, artifact={"name": name, "raw": {"data": data}, **more}, path=str(path))


def stored(tmp_path: Path, file: Path, destination: Path, **more: object) -> dict[str, object]:
    """A container that fetches what lies in `file`."""
    moved = raw("model", "", destination, **more)
    (container,) = fetch_containers([moved])
    script = container["args"][0].replace('printf %s "$$A1_DATA" > "$$file"', f'[ -e {file} ] && cp -a {file} "$$file"; true')
    return {**container, "args": [script]}


def test_raw_data_arrives_as_it_is(tmp_path: Path) -> None:
    text = 'it\'s $(date) `x` "q" $HOME\n\nlast line, no newline'
    (container,) = fetch_containers([raw("note", text, tmp_path / "in" / "note")])
    assert run_container(container, tmp_path) == (0, "")
    assert (tmp_path / "in" / "note").read_text() == text


def test_a_mode_is_set(tmp_path: Path) -> None:
    (container,) = fetch_containers([raw("tool", "#!/bin/sh", tmp_path / "tool", mode=0o755)])
    assert run_container(container, tmp_path) == (0, "")
    assert (tmp_path / "tool").stat().st_mode & 0o777 == 0o755


def archive(tmp_path: Path, *names: str) -> Path:
    for name in names:
        (tmp_path / "made" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "made" / name).write_text(name)
    target = tmp_path / "made.tgz"
    with tarfile.open(target, "w:gz") as tar:
        for name in sorted({name.split("/")[0] for name in names}):
            tar.add(tmp_path / "made" / name, arcname=name)
    return target


def test_a_tar_of_one_file_takes_the_artifacts_place(tmp_path: Path) -> None:
    container = stored(tmp_path, archive(tmp_path, "one"), tmp_path / "model")
    assert run_container(container, tmp_path) == (0, "")
    assert (tmp_path / "model").read_text() == "one"


def test_a_tar_of_several_entries_becomes_a_folder(tmp_path: Path) -> None:
    container = stored(tmp_path, archive(tmp_path, "a", "b/c"), tmp_path / "model")
    assert run_container(container, tmp_path) == (0, "")
    assert sorted(str(p.relative_to(tmp_path / "model")) for p in (tmp_path / "model").rglob("*")) == ["a", "b", "b/c"]


def test_a_tar_stays_packed_where_archive_none_is_declared(tmp_path: Path) -> None:
    packed = archive(tmp_path, "one")
    container = stored(tmp_path, packed, tmp_path / "model", archive={"none": {}})
    assert run_container(container, tmp_path) == (0, "")
    assert (tmp_path / "model").read_bytes() == packed.read_bytes()


MISSING = "artifact model failed to load: raw: nothing lies at its key: store it first, or declare the artifact optional"


@pytest.mark.parametrize(("optional", "want"), [(True, (0, "")), (False, (64, MISSING))])
def test_only_an_optional_artifact_may_be_missing(tmp_path: Path, optional: bool, want: tuple[int, str]) -> None:
    container = stored(tmp_path, tmp_path / "nowhere", tmp_path / "model", optional=optional)
    assert run_container(container, tmp_path) == want


def test_outputs_are_stored_when_main_has_ended_and_each_is_reported(tmp_path: Path) -> None:
    volume = {"volume": {"source": {"emptyDir": {}}, "key": "k"}}
    outputs = [Moved(index=n, artifact={"name": f"out-{n}", **volume}, path="") for n in (1, 2)]
    (container,) = store_containers(outputs)
    ((mount, _),) = mounts_of(outputs[0].artifact)
    store = tmp_path / "store"
    script = container["args"][0].replace(mount["mountPath"], str(store))
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "1").write_text("five!")
    os.mkfifo(tmp_path / fifo("sh"))
    with subprocess.Popen(["sh", "-c", f"exec 3>{tmp_path / fifo('sh')}; sleep 0.2"]):
        got = run_container({**container, "args": [script]}, tmp_path, ARGO_HOME=str(tmp_path))
    assert (got[0], sorted(got[1].splitlines())) == (0, ["1 saved 5", "2 absent"])
    assert (store / "k").read_text() == "five!"
