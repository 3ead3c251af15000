"""What Argo answered, recorded: the same value, of the same type, or an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.evaluator import evaluate, evaluate_bool
from argo_yaml_provider.expr.rendering import plain, render_go, render_json_text
from argo_yaml_provider.expr.values import AnyMap, go_type
from argo_yaml_provider.expr.when import evaluate_when

RECORDED = Path(__file__).parents[2].parent / "shared" / "parity" / "expressions"


def recorded(name: str) -> list[Any]:
    path = RECORDED / f"{name}.public.json"
    if not path.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason="the recordings are not here"))]
    return [pytest.param(vector, id=vector["id"]) for vector in json.loads(path.read_text(encoding="utf-8"))]


def value_of(vector: dict[str, Any]) -> Any:
    if vector["mode"] == "bool":
        return evaluate_bool(vector["expr"], vector["env"])
    value = evaluate(vector["expr"], vector["env"])
    if value is None and vector["mode"] == "valueFrom":
        raise ExprError("no value")
    return value


def shown(value: Any) -> Any:
    """A value as the recordings hold it."""
    if isinstance(value, AnyMap):
        return {render_go(key[1]): plain(item) for key, item in value.items()}
    return plain(value)


def typed(value: Any) -> Any:
    """A value whose ints and floats are told apart."""
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    return type(value).__name__, repr(value)


@pytest.mark.parametrize("vector", recorded("expr"))
def test_an_expression_has_the_value_that_argo_recorded(vector: dict[str, Any]) -> None:
    if vector.get("error"):
        with pytest.raises(ExprError):
            value_of(vector)
        return
    value = value_of(vector)
    assert {"<nil>": "nil"}.get(go_type(value), go_type(value)) == vector["type"]
    assert typed(render_go(value) if vector["mode"] == "valueFrom" else shown(value)) == typed(vector["want"])


@pytest.mark.parametrize("vector", recorded("expr"))
def test_a_value_has_the_text_that_argo_recorded(vector: dict[str, Any]) -> None:
    text = vector.get("text")
    if text is None or text.startswith("{{="):
        pytest.skip("no text was recorded")
    rendered = render_json_text(value_of(vector))
    assert (json.loads(rendered) if rendered.startswith('"') else rendered) == text


@pytest.mark.parametrize("vector", recorded("when"))
def test_a_condition_has_the_answer_that_argo_recorded(vector: dict[str, Any]) -> None:
    if vector.get("substituted") is None:
        pytest.skip("its tags cannot be replaced")
    if vector.get("error"):
        with pytest.raises(ExprError):
            evaluate_when(vector["substituted"])
    else:
        assert evaluate_when(vector["substituted"]) is vector["want"]
