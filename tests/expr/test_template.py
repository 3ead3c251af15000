from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.expr.errors import ExprError, MissingVariable
from argo_yaml_provider.expr.template import (
    LARGEST,
    replace,
    replace_json,
    replace_strict,
    resolve_variable,
    simple_tags,
)

PARAMS: dict[str, Any] = {
    "x": "X",
    "quoted": 'say "hi"\n',
    "tag": "{{x}}",
    "absent": None,
    "number": 5,
    "item": "b",
    "inputs.parameters.n": "3",
    "tasks.a.outputs.result": "r",
    "inputs.parameters.html": "<b>",
}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("{{x}} {{ x }}", "X X", id="blanks-are-trimmed"),
        pytest.param("{{quoted}}", 'say "hi"\n', id="values-are-escaped"),
        pytest.param("{{tag}}", "{{x}}", id="a-value-is-not-scanned-again"),
        pytest.param("{{missing}}", "{{missing}}", id="what-is-missing-stays"),
        pytest.param("{{a{{item}}c}}", "{{abc}}", id="an-inner-tag-is-replaced-first"),
        pytest.param("{{a{{ item }}c}}", "{{a{{ item }}c}}", id="an-inner-tag-is-not-trimmed"),
        pytest.param("{{a{{number}}c}}", "{{a{{number}}c}}", id="an-inner-tag-must-be-text"),
        pytest.param("{{=1 + 1}}", "2", id="expression"),
        pytest.param("{{=[1.0, 'a']}}", '[1,"a"]', id="a-list-becomes-json"),
        pytest.param("{{=inputs.parameters.html}}", "<b>", id="html-in-a-string-is-no-escape"),
        pytest.param("{{=asInt(inputs.parameters.n) < 4}}", "true", id="less-than-survives-the-json-text"),
        pytest.param("{{='a' + \"b\"}}", "ab", id="quotation-marks-in-an-expression"),
        pytest.param("{{=nosuch}}", "{{=nosuch}}", id="an-unknown-name-stays"),
        pytest.param("{{=tasks.a.outputs.none}}", "{{=tasks.a.outputs.none}}", id="nil-stays"),
        pytest.param("{{=tasks.a.outputs.none ?? ''}}", "", id="empty-is-a-value"),
        pytest.param("{{=retries ?? 'd'}}", "{{=retries ?? 'd'}}", id="late-variables-wait"),
        pytest.param("{{=asInt(x)}}", "{{=asInt(x)}}", id="a-failing-expression-stays"),
    ],
)
def test_replaces_what_is_known(text: str, want: str) -> None:
    assert replace_json({"a": [text]}, PARAMS) == {"a": [want]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{{absent}}", "output is an absent optional (skipped/omitted node with no default)", id="absent"),
        pytest.param("{{a{{absent}}}}", 'nested tag {{a{{absent}}: "absent" is an absent optional', id="nested-absent"),
        pytest.param("{{x", "Cannot find end tag", id="not-closed"),
        pytest.param("{{=1 +}}", "failed to evaluate expression: ", id="syntax-error-in-an-expression"),
    ],
)
def test_what_is_wrong_fails_even_where_tags_may_stay(text: str, message: str) -> None:
    with pytest.raises(ExprError) as caught:
        replace_json({"a": text}, PARAMS)
    assert message in caught.value.message
    assert not isinstance(caught.value, MissingVariable)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ('"{{missing}}"', "missing", "failed to resolve {{missing}}"),
        ('"{{ tasks.b.outputs.result }}"', "tasks.b.outputs.result", "failed to resolve {{ tasks.b.outputs.result }}"),
        ('"{{number}}"', "number", "failed to resolve {{number}} to string"),
        ('"{{=tasks.b.outputs.result}}"', "tasks.b", "failed to evaluate expression: tasks.b is missing"),
        ('"{{=let a = 1; a}}"', "a", "failed to evaluate expression: a is missing"),
    ],
)
def test_a_missing_variable_is_told_by_its_class_and_name(text: str, name: str, message: str) -> None:
    with pytest.raises(MissingVariable) as caught:
        replace(text, PARAMS, allow_unresolved=False)
    assert (caught.value.name, caught.value.message) == (name, message)


def test_strict_prefixes_are_whole_segments() -> None:
    assert replace_strict('"{{tasksA.x}} {{item.x}} {{=inputs.none}}"', PARAMS) == '"{{tasksA.x}} {{item.x}} {{=inputs.none}}"'
    with pytest.raises(MissingVariable):
        replace_strict('"{{steps.x.outputs.result}}"', PARAMS)


def test_artifacts_of_steps_may_stay_until_they_are_resolved() -> None:
    text = '"{{steps.x.outputs.artifacts.y}}"'
    assert replace_strict(text, PARAMS) == text


def test_a_document_must_be_json_before_and_after() -> None:
    with pytest.raises(ExprError, match=r"^cannot do template replacements with invalid JSON$"):
        replace("no json {{x}}", PARAMS, allow_unresolved=True)
    with pytest.raises(ExprError, match=r"^cannot finish template replacement because the result was invalid JSON$"):
        replace('"{{x}}"', {"x": "\x1b[0m"}, allow_unresolved=True)


def test_a_tag_may_span_two_strings_of_the_document() -> None:
    text = '{"a":"{{x","b":"y}}"}'
    assert replace(text, PARAMS, allow_unresolved=True) == text


def test_a_text_that_multiplies_itself_is_stopped() -> None:
    with pytest.raises(ExprError, match="grows beyond 64 MiB"):
        replace('"' + "{{x}}" * 1000 + '"', {"x": "y" * (LARGEST // 500)}, allow_unresolved=True)


def test_too_many_expressions_are_refused() -> None:
    with pytest.raises(ExprError, match="5000 expression tags at most"):
        replace('"' + "{{=1}}" * 5001 + '"', {}, allow_unresolved=True)


def test_deep_nesting_of_tags_costs_one_pass() -> None:
    text = '"' + "{{a" * 50_000 + "}}" * 50_000 + '"'
    assert replace(text, PARAMS, allow_unresolved=True) == text


def test_lists_simple_tags_only() -> None:
    assert simple_tags('"{{x}} {{ y }} {{=z}}"') == ("x", " y ")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("{{x}}", ("x", "X")),
        ("{{ number }}", ("number", 5)),
        ("{{=number * 2}}", ("=number * 2", 10)),
        ("{{= x }}", ("= x", "X")),
    ],
)
def test_resolves_one_variable_with_its_type(text: str, want: tuple[str, Any]) -> None:
    assert resolve_variable(text, PARAMS) == want


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{missing}}", 'Unable to resolve: "missing"'),
        ("{{=tasks.a.outputs.result}}", 'Unable to compile: "tasks.a.outputs.result"'),
        ("{{=toJson(x)}}", 'Unable to compile: "toJson(x)"'),
        ("{{=nil}}", 'Unable to resolve: "=nil"'),
    ],
)
def test_says_which_variable_cannot_be_resolved(text: str, message: str) -> None:
    with pytest.raises(ExprError) as caught:
        resolve_variable(text, PARAMS)
    assert caught.value.message == message
