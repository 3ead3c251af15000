from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.diagnostics import SpecError
from argo_yaml_provider.source import Limits, read_file, read_text


def json_of(text: str) -> Any:
    return read_text(text)[0].json


def refusal(text: str, **limits: int) -> str:
    with pytest.raises(SpecError) as caught:
        read_text(text, "f.yaml", limits=Limits(**limits))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("y", True), ("yes", True), ("on", True), ("TRUE", True), ("n", False), ("No", False), ("off", False), ("yeS", "yeS"),
        ("0755", 493), ("010", 8), ("0o17", 15), ("0x1F", 31), ("0b11", 3), ("1_000", 1000), ("+1", 1), ("-0", 0), ("08", 8),
        ("1.0", 1), ("1.10", 1.1), ("1e3", 1000), (".5", 0.5), ("-1.5e-3", -0.0015), ("5.", 5),
        ("~", None), ("null", None), ("", None), ("nUll", "nUll"),
        ("12:30:45", "12:30:45"), ("2024-01-02", "2024-01-02"), ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
        ("NaN", "NaN"), ("1e400", "1e400"), ("123456789012345678901234567890", 1.2345678901234568e29),
        ("18446744073709551615", 18446744073709551615), ("1.2.3", "1.2.3"), ("-", [None]),
        ("0x", "0x"), ("1e", "1e"), ("+", "+"),
        ("!!str 5", "5"), ("!!binary aGk=", "hi"), ("!!int 5", 5), ("!!float 5", 5), ("!custom 5", "5"), ("! 5", "5"),
        ('"yes"', "yes"), ("'0755'", "0755"), ("|\n  5", "5\n"), (">\n  a\n  b\n", "a b\n"),
    ],
)  # fmt: skip
def test_scalar_means_what_argo_reads(text: str, want: object) -> None:
    value = json_of(f"v: {text}\n" if text != "-" else "v:\n-\n")["v"]
    assert (type(value), value) == (type(want), want)


def test_keys_become_text() -> None:
    assert json_of("1: a\ntrue: b\n1.5: c\nno: d\n") == {"1": "a", "true": "b", "1.5": "c", "false": "d"}


def test_aliases_and_merge_keys_are_resolved() -> None:
    text = "base: &b {p: 1, q: 2}\nother: &o {r: 0}\none: {<<: *b, q: 3}\ntwo: {q: 4, <<: [*o, *b]}\nlist: [*b]\n"
    document = json_of(text)
    assert document["one"] == {"q": 3, "p": 1}
    assert document["two"] == {"q": 4, "r": 0, "p": 1}
    assert document["list"] == [{"p": 1, "q": 2}]


def test_json_is_read_too() -> None:
    assert json_of('{"a": [1, 2.50, true, null, "x\\u00e9"]}') == {"a": [1, 2.5, True, None, "xé"]}


def test_documents_are_counted_without_the_empty_ones() -> None:
    documents = read_text("---\n# nothing\n---\na: 1\n---\n---\nb: 2\n")
    assert [(one.index, one.json) for one in documents] == [(0, {"a": 1}), (1, {"b": 2})]


@pytest.mark.parametrize(
    ("text", "path", "part", "want"),
    [
        pytest.param("a: {b: [x, yz]}", ("a", "b", 1), None, "1:12 yz", id="flow"),
        pytest.param("a: see {{x}}", ("a",), "{{x}}", "1:8 {{x}}", id="plain"),
        pytest.param('a: "see {{x}}"', ("a",), "{{x}}", "1:9 {{x}}", id="quoted"),
        pytest.param("a: |\n\n  one {{x}}\n  two {{x}} {{y}}\n", ("a",), "{{y}}", "4:13 {{y}}", id="literal"),
        pytest.param("a: |2\n    deep {{x}}\n  y\n", ("a",), "{{x}}", "2:10 {{x}}", id="literal-with-indent"),
        pytest.param("a: >-\n  one {{x}}\n  two {{y}}\n", ("a",), "{{y}}", "3:7 {{y}}", id="folded"),
        pytest.param("a: one\n  two {{y}}\n", ("a",), "{{y}}", "2:7 {{y}}", id="plain-over-lines"),
        pytest.param('a: "t\\tb {{y}}"', ("a",), "{{y}}", "1:10 {{y}}", id="escape-before"),
        pytest.param('a: "{{\\u0079}}"', ("a",), "{{y}}", '1:4 "{{\\u0079}}"', id="escape-inside"),
        pytest.param("a: {b: 1}", ("a", "c", "d"), None, "1:1 a", id="not-there"),
    ],
)  # fmt: skip
def test_every_part_knows_its_place(text: str, path: tuple[str | int, ...], part: str | None, want: str) -> None:
    document = read_text(text)[0]
    value = document.find(path)[1].value
    pos = document.at(path, offset=value.index(part), length=len(part)) if part else document.at(path)
    assert f"{pos.line}:{pos.column} {pos.text[pos.column - 1 : pos.column - 1 + pos.width]}" == want


def test_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    begun = time.process_time()
    assert "[too-many-values]" in refusal("\n".join(lines))
    assert time.process_time() - begun < 1


def test_too_many_values_are_refused() -> None:
    assert refusal("[1, 2, 3, 4]", values=3).startswith(
        "f.yaml:1:11: the document holds more than 3 values, aliases counted as often as they stand [too-many-values]"
    )


def test_large_file_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    with file.open("wb") as opened:
        opened.truncate(50 * 2**20)
    begun = time.process_time()
    with pytest.raises(SpecError) as caught:
        read_file(file, shown_as="large.yaml")
    assert str(caught.value) == (
        "large.yaml:1:1: the file has 52,428,800 bytes; at most 10,485,760 are read [file-too-large]\n"
        "   = help: split it, or generate its items at run time with withParam or withSequence"
    )
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        (
            b"a: 1\nb: \xff\n",
            "f.yaml:2:4: the file is not UTF-8: byte 0xff is no character [not-utf8]\n   = help: save it as UTF-8",
        ),
        (
            b"",
            (
                "f.yaml:1:1: the file holds no document [empty-file]\n"
                "   = help: an Argo workflow begins with apiVersion: argoproj.io/v1alpha1"
            ),
        ),
    ],
)
def test_file_that_is_no_text_is_refused(tmp_path: Path, raw: bytes, want: str) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(raw)
    with pytest.raises(SpecError) as caught:
        read_file(file, shown_as="f.yaml")
    assert str(caught.value) == want


def test_byte_order_mark_is_no_character(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_file(file)[0].json == {"a": 1}


def test_missing_file_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read_file(tmp_path / "no.yaml", shown_as="no.yaml")
    assert str(caught.value) == (
        "no.yaml:1:1: the file cannot be read: No such file or directory [unreadable-file]\n"
        "   = help: check the path and its permissions"
    )


def test_all_duplicate_keys_are_reported_at_once() -> None:
    assert [line for line in refusal("a: 1\na: 2\nb: {c: 1, c: 2}\n").splitlines() if line.startswith("f.yaml")] == [
        'f.yaml:2:1: key "a" is given twice, first in line 1 [duplicate-key]',
        'f.yaml:3:11: key "c" is given twice, first in line 3 [duplicate-key]',
    ]


def test_wide_nesting_is_quick() -> None:
    text = "items:\n" + "- {name: a, value: 1}\n" * 10_000
    begun = time.process_time()
    assert len(json_of(text)["items"]) == 10_000
    assert time.process_time() - begun < 5
