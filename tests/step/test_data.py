from __future__ import annotations

import json
from typing import Any

import pytest

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.pods.data import keys_in, listed_artifact
from argo_yaml_provider.step.data import transformed

REPOSITORY = {"s3": {"endpoint": "e", "bucket": "b", "accessKeySecret": {"name": "s", "key": "k"}}}


def listed(**location: Any) -> Any:
    template = {"name": "t", "data": {"source": {"artifactPaths": {"name": "x", **location}}}}
    return listed_artifact(Decision(template=template, variables={"workflow.name": "wf"}), REPOSITORY, pod_name="p")


@pytest.mark.parametrize(
    ("keys", "steps", "want"),
    [
        pytest.param(["a.py", "b"], [], '["a.py","b"]', id="as-it-is"),
        pytest.param(["a.py", "b"], ["filter(data, {# endsWith '.py'})", "map(data, {# + '!'})"], '["a.py!"]', id="in-turn"),
        pytest.param(["a"], ["", "len(data)"], "1", id="no-list"),
        pytest.param([], [], "null", id="nothing"),
        pytest.param([], ["filter(data, {true})"], "[]", id="nothing-transformed"),
    ],
)
def test_transformations_make_json(keys: list[str], steps: list[str], want: str) -> None:
    assert transformed(keys, [{"expression": step} for step in steps]) == want


def test_a_transformation_that_fails_is_counted() -> None:
    with pytest.raises(ExprError) as caught:
        transformed(["a"], [{"expression": "data"}, {"expression": "data.x.y"}])
    assert caught.value.message.startswith("error processing data step 1: ")


def test_an_artifact_without_its_own_endpoint_is_in_the_repository_but_keeps_its_bucket() -> None:
    assert listed(s3={"bucket": "mine", "key": "logs"})["s3"] == {**REPOSITORY["s3"], "bucket": "mine", "key": "logs"}
    assert listed(s3={"key": "logs"})["s3"]["bucket"] == "b"
    own = {"endpoint": "other", "bucket": "mine"}
    assert listed(s3=own)["s3"] == own


@pytest.mark.parametrize(
    ("artifact", "listing", "want"),
    [
        pytest.param({"s3": {"key": "a/"}}, json.dumps([{"Path": "ü"}, {"Path": "b/c"}]), ["a/b/c", "a/ü"], id="a-folder"),
        pytest.param({"s3": {}}, json.dumps([{"Path": "b"}]), ["b"], id="the-whole-bucket"),
        pytest.param({"gcs": {"key": "a/b"}}, json.dumps([{"Path": "bc"}, {"Path": "c"}]), ["a/bc"], id="a-prefix"),
        pytest.param({"volume": {"key": "a"}}, "./y\0./x/z\0", ["a/x/z", "a/y"], id="a-volume"),
    ],
)
def test_keys_are_whole_and_sorted(artifact: Any, listing: str, want: list[str]) -> None:
    assert keys_in(listing, artifact) == want


def test_a_key_below_which_nothing_lies_is_named() -> None:
    with pytest.raises(RunError) as caught:
        keys_in("[]", {"s3": {"key": "nowhere"}})
    assert caught.value.message == "no key found of name nowhere"
