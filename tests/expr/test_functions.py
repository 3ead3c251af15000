from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.expr import instant
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.evaluator import evaluate
from argo_yaml_provider.expr.rendering import plain
from argo_yaml_provider.expr.sprig import SPRIG

ENV: dict[str, Any] = {"doc": '{"items": [{"name": "a", "size": 1}, {"name": "b", "size": 5}], "s": "x"}'}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("trim('xxaxx', 'x')", "a", id="trim"),
        pytest.param("upper('straße')", "STRAßE", id="one-character-never-becomes-two"),
        pytest.param("split('a,b,c', ',', 2)", ["a", "b,c"], id="split"),
        pytest.param("indexOf('日本', '本')", 3, id="index-in-bytes"),
        pytest.param("replace('abc', '', '-', 2)", "-a-bc", id="replace-of-nothing"),
        pytest.param("int('-5') + int(2.9)", -3, id="int"),
        pytest.param("round(-2.5)", -3.0, id="halves-go-away-from-zero"),
        pytest.param("max([1, [7, 2.5]])", 7, id="max"),
        pytest.param("median(1, 2, 3, 4)", 2.5, id="median"),
        pytest.param("bitushr(-5, 62)", 3, id="shift"),
        pytest.param("uniq([1, 1.0, '1', [1], [1]])", [1, "1", [1]], id="uniq"),
        pytest.param("flatten([1, [2, [3]]])", [1, 2, 3], id="flatten"),
        pytest.param("sort(['b', 'a'], 'desc')", ["b", "a"], id="sort"),
        pytest.param("toPairs({b: 1, a: 2})", [["a", 2], ["b", 1]], id="pairs-by-key"),
        pytest.param("fromJSON('{\"a\": [1]}').a", [1.0], id="numbers-are-floats"),
        pytest.param("toJSON({a: [1], b: {}})", '{\n  "a": [\n    1\n  ],\n  "b": {}\n}', id="indented"),
        pytest.param("fromBase64(toBase64('é'))", "é", id="base64"),
        pytest.param("fromBase64('YW\\nI=')", "ab", id="base64-over-lines"),
        pytest.param("string(abs(-0.0))", "-0", id="abs-of-negative-zero"),
        pytest.param("median(2, 0 / 0, 1)", 1.0, id="no-number-sorts-first"),
        pytest.param("take([1, 2], duration('1ns'))", [1], id="take"),
        pytest.param("type(now())", "time.Time", id="type"),
    ],
)
def test_the_languages_own_functions(text: str, want: object) -> None:
    assert plain(evaluate(text, ENV)) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("date('2024-02-29').AddDate(1, 0, 0)", "2025-03-01T00:00:00Z", id="add-date"),
        pytest.param("date('2024-07-02 10', '2006-01-02 15', 'America/New_York')", "2024-07-02T10:00:00-04:00", id="zone"),
        pytest.param("date('2024-03-10 02', '2006-01-02 15', 'America/New_York')", "2024-03-10T01:00:00-05:00", id="gap"),
        pytest.param("date('02 Jan 24 15:04 UTC')", "2024-01-02T15:04:00Z", id="rfc-822"),
        pytest.param("date('2024-01-02T03:04:05.5+05:30')", "2024-01-02T03:04:05.5+05:30", id="fraction"),
        pytest.param("date('2024-01-02').Format('Mon _2 002 3:04PM .000 MST')", "Tue  2 002 12:00AM .000 UTC", id="layout"),
        pytest.param("date('2024-01-03') - date('2024-01-01')", 172_800_000_000_000, id="difference"),
        pytest.param("duration('1.5h').String()", "1h30m0s", id="duration"),
        pytest.param("(duration('1h') * 2).Minutes()", 120.0, id="product"),
        pytest.param("date('2024-01-02').In(timezone('Asia/Tokyo')).Hour()", 9, id="in-zone"),
        pytest.param("string(date('2024-01-02').Month())", "January", id="month"),
        pytest.param("date('032', '002')", "0000-02-01T00:00:00Z", id="day-of-year"),
        pytest.param("date('12:00 CEST', '15:04 MST', 'Europe/Berlin').UTC()", "0000-01-01T10:00:00Z", id="zone-name"),
        pytest.param("date('2024-01-02') == date('2024-01-02T01:00:00+01:00')", True, id="the-same-moment"),
    ],
)
def test_times_are_gos(text: str, want: object) -> None:
    assert plain(evaluate(text, ENV)) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("sprig.camelcase('http_server')", "HttpServer", id="camel"),
        pytest.param("sprig.snakecase('HTTP20xOK')", "http_20x_ok", id="snake"),
        pytest.param("sprig.kebabcase('FirstName')", "first-name", id="kebab"),
        pytest.param("sprig.abbrevboth(5, 10, '1234 5678 9123')", "...5678...", id="abbreviate"),
        pytest.param("sprig.wrapWith(5, '|', 'Hello World Long')", "Hello|World|Long", id="wrap"),
        pytest.param("sprig.int('010') + sprig.int('3.9')", 11, id="octal"),
        pytest.param("sprig.divf(10, 3)", 3.3333333333333335, id="decimal"),
        pytest.param("sprig.addf(0.1, 0.2)", 0.3, id="exact"),
        pytest.param("sprig.seq(5, -2, 1)", "5 3 1", id="seq"),
        pytest.param("sprig.join('-', [1, nil, 'b'])", "1-b", id="join"),
        pytest.param("sprig.regexReplaceAll('(a)(b)?', 'abac', '[$2$1]')", "[ba][a]c", id="groups"),
        pytest.param("sprig.regexFindAll('x', 'abc', -1)", None, id="no-match-is-a-nil-list"),
        pytest.param("sprig.semverCompare('>1.2 <2 || ~3.1', '3.1.4')", True, id="constraint"),
        pytest.param("sprig.semverCompare('1.2 - 1.4', '1.4.5')", True, id="range"),
        pytest.param("sprig.merge({a: {b: 1}}, {a: {b: 2, c: 3}})", {"a": {"b": 1, "c": 3}}, id="merge"),
        pytest.param("sprig.dig('a', 'z', 'none', {a: {b: 1}})", "none", id="dig"),
        pytest.param("sprig.urlParse('http://u:p@h:80/p?q=1#f').hostname", "h", id="url"),
        pytest.param("sprig.urlJoin({scheme: 'https', host: 'h', path: 'a b'})", "https://h/a%20b", id="join-url"),
        pytest.param("sprig.clean('a//b/../c/.')", "a/c", id="path"),
        pytest.param("sprig.dateInZone('15:04 MST', date('2024-07-01T12:00:00Z'), 'Europe/Berlin')", "14:00 CEST", id="date"),
        pytest.param("sprig.durationRound('2400h')", "3mo", id="duration-round"),
        pytest.param("sprig.derivePassword(1, 'x', 'p', 'u', 's') ?? ''", None, id="types-must-fit"),
        pytest.param("sprig.toRawJson('<\\\\u003c>')", '"<\\\\u003c>"', id="raw-json"),
        pytest.param("sprig.camelcase('_-')", "_--", id="connectors-alone"),
        pytest.param("sprig.snakecase('B1.-')", "b1.-", id="punctuation"),
        pytest.param("sprig.snakecase('日本テスト')", "日本_テスト", id="ideographs-are-no-letters"),
        pytest.param("sprig.swapcase('ǆǆ aA')", "ǅǄ Aa", id="a-word-begins-as-in-a-title"),
        pytest.param("sprig.swapcase('aⅧ')", "AⅧ", id="a-numeral-is-no-capital"),
        pytest.param("sprig.b64dec('\\n*')", "illegal base64 data at input byte 1", id="base64"),
        pytest.param("sprig.b64dec('YQ=')", "illegal base64 data at input byte 3", id="base64-padding"),
        pytest.param("sprig.b32dec('ME')", "illegal base32 data at input byte 0", id="base32"),
        pytest.param("sprig.b32dec('MFRG====')", "ab", id="base32-bits-too-many"),
        pytest.param("sprig.chunk(-1, [1, 2])", [], id="chunk"),
        pytest.param("sprig.toJson(1 / 0)", "", id="no-json"),
        pytest.param("string(sprig.mulf(0, -1))", "0", id="a-decimal-has-no-negative-zero"),
        pytest.param("string(sprig.minf(0, -0.0))", "-0", id="minf"),
        pytest.param("string(sprig.maxf(0 / 0, 1 / 0))", "+Inf", id="maxf"),
        pytest.param("sprig.merge(nil)", None, id="merge-of-nil"),
        pytest.param("sprig.decryptAES('k', '')", "", id="aes-of-nothing"),
        pytest.param("sprig.decryptAES('k', sprig.encryptAES('k', 'secret'))", "secret", id="aes"),
    ],
)
def test_sprigs_functions(text: str, want: object) -> None:
    if want is None and "derive" in text:
        with pytest.raises(ExprError, match="Call using int as type uint32"):
            evaluate(text, ENV)
        return
    assert plain(evaluate(text, ENV)) == want


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("date('032 Jan', '002 Jan')", 'parsing time "032 Jan": day-of-year does not match month', id="date"),
        pytest.param("'a' matches x", r"error parsing regexp: invalid escape sequence: `\C`: `\C+`", id="a-byte-in-a-pattern"),
        pytest.param("sprig.urlParse('//a%2Fb')", 'unable to parse url: parse "//a%2Fb": invalid URL escape "%2F"', id="host"),
        pytest.param("sprig.deepCopy(nil)", "reflect: call of reflect.Value.Type on zero Value", id="copy-of-nil"),
    ],
)
def test_what_go_refuses_is_refused(text: str, message: str) -> None:
    with pytest.raises(ExprError) as caught:
        evaluate(text, {"x": r"\C+"})
    assert caught.value.message == message


def test_sprig_is_whole() -> None:
    assert len(SPRIG) == 209
    assert not {"env", "expandenv"} & SPRIG.keys()


def test_dice_can_be_loaded() -> None:
    text = "[sprig.randAlphaNum(8), sprig.uuidv4(), sprig.shuffle('abcdef'), sprig.randInt(0, 1000000)]"

    def rolled(seed: str) -> Any:
        with instant.fixed(0, seed):
            return evaluate(text, {})

    assert rolled("a") == rolled("a") != rolled("b")


@pytest.mark.parametrize(
    ("path", "want"),
    [
        pytest.param("$.s", "x", id="key"),
        pytest.param("$.items[-1].name", "b", id="index"),
        pytest.param("$..name", ["a", "b"], id="recursive"),
        pytest.param("$.items[?(@.size > 1)].name", ["b"], id="filter"),
        pytest.param("$.items[?(@.name =~ '^a' || @.size == 5)].size", [1.0, 5.0], id="or"),
        pytest.param("$.items[(@.length-1)].size", 5.0, id="script"),
        pytest.param("$.items[0,1].name", ["a", "b"], id="union"),
        pytest.param("$.items[::-1].name", ["b", "a"], id="range"),
        pytest.param("$.items.length", 2, id="length"),
        pytest.param("$['s']", "x", id="quoted"),
    ],
)
def test_jsonpath_finds(path: str, want: object) -> None:
    assert plain(evaluate("jsonpath(doc, path)", ENV | {"path": path})) == want


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("$.nope", "key: invalid token key 'nope' not found", id="key"),
        pytest.param("$.items[9]", "index: invalid token out of range", id="index"),
        pytest.param("$.s.x", "key: invalid token target. expected [map] got [string]", id="target"),
        pytest.param("s", "invalid JSONPath selector 's' unexpected token 's' at index 0", id="root"),
    ],
)
def test_jsonpath_says_why_it_finds_nothing(path: str, message: str) -> None:
    with pytest.raises(ExprError) as caught:
        evaluate("jsonpath(doc, path)", ENV | {"path": path})
    assert caught.value.message == message
