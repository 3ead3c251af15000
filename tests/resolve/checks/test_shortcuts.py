from __future__ import annotations

import itertools

import pytest

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.parser import parse
from argo_yaml_provider.expr.when import check_when
from argo_yaml_provider.resolve.checks.shortcuts import is_plain_condition, is_plain_depends


@pytest.mark.parametrize("text", ["a", "a-b.Succeeded && (c || !d.Failed)", "((a))", "!(a) || !!b"])
def test_usual_depends_is_plain(text: str) -> None:
    assert is_plain_depends(text)


def test_what_is_plain_a_parser_takes_too() -> None:
    words = ["a", "b-2.Failed", "&&", "||", "!", "(", ")", "and", "not", "="]
    plain = [" ".join(some) for length in range(1, 5) for some in itertools.product(words, repeat=length)]
    wrong = []
    for text in filter(is_plain_depends, plain):
        try:
            parse(text.replace("-", "_"))
        except ExprError:
            wrong.append(text)
    assert wrong == []


@pytest.mark.parametrize("text", ["{{a.b}} == x", "'a b' != \"c\" && {{x}} > 5 || a <= b"])
def test_usual_condition_is_plain(text: str) -> None:
    assert is_plain_condition(text)
    check_when(text.replace("{{a.b}}", "word").replace("{{x}}", "1"))


@pytest.mark.parametrize(
    "text", ["", "a", "{{=x}} == 1", "a == ", "a = b", "a == b c", "{{a.{{b}}}} == 1", "a =~ b", "'a == b"]
)
def test_anything_else_is_for_a_parser(text: str) -> None:
    assert not is_plain_condition(text)
