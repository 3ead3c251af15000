from __future__ import annotations

import pytest

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.suspend import Asked, asked_for, asked_of, seconds_of, supplied_outputs

TEMPLATE = {
    "suspend": {"duration": "1m"},
    "inputs": {"parameters": [{"name": "who", "default": "me"}]},
    "outputs": {
        "parameters": [
            {"name": "approve", "valueFrom": {"supplied": {}, "default": "NO"}},
            {"name": "who", "valueFrom": {"supplied": {}}},
            {"name": "why", "valueFrom": {"supplied": {}}},
            {"name": "other", "valueFrom": {"parameter": "{{inputs.parameters.who}}"}},
        ]
    },
}


def test_asks_for_what_is_supplied_with_defaults_of_its_own_or_of_its_inputs() -> None:
    assert asked_for(TEMPLATE) == {"approve": "NO", "who": "me", "why": None}


@pytest.mark.parametrize(
    ("given", "want"),
    [
        pytest.param(
            {"default": "NO", "enum": ["YES", "NO"], "description": "Deploy?"},
            Asked(name="a", default="NO", proposed="NO", choices=("YES", "NO"), description="Deploy?"),
            id="of-the-input-so-named",
        ),
        pytest.param(
            {"value": '{"enum": ["x", "y"]}'}, Asked(name="a", proposed="x", choices=("x", "y")), id="in-the-inputs-value"
        ),
        pytest.param({"value": "plain"}, Asked(name="a"), id="a-value-that-is-no-parameter"),
    ],
)
def test_a_form_has_the_choices_and_the_description(given: dict[str, object], want: Asked) -> None:
    template = {
        "inputs": {"parameters": [{"name": "a", **given}]},
        "outputs": {"parameters": [{"name": "a", "valueFrom": {"supplied": {}}}]},
    }
    assert asked_of(template) == (want,)


def test_supplied_values_win_over_defaults() -> None:
    assert supplied_outputs(TEMPLATE, {"approve": "YES", "why": "x"}) == {"approve": "YES", "who": "me", "why": "x"}


def test_what_nobody_supplied_is_an_error() -> None:
    with pytest.raises(ExprError, match="raw output parameter 'why' has not been set"):
        supplied_outputs(TEMPLATE, {})


@pytest.mark.parametrize(("duration", "want"), [("20", 20.0), ("1h", 3600.0), (None, None)])
def test_goes_on_by_itself_after_its_duration(duration: str | None, want: float | None) -> None:
    assert seconds_of({"suspend": {"duration": duration} if duration else {}}) == want
