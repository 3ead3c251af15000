from __future__ import annotations

import pytest

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.when import check_when, evaluate_cron_when, evaluate_when


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("", True, id="nothing-is-yes"),
        pytest.param("heads == heads", True, id="bare-words-are-texts"),
        pytest.param("'a b' != a", True, id="quotes"),
        pytest.param("\"a' == a", True, id="any-quote-closes-any"),
        pytest.param("3 == '3'", False, id="a-number-is-no-text"),
        pytest.param("'10a0' =~ '^10\\.'", True, id="a-backslash-drops-itself"),
        pytest.param("foo\\-bar == 'foo-bar'", True, id="an-escaped-minus"),
        pytest.param("[a b] == 'a b'", True, id="brackets"),
        pytest.param("a in (a, b) && !(a in (b, c))", True, id="lists"),
        pytest.param("a == a || b == c && d == e", True, id="and-binds-tighter"),
        pytest.param("2 ** 3 ** 2 == 64", True, id="power-groups-from-the-left"),
        pytest.param("-2 ** 2 == 4", True, id="a-prefix-binds-tightest"),
        pytest.param("10 - 2 - 3 == 5", True, id="minus-groups-from-the-left"),
        pytest.param("0x10 | 1 == 17", True, id="bits"),
        pytest.param("a + 1.50 == 'a1.5'", True, id="a-text-takes-anything"),
        pytest.param("'2020-01-01' == 1577836800", True, id="a-quoted-date-is-a-number"),
        pytest.param("false ? a : true", True, id="ternary"),
        pytest.param("false && a.B", False, id="the-right-side-is-not-reached"),
        pytest.param("(a == a) b", True, id="what-follows-a-parenthesis-is-not-looked-at"),
        pytest.param("1 < 2) || (a == b", True, id="what-follows-a-parenthesis-closed-too-early-is-not-looked-at"),
        pytest.param("1\\.5 == 1.5", True, id="a-backslash-in-a-number"),
        pytest.param("1 / 0 > 5", True, id="infinite"),
    ],
)
def test_answers_like_govaluate(text: str, want: bool) -> None:
    assert evaluate_when(text) is want


HINT = '(hint: try wrapping the affected expression in quotes ("))'
NO_BOOL = "cannot be used with the logical operator '&&', it is not a bool"


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        pytest.param("yes", "Expected boolean evaluation for 'yes'. Got yes", (0, 3), id="no-truth"),
        pytest.param("a==-1", f"Invalid token: '==-' {HINT}", (1, 3), id="signs"),
        pytest.param("a b == c", "VARIABLE 'b' may not stand behind VARIABLE 'a'", (2, 1), id="two-words"),
        pytest.param("!a", "VARIABLE 'a' may not stand behind PREFIX '!'", (1, 1), id="not-a-text"),
        pytest.param("'3' > 2", "Value '3' cannot be used with >: it is no number", (4, 1), id="text-above-number"),
        pytest.param("a in ('a')", "Value 'a' cannot be used with in: it is no list of two or more", (2, 2), id="one-element"),
        pytest.param("'a", "Unclosed string literal", (0, 2), id="quote"),
        pytest.param("(true", "Unbalanced parenthesis", (0, 1), id="parenthesis"),
        pytest.param("1 +", "Unexpected end of expression", (2, 1), id="end"),
        pytest.param("true && a =~ '['", "error parsing regexp: missing ]: [: `[`", (13, 3), id="pattern"),
        pytest.param("true && a", f"Value 'a' {NO_BOOL}", (5, 2), id="and-a-text"),
    ],
)
def test_an_error_says_what_and_where(text: str, message: str, place: tuple[int, int]) -> None:
    with pytest.raises(ExprError) as caught:
        evaluate_when(text)
    assert (caught.value.message, (caught.value.offset, caught.value.length)) == (message, place)


def test_a_condition_can_be_checked_without_an_answer() -> None:
    check_when("'{{item}}' == a")
    with pytest.raises(ExprError, match="Unclosed string literal"):
        check_when("'{{item}} == a")


def test_bare_words_of_a_cron_condition_are_variables_that_nobody_gives() -> None:
    assert evaluate_cron_when("{{cronworkflow.failed}} < 3", {"cronworkflow.failed": "2"}) is True
    with pytest.raises(ExprError) as caught:
        evaluate_cron_when("a == 'a'", {})
    assert caught.value.message == "No parameter 'a' found."
