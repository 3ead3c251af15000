from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from argo_yaml_provider.cli import main
from argo_yaml_provider.commands.eval import answer

RECORDED = Path(__file__).parents[2].parent / "shared" / "parity" / "expressions"
FILES = sorted(RECORDED.glob("*.public.json"))


def run(path: Path) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["eval", str(path)])
    assert result.exit_code == 0, result.output
    answers = json.loads(result.output)
    assert isinstance(answers, dict)
    return answers


def same(got: Any, want: Any) -> bool:
    """Equal, and 1 is not 1.0."""
    if type(got) is not type(want):
        return False
    if isinstance(want, dict):
        return got.keys() == want.keys() and all(same(got[key], want[key]) for key in want)
    if isinstance(want, list):
        return len(got) == len(want) and all(map(same, got, want))
    return bool(got == want)


@pytest.mark.skipif(not FILES, reason="no recorded vectors beside the repository")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.partition(".")[0])
def test_agrees_with_what_was_recorded_from_argo(path: Path) -> None:
    answers = run(path)
    wrong = []
    for vector in json.loads(path.read_text()):
        got = answers[vector["id"]]
        agrees = "value" in got and "want" in vector and same(got["value"], vector["want"])
        right = "error" in got if vector.get("error") else agrees
        if not right or "not understood" in got.get("error", ""):
            wrong.append((vector["id"], got))
    assert wrong == []


def test_bytes_that_are_no_character_are_shown_as_json_shows_them() -> None:
    assert answer({"kind": "expr", "expr": "[x[:1], {a: x[1:]}]", "env": {"x": "é"}}) == {"value": ["\ufffd", {"a": "\ufffd"}]}


def test_an_item_that_is_no_json_is_refused() -> None:
    assert answer({"kind": "items", "mode": "type", "item": "tru"}) == {"error": "'tru' is not JSON"}


def test_keeps_whole_floats_floats(tmp_path: Path) -> None:
    path = tmp_path / "vectors.json"
    path.write_text('[{"id": "a", "kind": "expr", "expr": "[1, 1.0]", "env": {}}, {"id": "b", "kind": "nosuch"}]')
    assert run(path) == {
        "a": {"value": [1, 1.0]},
        "b": {
            "error": "no such kind of vector: 'nosuch'; there are expr, when, template, depends, items, backoff, merge",
        },
    }
    assert "1.0" in CliRunner().invoke(main, ["eval", str(path)]).output


A = {"name": "A", "continueOn": {"failed": True}}
T = {"name": "T", "dependencies": ["A"]}
LOOP = {"name": "s", "arguments": {"parameters": [{"name": "p", "value": "{{item}}"}]}, "when": "{{item}} == 1"}
TEMPLATE = {
    "name": "t",
    "inputs": {"parameters": [{"name": "p", "default": 2}]},
    "container": {"image": "i", "args": ["{{inputs.parameters.p}}"]},
    "retryStrategy": {"limit": "{{inputs.parameters.p}}"},
}


@pytest.mark.parametrize(
    ("vector", "want"),
    [
        ({"kind": "expr", "mode": "bool", "expr": "x == 'a'", "env": {"x": "a"}}, True),
        ({"kind": "expr", "mode": "valueFrom", "expr": "1000000.0"}, "1e+06"),
        ({"kind": "expr", "mode": "eval", "expr": "groupBy([1], # % 2)"}, {"1": [1]}),
        ({"kind": "expr", "mode": "eval", "expr": "1/0"}, "+Inf"),
        ({"kind": "when", "when": "{{x}} == a", "params": {"x": "a"}}, True),
        ({"kind": "template", "mode": "validate", "template": '"{{ x }}{{=y}}"'}, [" x "]),
        ({"kind": "template", "mode": "resolveVar", "template": "{{=n + 1}}", "params": {"n": 1}}, 2),
        ({"kind": "template", "mode": "strict", "template": '"{{x}}"', "strictPrefixes": ["tasks"]}, '"{{x}}"'),
        (
            {"kind": "depends", "target": "T", "tasks": [A, T], "nodes": {"A": {"phase": "Failed"}}},
            {
                "dependencies": {"A": "task"},
                "logic": "(A.Succeeded || A.Skipped || A.Daemoned || A.Failed)",
                "execute": True,
                "proceed": True,
            },
        ),
        (
            {"kind": "items", "mode": "dag", "task": {**LOOP, "withParam": "[1.0]"}},
            [{"name": "s(0:1.0)", "parameters": [{"name": "p", "value": "1.0"}], "when": "1.0 == 1"}],
        ),
        ({"kind": "items", "mode": "type", "item": "[1, 2]"}, {"string": "[1,2]", "type": "List"}),
        ({"kind": "backoff", "mode": "duration", "duration": "90"}, {"ns": 90_000_000_000, "go": "1m30s", "seconds": 90}),
        ({"kind": "backoff", "mode": "limit", "limit": "2147483648"}, -2147483648),
        (
            {"kind": "backoff", "mode": "retry", "retryStrategy": {}, "attempts": []},
            {"decision": "start", "lastRetry_env": {}, "message": "", "phase": "Running", "proceed": True},
        ),
        (
            {"kind": "merge", "mode": "process", "wfTemplate": TEMPLATE},
            {
                "template": {
                    "name": "t",
                    "inputs": {"parameters": [{"name": "p", "default": "2", "value": "2"}]},
                    "outputs": {},
                    "metadata": {},
                    "container": {"name": "", "image": "i", "args": ["2"], "resources": {}},
                    "retryStrategy": {"limit": "2"},
                },
                "limit": 2,
            },
        ),
        (
            {
                "kind": "merge",
                "mode": "spec",
                "workflow": {"entrypoint": "e", "arguments": {"parameters": [{"name": "a", "value": "high"}]}},
                "workflowTemplate": {"arguments": {"parameters": [{"name": "a", "value": "low", "enum": ["low"]}]}},
                "workflowDefaults": {"arguments": {"parameters": [{"name": "b", "default": "d"}]}},
            },
            {
                "entrypoint": "e",
                "arguments": {"parameters": [{"name": "a", "value": "high"}, {"name": "b", "default": "d"}]},
            },
        ),
    ],
    ids=lambda value: f"{value['kind']}-{value.get('mode', '')}" if isinstance(value, dict) and "kind" in value else "",
)
def test_answers_each_kind(vector: dict[str, Any], want: Any) -> None:
    assert answer(vector) == {"value": want}


def test_items_keep_the_digits_they_are_written_with(tmp_path: Path) -> None:
    path = tmp_path / "vectors.json"
    path.write_text('[{"id": "a", "kind": "items", "mode": "dag", "task": {"name": "s", "withItems": [2.50, "\\u00e9"]}}]')
    assert [step["name"] for step in run(path)["a"]["value"]] == ["s(0:2.50)", r"s(1:\u00e9)"]


@pytest.mark.parametrize("text", ["{", "{}", "[1]", "[" * 100_000])
def test_a_file_that_holds_no_vectors_is_told_so(text: str, tmp_path: Path) -> None:
    path = tmp_path / "vectors.json"
    path.write_text(text)
    result = CliRunner().invoke(main, ["eval", str(path)])
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {path} ")


@pytest.mark.parametrize("kind", ["expr", "when", "template", "depends", "items", "backoff", "merge"])
@pytest.mark.parametrize("rest", [{}, {"mode": "retry"}, {"mode": 5, "expr": 5, "tasks": 5, "template": 1}])
def test_a_broken_vector_is_an_error_not_a_crash(kind: str, rest: dict[str, Any]) -> None:
    assert list(answer({"id": "x", "kind": kind, **rest})) == ["error"]
