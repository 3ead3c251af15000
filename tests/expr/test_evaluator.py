from __future__ import annotations

import math
import pickle
from typing import Any

import pytest

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.evaluator import compile_expression, evaluate, evaluate_bool
from argo_yaml_provider.expr.rendering import render_go, render_json_text
from argo_yaml_provider.expr.values import go_type

ENV: dict[str, Any] = {
    "inputs.parameters.name": "world",
    "inputs.parameters.n": "3",
    "tasks.a-b.outputs.result": "[1, 2]",
    "tasks.skipped.outputs.parameters.x": None,
    "item": "it",
    "number": 3,
    "list": [3, 1, 2],
    "pairs": [{"k": "a", "n": 1}, {"k": "b", "n": 2}],
}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("1 + 2 * 3", 7, id="product-binds-tighter"),
        pytest.param("2 ** 3 ** 2", 512.0, id="power-groups-from-the-right-and-is-a-float"),
        pytest.param("-2 ** 2", -4.0, id="power-binds-tighter-than-minus"),
        pytest.param("1 + nil ?? 2 + 3", 6, id="coalescing-binds-tightest"),
        pytest.param("1 < 2 < 3", True, id="comparisons-chain"),
        pytest.param("not true or true", True, id="not-binds-tighter-than-or"),
        pytest.param("7 % -3", 1, id="remainder-has-the-sign-of-the-left"),
        pytest.param("9223372036854775807 + 1", -(2**63), id="ints-wrap-at-64-bits"),
        pytest.param("6 / 2", 3.0, id="division-makes-a-float"),
        pytest.param("5 / 0", math.inf, id="division-by-zero-is-infinite"),
        pytest.param("1.5 ** 2.5", 2.7556759606310757, id="powers-have-the-last-digit-that-go-gives-them"),
        pytest.param("[1] == [1.0]", True, id="lists-compare-by-value"),
        pytest.param("{a: 1} == {a: 1.0}", False, id="maps-compare-by-type"),
        pytest.param("len('héllo')", 5, id="len-counts-characters"),
        pytest.param("'héllo'[0:3]", "hé", id="slices-count-bytes"),
        pytest.param("[1, 2, 3][-1]", 3, id="negative-index-counts-from-the-end"),
        pytest.param("[1, 2, 3][1:]", [2, 3], id="slice-to-the-end"),
        pytest.param("true ? 1 : false ? 2 : 3", 1, id="ternary-groups-from-the-right"),
        pytest.param("if number > 5 { 'a' } else if number > 2 { 'b' } else { 'c' }", "b", id="if-else"),
        pytest.param("let x = 2; let y = x + 1; x * y", 6, id="let"),
        pytest.param("'a,b' | split(',') | map(upper(#)) | join('-')", "A-B", id="pipes"),
        pytest.param("inputs.parameters.name && true", "world", id="and-true-is-dropped-with-its-check"),
        pytest.param("nil in ['']", True, id="nil-is-the-empty-key-of-a-literal-list"),
        pytest.param("sum(1..100000000)", 5000000050000000, id="a-literal-range-is-summed-at-once"),
        pytest.param("len(-1..9223372036854775807)", 0, id="a-range-whose-length-overflows-is-empty"),
        pytest.param("[sprig.upper] == [sprig.upper]", False, id="functions-are-never-equal"),
        pytest.param("{٣a: 1}.٣a", 1, id="a-name-may-begin-with-a-foreign-digit"),
        pytest.param("5 in 1..1000000000", True, id="a-literal-range-is-not-made-to-look-into-it"),
    ],
)
def test_evaluates_like_expr_lang(text: str, want: object) -> None:
    value = evaluate(text, ENV)
    assert (value, type(value)) == (want, type(want))


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("filter(list, # > 1)", [3, 2], id="filter"),
        pytest.param("map(list, # * #index)", [0, 1, 4], id="map-with-index"),
        pytest.param("reduce(list, #acc + #, 10)", 16, id="reduce"),
        pytest.param("pairs | find(.k == 'b') | get('n')", 2, id="find"),
        pytest.param("map(1..3, map(1..#, #))", [[1], [1, 2], [1, 2, 3]], id="loops-in-loops"),
        pytest.param("sortBy(pairs, -.n) | map(.k)", ["b", "a"], id="sort-by"),
        pytest.param("groupBy(pairs, .k).a", [{"k": "a", "n": 1}], id="group-by"),
        pytest.param("filter(list, # > 1)[0]", 3, id="first-of-filter"),
        pytest.param("count(list, # > 1) > 0", True, id="count-as-any"),
        pytest.param("findIndex(list, # == 9)", None, id="no-index"),
        pytest.param("all([], false) && none([], true)", True, id="of-nothing-everything-is-true"),
    ],
)
def test_predicates_see_one_element_at_a_time(text: str, want: object) -> None:
    assert evaluate(text, ENV) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("inputs.parameters.name", "world", id="dots-nest"),
        pytest.param("tasks['a-b'].outputs.result", "[1, 2]", id="brackets-take-any-name"),
        pytest.param("inputs.parameters.missing", None, id="a-missing-last-key-is-nil"),
        pytest.param("inputs.parameters.missing ?? 'd'", "d", id="a-default"),
        pytest.param("inputs?.nope?.deep ?? 'd'", "d", id="an-optional-chain"),
        pytest.param("tasks.skipped.outputs.parameters.x == nil", True, id="a-skipped-output-is-nil"),
        pytest.param("asInt(inputs.parameters.n) + 1", 4, id="asInt"),
        pytest.param("toJson({b: 1, a: [inputs.parameters.name]})", '{"a":["world"],"b":1}', id="toJson"),
        pytest.param("jsonpath(tasks['a-b'].outputs.result, '$[1]')", 2.0, id="jsonpath-reads-floats"),
        pytest.param("sprig.default('d', nowhere)", "d", id="an-argument-of-sprig-may-be-unknown"),
        pytest.param("$env['item']", "it", id="the-environment"),
    ],
)
def test_variables_are_nested_by_their_dots(text: str, want: object) -> None:
    assert evaluate(text, ENV) == want


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        pytest.param("1 + 'a'", "invalid operation: + (mismatched types int and string)", (2, 1), id="types"),
        pytest.param("not 1 == 2", "invalid operation: not (mismatched type int)", (0, 3), id="not-of-a-number"),
        pytest.param(
            "item + inptus.x",
            "unknown name inptus; known here: item",
            (7, 6),
            id="unknown-name",
        ),
        pytest.param("'abc'[0]", "type string[int] is undefined", (5, 1), id="a-literal-text-has-no-index"),
        pytest.param("[1, 2, 3][5]", "index out of range: 5 (array length is 3)", (9, 1), id="index"),
        pytest.param("item.x", "type string has no field x", (5, 1), id="a-text-has-no-fields"),
        pytest.param("upper(1)", "cannot use int as argument (type string) to call upper", (6, 1), id="argument"),
        pytest.param("'a' | nosuch()", "unknown name nosuch; known here: item", (6, 6), id="unknown-function"),
        pytest.param("item matches '['", "error parsing regexp: missing ]: [: `[`", (5, 7), id="pattern"),
        pytest.param("sprig.fail('no way')", "no way", (6, 4), id="fail"),
        pytest.param("5 % 0", "integer divide by zero", (2, 1), id="divide-by-zero"),
        pytest.param("map([1], #acc)", "unknown pointer #acc", (9, 1), id="pointer"),
        pytest.param("let item = 1; item", "cannot redeclare item", (4, 4), id="redeclared"),
        pytest.param("int(item)", "invalid operation: int(it)", (0, 3), id="conversion"),
    ],
)
def test_an_error_says_what_and_where(text: str, message: str, place: tuple[int, int]) -> None:
    with pytest.raises(ExprError) as caught:
        evaluate(text, {"item": "it"})
    error = caught.value
    assert (error.message, (error.offset, error.length)) == (message, place)


def test_an_error_survives_the_way_to_another_process() -> None:
    with pytest.raises(ExprError) as caught:
        evaluate("asInt('x') + upper(item)", {"item": "x"})
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.message, copy.offset, copy.length) == ("invalid operation: int(x)", 0, 5)


def test_a_program_is_compiled_once_and_run_over_variables_of_any_type() -> None:
    program = compile_expression("x == 1")
    assert compile_expression("x == 1") is program
    assert [program.run({"x": value}) for value in (1, 1.0, 2, None)] == [True, True, False, False]
    with pytest.raises(ExprError, match="mismatched types string and int"):
        program.run({"x": "1"})


def test_a_function_that_changes_a_map_leaves_the_variables_alone() -> None:
    env = {"m": {"a": 1}}
    assert evaluate("sprig.set(m, 'b', 2)", env) == {"a": 1, "b": 2}
    assert env == {"m": {"a": 1}}


def test_a_condition_must_be_true_or_false() -> None:
    assert evaluate_bool("item == 'it'", ENV) is True
    with pytest.raises(ExprError) as caught:
        evaluate_bool("item", ENV)
    assert caught.value.message == "unable to cast expression result 'it' to bool"


@pytest.mark.parametrize(
    ("text", "as_json", "as_go", "kind"),
    [
        pytest.param("1000000.0", "1000000", "1e+06", "float64", id="float"),
        pytest.param("1e21", "1e+21", "1e+21", "float64", id="large-float"),
        pytest.param("['a', 1, nil]", '["a",1,null]', "[a 1 <nil>]", "[]interface {}", id="list"),
        pytest.param("{b: 1, a: '<'}", '{"a":"\\u003c","b":1}', "map[a:< b:1]", "map[string]interface {}", id="map"),
        pytest.param("duration('90s')", "90000000000", "1m30s", "time.Duration", id="duration"),
        pytest.param("date('2024-01-02')", '"2024-01-02T00:00:00Z"', "2024-01-02 00:00:00 +0000 UTC", "time.Time", id="time"),
        pytest.param("1..3", "[1,2,3]", "[1 2 3]", "[]int", id="range"),
        pytest.param("sprig.add(1, '2')", "3", "3", "int64", id="int64"),
        pytest.param("sprig.semver('v1.2')", '"1.2.0"', "1.2.0", "*semver.Version", id="version"),
        pytest.param("sprig.trunc(2, 'hé')", '"h\\ufffd"', "h\ufffd", "string", id="half-a-character"),
        pytest.param("concat([], [])", "null", "[]", "[]interface {}", id="a-list-that-was-never-made"),
    ],
)
def test_a_value_has_a_type_and_two_texts(text: str, as_json: str, as_go: str, kind: str) -> None:
    value = evaluate(text, {})
    assert (render_json_text(value), render_go(value), go_type(value)) == (as_json, as_go, kind)


@pytest.mark.parametrize("text", ["5 / 0", "groupBy([1], #)", "fromPairs([['a', 1]])", "[sprig.upper]"])
def test_what_json_has_no_word_for_cannot_be_rendered(text: str) -> None:
    with pytest.raises(ExprError, match=r"^json: unsupported"):
        render_json_text(evaluate(text, {}))
