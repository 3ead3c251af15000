from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.expr.errors import ExprError, MissingVariable
from argo_yaml_provider.plan.items import expand, item_string, item_type, items_of

STEP: dict[str, Any] = {
    "name": "s",
    "template": "{{item}}",
    "arguments": {"parameters": [{"name": "p", "value": "{{item}}"}]},
}


def values(step: dict[str, Any], scope: dict[str, Any] | None = None, *, dag: bool = False) -> list[tuple[str, Any]]:
    turns = expand({**STEP, **step}, scope or {}, dag=dag)
    return [(turn.name, turn.step["arguments"]["parameters"][0].get("value")) for turn in turns]


@pytest.mark.parametrize(
    ("items", "want"),
    [
        pytest.param(["a", "b"], [("s(0:a)", "a"), ("s(1:b)", "b")], id="texts"),
        pytest.param([1, True], [("s(0:1)", "1"), ("s(1:true)", "true")], id="numbers-and-booleans"),
        pytest.param(["(a)\n"], [(r"s(0:a\n)", "(a)\n")], id="a-name-has-no-parentheses-but-escapes"),
        pytest.param([None], [("s(0:[])", "null")], id="null-is-a-list"),
        pytest.param([["a", [1]]], [("s(0:[a [1]])", '["a",[1]]')], id="lists"),
        pytest.param([{"b": 1, "a": "x<y"}], [("s(0:a:x<y,b:1)", '{"a":"x\\u003cy","b":1}')], id="maps-are-sorted"),
        pytest.param([{"a": {"z": 1, "b": 2}}], [('s(0:a:{"b":2,"z":1})', '{"a":{"b":2,"z":1}}')], id="maps-in-maps-too"),
    ],
)
def test_names_and_values_of_literal_items(items: list[Any], want: list[tuple[str, Any]]) -> None:
    assert values({"withItems": items}) == want


def test_numbers_of_with_param_keep_their_digits() -> None:
    assert values({"withParam": " [2.50, 1e3, 12345678901234567890] "}) == [
        ("s(0:2.50)", "2.50"),
        ("s(1:1e3)", "1e3"),
        ("s(2:12345678901234567890)", "12345678901234567890"),
    ]


def test_a_maps_members_are_variables_of_their_own() -> None:
    step = {"arguments": {"parameters": [{"name": "p", "value": "{{item.a}} {{=item.b + '!'}}"}]}}
    assert values({**step, "withParam": '[{"a": "x\\"y", "b": "z"}]'}) == [(r"s(0:a:x\"y,b:z)", r"x\"y z!")]


def test_the_template_is_never_templated_by_the_item() -> None:
    (turn,) = expand({**STEP, "withItems": ["a"]}, {}, dag=True)
    assert turn.step == {
        "name": "s(0:a)",
        "template": "{{item}}",
        "arguments": {"parameters": [{"name": "p", "value": "a"}]},
    }


def test_a_step_without_a_loop_is_left_alone() -> None:
    assert expand({**STEP, "withItems": [], "withParam": ""}, {}, dag=True)[0].step["name"] == "s"


def test_every_tag_must_resolve() -> None:
    with pytest.raises(MissingVariable, match=r"failed to resolve \{\{x\}\}"):
        values({"withItems": ["a"], "when": "{{x}} == a"})


def test_in_a_dag_the_tags_in_items_must_resolve_too() -> None:
    assert values({"withItems": ["{{x}}"]}) == [("s(0:{{x}})", "{{x}}")]
    with pytest.raises(MissingVariable):
        values({"withItems": ["{{x}}"]}, dag=True)
    assert values({"withItems": ["{{x}}"]}, {"x": "y"}, dag=True) == [("s(0:{{x}})", "{{x}}")]


def test_what_will_not_run_need_not_resolve() -> None:
    step = {"arguments": {"parameters": [{"name": "p", "value": "{{x}} {{gone}}"}]}, "withItems": ["a"], "when": "false"}
    assert values(step, {"gone": None}) == [("s(0:a)", "{{x}} {{gone}}")]


@pytest.mark.parametrize("text", ["not json", '["a",]', '{"a": 1}', '"a"', "1", "true", '["a"] x', "[1, NaN]"])
def test_with_param_must_be_a_list(text: str) -> None:
    with pytest.raises(ExprError, match=r"^withParam value could not be parsed as a JSON list: "):
        items_of({**STEP, "withParam": text})
    assert items_of({**STEP, "withParam": text, "when": "false"}) == []


def test_null_is_no_items() -> None:
    assert items_of({**STEP, "withParam": "null"}) == []


def test_too_many_items_are_refused() -> None:
    with pytest.raises(ExprError, match="100000 are the most"):
        items_of({**STEP, "withParam": "[" + "1," * 100_000 + "1]"})
    with pytest.raises(ExprError, match="100000 are the most"):
        items_of({**STEP, "withSequence": {"count": 10**9}})


def test_a_loop_of_too_many_tags_is_refused() -> None:
    with pytest.raises(ExprError, match=r"^the loop s has too many tags for 5000 items$"):
        values({"withItems": ["{{x}}"] * 5000}, {"x": "y"}, dag=True)


def test_items_that_multiply_a_long_text_are_stopped() -> None:
    scope = {"x": "y" * 1_000_000}
    with pytest.raises(ExprError, match="grow beyond 64 MiB"):
        values({"arguments": {"parameters": [{"name": "p", "value": "{{x}}"}]}, "withSequence": {"count": 1000}}, scope)


@pytest.mark.parametrize(
    ("item", "kind", "shown"),
    [
        ("1", "Number", "1"),
        ("-2.50e3", "Number", "-2.50e3"),
        ("1e400", "String", "1e400"),
        ("true", "Bool", "true"),
        ('"<b>"', "String", "<b>"),
        ("null", "List", "null"),
        ("[1,  null]", "List", "[1,null]"),
        ('{"b": 1, "a": "x y"}', "Map", '{"b":1,"a":"x y"}'),
        ("[1e400]", "String", "[1e400]"),
    ],
)
def test_knows_what_an_item_is(item: str, kind: str, shown: str) -> None:
    assert (item_type(item), item_string(item)) == (kind, shown)
