"""Artifacts that one process of rclone moves together."""

from __future__ import annotations

import pytest

from argo_yaml_provider.artifacts.containers import Moved, fetch_containers, store_containers


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
