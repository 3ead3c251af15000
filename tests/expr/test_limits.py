"""Whatever is written, it ends soon: with a value or with an ExprError."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.evaluator import evaluate
from argo_yaml_provider.expr.rendering import render_go, render_json_text
from argo_yaml_provider.expr.when import evaluate_when

SECONDS = 0.4
"""A tenth is what is aimed at, on a machine that does nothing else."""
ENV: dict[str, Any] = {
    "s": "x" * 200_000,
    "l": list(range(20_000)),
    "deep": "[" * 5_000 + "]" * 5_000,
    "big": "[" + ",".join(['{"a":[1,2,3]}'] * 20_000) + "]",
}
HOSTILE = {
    "repeat": "repeat('a', 100000000)",
    "sprig-repeat": "sprig.repeat(1000000000, 'a')",
    "doubling-text": "reduce(1..60, #acc + #acc, 'x')",
    "range": "1..1000000000",
    "loops-in-loops": "map(1..900, map(1..900, #))",
    "long-loop": "filter(1..999999, # > 0)",
    "long-sort": "sortBy(1..99999, -#)",
    "groups": "toPairs(groupBy(1..900000, #))",
    "square": "uniq(map(1..20000, [#]))",
    "json": "toJson(1..900000)",
    "times-in-a-loop": "map(1..100000, date('2024-01-02'))",
    "times-written-in-a-loop": "let d = date('2024-01-02'); map(1..100000, d.AddDate(0, 1, 0).Format('2006'))",
    "versions-in-a-loop": "map(1..100000, sprig.semverCompare('^1.2', '1.2.3'))",
    "text-in-a-loop": "map(1..50000, toBase64(s))",
    "replace-in-a-loop": "map(1..50000, replace(s, 'x', 'yy'))",
    "sum-of-texts-in-a-loop": "map(1..50000, s + 'x')",
    "hash-in-a-loop": "map(1..50000, sprig.sha512sum(s))",
    "search-in-a-loop": "map(1..20000, # in l)",
    "keys-in-a-loop": "map(1..1000, sprig.genPrivateKey('rsa'))",
    "certificates-in-a-loop": "map(1..1000, sprig.genCA('a', 1))",
    "password-hashes-in-a-loop": "map(1..1000, sprig.bcrypt('x'))",
    "derived-passwords-in-a-loop": "map(1..1000, sprig.derivePassword(1, 'long', 'a', 'b', 'c'))",
    "pattern": "map(1..50000, s matches '(x+x+)+y')",
    "large-pattern": "'a' matches repeat('(a{1000})', 900)",
    "many-matches": "sprig.regexReplaceAll('', s, s)",
    "until": "sprig.until(999999999)",
    "seq": "sprig.seq(1, 99999999)",
    "indent": "sprig.indent(1000000000, 'a')",
    "random": "sprig.randAlphaNum(100000000)",
    "document-in-a-condition": "jsonpath(big, '$[?($ == 1)]')",
    "document-as-a-text-in-a-condition": "jsonpath(big, '$[?($ =~ /x/)]')",
    "document-in-a-condition-of-each-part": "jsonpath(big, '$..[?($ in [1])]')",
    "sharing-list": "toJson(reduce(1..40, [#acc, #acc], 1))",
    "sharing-map": "sprig.toString(reduce(1..40, {a: #acc, b: #acc}, {}))",
    "sharing-result": "reduce(1..40, [#acc, #acc], 1)",
    "sharing-compared": "reduce(1..40, [#acc, #acc], 1) == reduce(1..40, [#acc, #acc], 1)",
    "deep-json": "fromJSON(deep)",
    "recursive-path": "jsonpath(big, '$..*..*..*')",
    "long-date": "date(s, s)",
    "long-duration": "duration(repeat('1h', 100000))",
    "long-version": "sprig.semver(repeat('1', 100000))",
    "long-constraint": "sprig.semverCompare(repeat('>1 ', 20000), '1.0')",
    "long-number": "int(repeat('9', 100000)) + float(repeat('9', 100000))",
    "parentheses": "(" * 10_000 + "1" + ")" * 10_000,
    "brackets": "[" * 3_000 + "]" * 3_000,
    "minuses": "- " * 100_000 + "1",
    "sums": "1" + " + s" * 20_000,
    "lets": "let a = 1; " * 2_000 + "1",
    "ternaries": "a ? b : " * 3_000 + "c",
    "blocks": "if true {" * 2_000,
    "members": "x." * 3_000 + "y",
    "loops-of-loops": "map([1], " * 300 + "1" + ")" * 300,
    "comment": "/*" * 10_000,
}


def ends(text: str) -> None:
    """The evaluation and both renderings end in time, with a value or an ExprError."""
    began = time.thread_time()
    with suppress(ExprError):
        value = evaluate(text, ENV)
        render_go(value)
        render_json_text(value)
    assert time.thread_time() - began < SECONDS


@pytest.fixture(scope="module", autouse=True)
def _warm() -> Iterator[None]:
    """What is no evaluation's fault: libraries are loaded once per process, and what other tests left is not collected here."""
    for text in ("sprig.upper('x')", "jsonpath('[1]', '$[0]')", "date('2024-01-01').Year()", "'a' matches 'a'"):
        evaluate(text, {})
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_ends_in_an_error(text: str) -> None:
    began = time.thread_time()
    with pytest.raises(ExprError):
        render_json_text(evaluate(text, ENV))
    assert time.thread_time() - began < SECONDS


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("(" * 10_000 + "a" + ")" * 10_000, id="parentheses"),
        pytest.param("a == a && " * 5_000 + "true", id="terms"),
        pytest.param("'2020-01-01' < " * 1_000 + "1", id="dates"),
        pytest.param("a =~ '" + "(a{1000})" * 400 + "'", id="pattern"),
        pytest.param("\\" * 1_000, id="backslashes"),
    ],
)
def test_hostile_conditions_end_in_an_error(text: str) -> None:
    began = time.thread_time()
    with pytest.raises(ExprError):
        evaluate_when(text)
    assert time.thread_time() - began < SECONDS


VOCABULARY = """
    1 0 -1 2.5 'a' "b" true nil s l # #acc [ ] ( ) { } , : ; . ?. ?? ? | + - * / % ** == < in not and or matches
    if else let x = .. map( filter(
    reduce( sortBy( len( string( int( toJSON( fromJSON( split( repeat( join( flatten( date( duration( jsonpath(
    sprig.join( sprig.int( sprig.regexReplaceAll( sprig.merge( sprig.dict( '$..*' 1..9 999999999 $env `raw` b'x' // /* */ '
"""
WORDS = st.sampled_from(VOCABULARY.split())


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(WORDS, max_size=25))
def test_words_of_the_language_in_any_order_end(words: list[str]) -> None:
    ends(" ".join(words))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=60))
def test_any_text_ends(text: str) -> None:
    ends(text)
    with suppress(ExprError):
        evaluate_when(text)
