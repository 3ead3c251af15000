from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.local.errors import ApiError
from argo_yaml_provider.local.patches import json_patch, merge_patch, strategic_patch


@pytest.mark.parametrize(
    ("target", "patch", "want"),
    [
        pytest.param({"a": 1, "b": 2}, {"b": None, "c": 3}, {"a": 1, "c": 3}, id="null-removes"),
        pytest.param({"a": [1, 2]}, {"a": [3]}, {"a": [3]}, id="lists-are-replaced"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 9}}, {"a": {"b": 9, "c": 2}}, id="objects-are-merged"),
    ],
)
def test_merge_patch(target: Any, patch: Any, want: Any) -> None:
    assert merge_patch(target, patch) == want


ENV = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]


@pytest.mark.parametrize(
    ("target", "patch", "want"),
    [
        pytest.param(
            {"env": ENV}, {"env": [{"name": "B", "value": "9"}]}, {"env": [ENV[0], {"name": "B", "value": "9"}]}, id="by-key"
        ),
        pytest.param({"env": ENV}, {"env": [{"name": "A", "$patch": "delete"}]}, {"env": [ENV[1]]}, id="delete"),
        pytest.param({"env": ENV}, {"env": [{"$patch": "replace"}, ENV[1]]}, {"env": [ENV[1]]}, id="replace"),
        pytest.param({"args": ["a", "b"]}, {"args": ["c"]}, {"args": ["c"]}, id="plain-lists-are-replaced"),
        pytest.param({"finalizers": ["a"]}, {"finalizers": ["b"]}, {"finalizers": ["a", "b"]}, id="sets-grow"),
        pytest.param(
            {"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]}, {"finalizers": ["b"]}, id="sets-shrink"
        ),
    ],
)
def test_strategic_patch(target: Any, patch: Any, want: Any) -> None:
    assert strategic_patch(target, patch) == want


def test_json_patch_does_its_operations_in_order() -> None:
    patch = [
        {"op": "test", "path": "/a", "value": 1},
        {"op": "add", "path": "/list/-", "value": 3},
        {"op": "move", "from": "/a", "path": "/b~1c"},
        {"op": "replace", "path": "/list/0", "value": 0},
    ]
    assert json_patch({"a": 1, "list": [1, 2]}, patch) == {"b/c": 1, "list": [0, 2, 3]}


def test_json_patch_refuses_a_failed_test() -> None:
    with pytest.raises(ApiError) as caught:
        json_patch({"a": 1}, [{"op": "test", "path": "/a", "value": 2}])
    assert str(caught.value) == "the server rejected our request: json patch: test of '/a' failed"


def test_a_patch_leaves_its_target_alone() -> None:
    target = {"metadata": {"labels": {"a": "1"}}}
    for change in (merge_patch, strategic_patch):
        change(target, {"metadata": {"labels": {"a": "2"}}})
    assert target == {"metadata": {"labels": {"a": "1"}}}
