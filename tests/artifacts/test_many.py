"""Artifacts that one process of rclone moves together."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest

from argo_yaml_provider.artifacts.containers import Moved, fetch_containers, left_in_place, store_containers
from tests.s3 import BUCKET, serve_s3
from tests.stores import install
from tests.stores.moving import fetch_all, fetch_moved, store_all
from tests.stores.proxy import Proxy, interfering
from tests.stores.servers import free_port

KEYS = {"aws_access_key_id": "admin", "aws_secret_access_key": "password", "region_name": "us-east-1"}
SECRETS = {"s3": {"key": "admin", "secret": "password"}}


def s3(index: int, key: str, **more: object) -> Moved:
    location = {"endpoint": "e", "bucket": "b", "key": key, "accessKeySecret": {"name": "s", "key": "k"}, **more}
    return Moved(index=index, artifact={"name": f"a{index}", "path": "/a", "s3": location}, path=f"/in/{index}")


def calls(script: str, verb: str) -> list[str]:
    lines = [line.removeprefix("aside ").removesuffix(" &") for line in script.splitlines()]
    return [line for line in lines if line.startswith(f"{verb} ")]


def test_those_in_one_bucket_go_together_and_a_lone_one_by_itself() -> None:
    moved = [
        s3(1, "x/1"),
        s3(2, "x/it's 2"),
        s3(3, "x/3", bucket="other"),
        s3(4, "4", accessKeySecret={"name": "t", "key": "k"}),
    ]
    (container,) = store_containers(moved)
    script = container["args"][0].replace("$$", "$")
    assert calls(script, "store_many") == ["""store_many A1:b 1 x/1 2 'x/it'"'"'s 2'"""]
    assert calls(script, "store") == ["store 3", "store 4"]


def test_what_is_not_brought_together_is_fetched_alone() -> None:
    (container,) = fetch_containers([s3(1, "x/1"), s3(2, "x/2")])
    script = container["args"][0].replace("$$", "$")
    assert calls(script, "fetch_many") == ["fetch_many A1:b 1 x/1 2 x/2"]
    assert [line.split()[1] for line in calls(script, "place_one")] == ["1", "2"]


def test_of_two_at_one_key_the_second_goes_alone() -> None:
    moved = [s3(1, "x/1"), s3(2, "x/1"), s3(3, "x/3")]
    (fetching,), (storing,) = fetch_containers(moved), store_containers(moved)
    assert calls(fetching["args"][0].replace("$$", "$"), "fetch_many") == ["fetch_many A1:b 1 x/1 3 x/3"]
    script = storing["args"][0].replace("$$", "$")
    assert (calls(script, "store_many"), calls(script, "store")) == (["store_many A1:b 1 x/1 3 x/3"], ["store 2"])


@pytest.mark.parametrize("key", ["a//b", "a/../b", "a/", "./a", "a\nb"])
def test_a_key_that_rclone_would_tidy_goes_alone(key: str) -> None:
    (container,) = store_containers([s3(1, key), s3(2, "c")])
    assert calls(container["args"][0], "store_many") == []


def test_five_hundred_need_no_more_than_the_kernel_takes_and_one_environment() -> None:
    moved = [s3(index, f"some/folder/of/the/workflow/{index}") for index in range(1, 501)]
    for container in (*store_containers(moved), *fetch_containers(moved)):
        assert max(len(part.encode()) for part in container["args"]) < 2**17
        assert len(container["env"]) < 10
        last = container["args"][-1]
        assert last.endswith("\nfinish")


def unpacked(index: int, key: str, **more: Any) -> Moved:
    moved = s3(index, key)
    return replace(moved, artifact={**moved.artifact, "archive": {"none": {}}, **more})


def test_files_that_nobody_unpacks_stay_where_one_process_puts_them() -> None:
    other = {"s3": {"endpoint": "e", "bucket": "other", "key": "z"}}
    inputs = [s3(1, "x/packed"), unpacked(2, "x/1"), unpacked(3, "y/1"), unpacked(4, "y/1"), unpacked(5, "z", **other)]
    on_volume = replace(unpacked(6, "on/volume"), path="/mainctrfs/in/6")
    paths = [moved.path for moved in left_in_place([*inputs, on_volume], "/in")]
    assert paths == ["/in/1", "/in/.many/1/x/1", "/in/.many/1/y/1", "/in/4", "/in/5", "/mainctrfs/in/6"]


@pytest.mark.parametrize(
    ("key", "stays"),
    [
        pytest.param("x", False, id="another-lies-below"),
        pytest.param("x/1/2", False, id="it-lies-below-another"),
        pytest.param("x/10", True, id="it-begins-as-another"),
        pytest.param("é" * 127, True, id="as-long-as-a-name-may-be"),
        pytest.param("é" * 128, False, id="too-long-for-a-name"),
    ],
)
def test_what_cannot_be_a_file_beside_the_others_is_moved(key: str, stays: bool) -> None:
    _, moved = left_in_place([s3(1, "x/1"), unpacked(2, key)], "/in")
    assert moved.path == (f"/in/.many/1/{key}" if stays else "/in/2")


@pytest.fixture(scope="module")
def store() -> Iterator[Proxy]:
    """An S3 server that tells what it is asked, with files below `many/` and a folder among them."""
    port = free_port()
    with serve_s3(port) as url, interfering(port) as proxy:
        client = boto3.client("s3", endpoint_url=url, **KEYS)
        for name in ("one", "two", "three", "folder/a", "folder/b"):
            client.put_object(Bucket=BUCKET, Key=f"many/{name}", Body=name.encode())
        yield proxy


@pytest.fixture(params=["debian", "new"])
def rclone(request: pytest.FixtureRequest) -> Path:
    if request.param == "new":
        return install.rclone()
    found = shutil.which("rclone")
    if found is None:
        pytest.skip("rclone is not installed")
    return Path(found)


def on_path(tmp_path: Path, text: str = 'exec "$RCLONE" "$@"') -> str:
    """A PATH on which rclone is that shell script."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    (folder / "rclone").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "rclone").chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def lying_at(proxy: Proxy, *names: str, **more: Any) -> list[dict[str, Any]]:
    keys = {"accessKeySecret": {"name": "s3", "key": "key"}, "secretKeySecret": {"name": "s3", "key": "secret"}}
    where = {"endpoint": f"127.0.0.1:{proxy.port}", "insecure": True, "bucket": BUCKET, **keys}
    return [{"name": name, "path": "/a", "s3": {**where, "key": f"many/{name}"}, **more} for name in names]


def got(tmp_path: Path) -> dict[str, str]:
    found = (path for path in (tmp_path / "got").rglob("*") if path.is_file())
    return {str(path.relative_to(tmp_path / "got")): path.read_text() for path in found}


def test_each_of_many_files_costs_one_request(store: Proxy, rclone: Path, tmp_path: Path) -> None:
    store.asked.clear()
    artifacts = lying_at(store, "one", "two", "three", archive={"none": {}})
    assert fetch_all(artifacts, tmp_path, SECRETS, PATH=on_path(tmp_path), RCLONE=str(rclone)) == ""
    assert got(tmp_path) == {name: name for name in ("one", "two", "three")}
    assert sorted(store.asked) == sorted(f"GET /{BUCKET}/many/{name}" for name in ("one", "two", "three"))


def test_each_of_many_files_is_stored_by_one_request(store: Proxy, rclone: Path, tmp_path: Path) -> None:
    names = ("new one", "new-two")
    for name in names:
        (tmp_path / name).write_text(name)
    store.asked.clear()
    pairs = [(artifact, tmp_path / artifact["name"]) for artifact in lying_at(store, *names)]
    said = store_all(pairs, tmp_path, SECRETS, PATH=on_path(tmp_path), RCLONE=str(rclone))
    assert sorted(said.splitlines()) == ["1 saved 7", "2 saved 7"]
    assert sorted(store.asked) == [f"PUT /{BUCKET}/many/new%20one", f"PUT /{BUCKET}/many/new-two"]
    artifacts = lying_at(store, *names)
    assert fetch_all(artifacts, tmp_path, SECRETS, PATH=on_path(tmp_path), RCLONE=str(rclone)) == ""
    assert got(tmp_path) == {name: name for name in names}


def test_large_files_go_one_at_a_time_after_the_others(store: Proxy, rclone: Path, tmp_path: Path) -> None:
    (tmp_path / "small").write_text("x")
    for name in ("large-1", "large-2"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(65 << 20)
    pairs = [(artifact, tmp_path / artifact["name"]) for artifact in lying_at(store, "large-1", "small", "large-2")]
    path = on_path(tmp_path, f'echo "$*" >>{tmp_path}/calls; exec "$RCLONE" "$@"')
    said = store_all(pairs, tmp_path, SECRETS, PATH=path, RCLONE=str(rclone))
    assert sorted(said.splitlines()) == [f"1 saved {65 << 20}", "2 saved 1", f"3 saved {65 << 20}"]
    calls = [
        call.partition(" --no-check-dest ")[2].partition(" /")[0] for call in (tmp_path / "calls").read_text().splitlines()
    ]
    assert calls == ["--max-size 64M", "--min-size 64M --transfers 1"]


def test_folders_and_what_is_not_there_cost_no_other_artifact_a_second_transfer(
    store: Proxy, rclone: Path, tmp_path: Path
) -> None:
    store.asked.clear()
    artifacts = [*lying_at(store, "one", "two", "folder"), *lying_at(store, "nosuch", optional=True)]
    assert fetch_all(artifacts, tmp_path, SECRETS, PATH=on_path(tmp_path), RCLONE=str(rclone)) == ""
    assert got(tmp_path) == {name: name for name in ("one", "two", "folder/a", "folder/b")}
    assert [store.asked.count(f"GET /{BUCKET}/many/{name}") for name in ("one", "two")] == [1, 1]


def fetch_in_place(tmp_path: Path, artifacts: list[dict[str, Any]], **env: str) -> str:
    home = str(tmp_path / "got")
    moved = [Moved(index=index, artifact=one, path=f"{home}/{index}") for index, one in enumerate(artifacts, start=1)]
    return fetch_moved(left_in_place(moved, home), tmp_path, SECRETS, ARGO_MANY=f"{home}/.many", **env)


def test_what_stays_in_place_is_not_moved_and_what_is_fetched_alone_is_put_there(
    store: Proxy, rclone: Path, tmp_path: Path
) -> None:
    names = ("one", "two", "folder")
    artifacts = [*lying_at(store, *names, archive={"none": {}}), *lying_at(store, "three")]
    artifacts += lying_at(store, "nosuch", archive={"none": {}}, optional=True)
    path = on_path(tmp_path)
    (tmp_path / "bin" / "mv").write_text(f'#!/bin/sh\necho "$2 $3" >>{tmp_path}/moved; exec /bin/mv "$@"\n')
    (tmp_path / "bin" / "mv").chmod(0o755)
    assert fetch_in_place(tmp_path, artifacts, PATH=path, RCLONE=str(rclone)) == ""
    tree = ".many/1/many"
    in_place = {f"{tree}/{name}": name for name in ("one", "two", "folder/a", "folder/b")}
    assert got(tmp_path) == {**in_place, "4": "three"}
    moved = sorted((tmp_path / "moved").read_text().replace(f"{tmp_path}/got/", "").splitlines())
    assert moved == [".many/1/many/three 4", f".many/3.tmp {tree}/folder"]


def test_nothing_is_left_where_all_has_been_moved_away(store: Proxy, rclone: Path, tmp_path: Path) -> None:
    assert fetch_in_place(tmp_path, lying_at(store, "one", "two"), PATH=on_path(tmp_path), RCLONE=str(rclone)) == ""
    assert sorted(path.name for path in (tmp_path / "got").iterdir()) == ["1", "2"]


COUNTED = 'echo 1 >>"$COUNT"; "$RCLONE" "$@"; code=$?; echo -1 >>"$COUNT"; exit $code'


def at_once(count: Path) -> int:
    """How many processes ran at the same time."""
    return max(accumulate(int(line) for line in count.read_text().split()))


def test_folders_are_moved_by_no_more_than_two_processes_at_once(store: Proxy, rclone: Path, tmp_path: Path) -> None:
    names = [f"folder-{number}" for number in range(6)]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    env = {"PATH": on_path(tmp_path, COUNTED), "RCLONE": str(rclone), "COUNT": str(tmp_path / "count")}
    artifacts = lying_at(store, *names)
    said = store_all([(artifact, tmp_path / artifact["name"]) for artifact in artifacts], tmp_path, SECRETS, **env)
    assert sorted(said.splitlines()) == [f"{index} saved 8" for index in range(1, 7)]
    assert at_once(tmp_path / "count") == 2
    (tmp_path / "count").unlink()
    assert fetch_all(artifacts, tmp_path, SECRETS, **env) == ""
    assert got(tmp_path) == {f"{name}/file": name for name in names}
    assert at_once(tmp_path / "count") == 2


def test_folders_with_large_files_are_stored_one_file_at_a_time(store: Proxy, rclone: Path, tmp_path: Path) -> None:
    names = ("large-folder", "another")
    for name in names:
        (tmp_path / name).mkdir()
        with (tmp_path / name / "file").open("wb") as file:
            file.truncate(65 << 20)
    count = f'echo "$*" >>{tmp_path}/calls; {COUNTED}'
    env = {"PATH": on_path(tmp_path, count), "RCLONE": str(rclone), "COUNT": str(tmp_path / "count")}
    pairs = [(artifact, tmp_path / artifact["name"]) for artifact in lying_at(store, *names)]
    said = store_all(pairs, tmp_path, SECRETS, **env)
    assert sorted(said.splitlines()) == [f"1 saved {65 << 20}", f"2 saved {65 << 20}"]
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [" --transfers 1 " in call for call in calls] == [True, True]
    assert at_once(tmp_path / "count") == 1


KILLED = """case "$*" in *--files-from*) for last; do :; done; mkdir -p "$last/many"; echo half >"$last/many/one"; kill -9 $$
;; esac
exec "$RCLONE" "$@"
"""


def test_what_a_killed_process_left_is_not_taken(store: Proxy, rclone: Path, tmp_path: Path) -> None:
    artifacts = lying_at(store, "one", "two")
    assert fetch_all(artifacts, tmp_path, SECRETS, PATH=on_path(tmp_path, KILLED), RCLONE=str(rclone)) == ""
    assert got(tmp_path) == {"one": "one", "two": "two"}


def test_what_a_killed_container_left_is_not_taken_by_the_next(store: Proxy, rclone: Path, tmp_path: Path) -> None:
    (tmp_path / "many" / "1" / "many").mkdir(parents=True)
    for name in ("one", "gone"):
        (tmp_path / "many" / "1" / "many" / name).write_text("half")
    artifacts = lying_at(store, "one", "two", "gone")
    said = fetch_all(artifacts, tmp_path, SECRETS, PATH=on_path(tmp_path), RCLONE=str(rclone))
    assert said.startswith("artifact gone failed to load: "), said
    assert got(tmp_path) == {"one": "one", "two": "two"}


@pytest.mark.parametrize(("cuts", "mebibytes"), [(1, 2), (1000, 32)], ids=["once", "always"])
def test_of_a_file_that_is_broken_off_no_half_is_taken(
    store: Proxy, rclone: Path, tmp_path: Path, cuts: int, mebibytes: int
) -> None:
    large = "0123456789abcdef" * (mebibytes << 16)
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{store.target}", **KEYS)
    client.put_object(Bucket=BUCKET, Key="many/large", Body=large.encode())
    store.cuts["large"] = cuts
    said = fetch_all(lying_at(store, "one", "large"), tmp_path, SECRETS, PATH=on_path(tmp_path), RCLONE=str(rclone))
    store.cuts.clear()
    whole = {"one": "one", "large": large} if cuts == 1 else {"one": "one"}
    assert (got(tmp_path) == whole, said.startswith("artifact large failed to load: ")) == (True, cuts > 1), said
