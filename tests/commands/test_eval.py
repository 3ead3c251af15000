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
