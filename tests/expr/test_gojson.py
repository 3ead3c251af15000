from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError


@pytest.mark.parametrize(
    ("value", "want"),
    [
        pytest.param({"b": 1, "a": [None, True, False]}, '{"b":1,"a":[null,true,false]}', id="a-struct-keeps-its-order"),
        pytest.param("<a> & \u2028 é", r'"\u003ca\u003e \u0026 \u2028 é"', id="html-is-escaped"),
        pytest.param('"\\\n\x1b', r'"\"\\\n\u001b"', id="control-characters"),
        pytest.param(1.0, "1", id="a-whole-float-has-no-point"),
        pytest.param(1e20, "100000000000000000000", id="no-exponent-below-1e21"),
        pytest.param(1e21, "1e+21", id="exponent-from-1e21"),
        pytest.param(1.5e-7, "1.5e-7", id="exponent-below-1e-6"),
        pytest.param(0.00001, "0.00001", id="no-exponent-above-1e-6"),
        pytest.param(-0.0, "-0", id="minus-zero"),
    ],
)
def test_writes_json_as_go_does(value: Any, want: str) -> None:
    assert gojson.dumps(value) == want


def test_sorts_the_keys_of_a_go_map() -> None:
    assert gojson.dumps({"b": {"d": 1, "c": 2}, "a": 3}, sort_keys=True) == '{"a":3,"b":{"c":2,"d":1}}'


@pytest.mark.parametrize(("number", "want"), [(float("inf"), "+Inf"), (float("-inf"), "-Inf"), (float("nan"), "NaN")])
def test_has_no_word_for_infinity(number: float, want: str) -> None:
    with pytest.raises(ExprError) as caught:
        gojson.dumps([number])
    assert caught.value.message == f"json: unsupported value: {want}"


DEEP = r"""
import sys
from argo_yaml_provider.expr import gojson
sys.setrecursionlimit(200_000)
assert not gojson.is_json("[" * 100_000 + "]" * 100_000)
assert not gojson.is_json('{"a":' * 100_000 + "1" + "}" * 100_000)
assert gojson.is_json("[" * 1000 + "]" * 1000)
assert gojson.is_json("[" + "[]," * 5000 + '"' + "[" * 5000 + '"]')
value = []
for _ in range(100_000):
    value = [value]
try:
    gojson.dumps(value)
except gojson.ExprError as error:
    print(error.message)
"""


def test_a_high_recursion_limit_does_not_let_deep_documents_overrun_the_stack() -> None:
    result = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr, result.returncode) == ("this document is nested too deep\n", "", 0)


def test_quotation_marks_without_partners_cost_no_time() -> None:
    assert not gojson.is_json("[" * 2000 + '"' + r"\"" * 1_000_000)


def test_a_document_nested_too_deep_is_an_error() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ExprError, match="nested too deep"):
        gojson.dumps(value)


def test_half_a_surrogate_pair_is_no_character() -> None:
    assert gojson.loads(r'{"\ud800": ["a\uDC00b", "\ud83d\ude00"]}') == {"\ufffd": ["a\ufffdb", "😀"]}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ('{"a": 1.50}', True),
        ("9" * 10_000, True),
        ("NaN", False),
        ("[Infinity]", False),
        ("[1,]", False),
        ('"\x01"', False),
        (r'"\a"', False),
        ("", False),
        ("[" * 100_000, False),
    ],
)
def test_knows_json_from_what_is_none(text: str, want: bool) -> None:
    assert gojson.is_json(text) is want
