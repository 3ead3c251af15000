from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.expr.errors import ExprError, MissingVariable
from argo_yaml_provider.flow.inputs import ABSENT, process_args, substitute_params


def args_of(inputs: dict[str, Any], arguments: dict[str, Any], args: list[str], **names: dict[str, str]) -> list[str]:
    template = {"name": "t", "inputs": inputs, "container": {"args": args}}
    made = process_args(template, arguments, names.get("global_params", {}), names.get("local_params", {}))
    return list(made["container"]["args"])


@pytest.mark.parametrize(
    ("declared", "argument", "want"),
    [
        pytest.param({"value": "v", "default": "d"}, {"value": "a"}, "a", id="the-argument-first"),
        pytest.param({"value": "v", "default": "d"}, None, "v", id="then-the-value"),
        pytest.param({"default": "d"}, None, "d", id="then-the-default"),
        pytest.param({"default": "d"}, {"value": ""}, "", id="empty-is-a-value"),
        pytest.param({"default": "d"}, {"value": ABSENT}, "d", id="an-absent-output-is-not-supplied"),
        pytest.param({}, {"value": 1.0}, "1", id="numbers-are-text"),
        pytest.param({}, {"value": 1e21}, "1000000000000000000000", id="without-an-exponent"),
        pytest.param({}, {"value": True}, "true", id="booleans-are-text"),
        pytest.param({}, {"value": "{{=1 + 1}}"}, "2", id="an-argument-may-hold-a-tag"),
        pytest.param({}, {"value": 'q"\n'}, 'q"\n', id="escapes"),
    ],
)
def test_an_input_takes_its_value(declared: dict[str, Any], argument: dict[str, Any] | None, want: str) -> None:
    arguments = {"parameters": [{"name": "p", **argument}]} if argument else {}
    assert args_of({"parameters": [{"name": "p", **declared}]}, arguments, ["{{inputs.parameters.p}}"]) == [want]


@pytest.mark.parametrize(
    ("declared", "argument", "message"),
    [
        ({}, None, "inputs.parameters.p was not supplied"),
        ({"default": "d"}, {}, "inputs.parameters.p was not supplied"),
        (
            {},
            {"value": ABSENT},
            "inputs.parameters.p: argument references an absent optional (skipped/omitted node output with no default)",
        ),
    ],
)
def test_an_input_without_a_value_is_an_error(declared: dict[str, Any], argument: dict[str, Any] | None, message: str) -> None:
    arguments = {} if argument is None else {"parameters": [{"name": "p", **argument}]}
    with pytest.raises(ExprError) as caught:
        args_of({"parameters": [{"name": "p", **declared}]}, arguments, [])
    assert caught.value.message == message
    assert not isinstance(caught.value, MissingVariable)


def test_globals_come_before_inputs_and_locals_win() -> None:
    inputs = {"parameters": [{"name": "p", "default": "{{workflow.name}}/{{pod.name}}/{{x}}"}]}
    got = args_of(
        inputs,
        {},
        ["{{inputs.parameters.p}}", "{{=inputs.parameters.p + '!'}}", "{{inputs.parameters}}"],
        global_params={"workflow.name": "w", "x": "global"},
        local_params={"pod.name": "pod", "x": "local"},
    )
    value = "w/pod/local"
    assert got == [value, f"{value}!", f'[{{"name":"p","default":"{value}","value":"{value}"}}]']


def test_paths_of_artifacts_and_outputs_are_variables() -> None:
    template = {
        "inputs": {"artifacts": [{"name": "a", "path": "/a"}]},
        "outputs": {
            "artifacts": [{"name": "b", "path": "/b"}],
            "parameters": [{"name": "c", "valueFrom": {"path": "/c"}}],
        },
        "script": {"source": "{{inputs.artifacts.a.path}} {{outputs.artifacts.b.path}} {{outputs.parameters.c.path}}"},
    }
    assert substitute_params(template, {}, {})["script"]["source"] == "/a /b /c"


def test_a_config_map_gives_a_value_by_templated_names() -> None:
    declared = {"name": "p", "valueFrom": {"default": "d", "configMapKeyRef": {"name": "{{workflow.name}}-cm", "key": "k"}}}
    template = {"inputs": {"parameters": [declared]}, "container": {"args": ["{{inputs.parameters.p}}"]}}
    known = {("w-cm", "k"): "value"}
    made = process_args(template, {}, {"workflow.name": "w"}, {}, config_map=lambda name, key: known.get((name, key)))
    assert made["container"]["args"] == ["value"]
    made = process_args(template, {}, {"workflow.name": "v"}, {}, config_map=lambda name, key: known.get((name, key)))
    assert made["container"]["args"] == ["d"]
    with pytest.raises(MissingVariable):
        process_args(template, {}, {}, {}, config_map=lambda _name, _key: None)


S3 = {"s3": {"endpoint": "e", "bucket": "b", "key": "k"}}


def test_an_artifact_argument_replaces_all_but_the_place_in_the_pod() -> None:
    declared = {"name": "a", "path": "/a", "mode": 0o644, "archive": {"none": {}}, "optional": True}
    argument = {"name": "a", "path": "/ignored", **S3}
    made = process_args({"inputs": {"artifacts": [declared]}}, {"artifacts": [argument]}, {}, {})
    assert made["inputs"]["artifacts"] == [{"name": "a", **S3, "path": "/a", "mode": 0o644}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "inputs.artifacts.a was not supplied"),
        ([{"name": "a"}], "inputs.artifacts.a missing location information"),
        ([{"name": "a", "git": {"repo": ""}}], "inputs.artifacts.a missing location information"),
    ],
)
def test_an_artifact_must_be_supplied_with_a_location(arguments: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ExprError) as caught:
        process_args({"inputs": {"artifacts": [{"name": "a", "path": "/a"}]}}, {"artifacts": arguments}, {}, {})
    assert caught.value.message == message


@pytest.mark.parametrize(
    "argument",
    [S3, {"s3": {"key": "k"}}, {"raw": {"data": ""}}, {"http": {"url": "http://h/x"}}, {"hdfs": {"path": "/p"}}],
)
def test_a_key_is_location_enough(argument: dict[str, Any]) -> None:
    arguments = {"artifacts": [{"name": "a", **argument}]}
    made = process_args({"inputs": {"artifacts": [{"name": "a", "path": "/a"}]}}, arguments, {}, {})
    assert made["inputs"]["artifacts"] == [{"name": "a", **argument, "path": "/a"}]
