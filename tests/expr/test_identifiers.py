from __future__ import annotations

import pytest

from argo_yaml_provider.expr.identifiers import has_variable, identifiers
from argo_yaml_provider.expr.parser import parse


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("a + b.c", ["a", "b", "b.c"], id="names-and-paths"),
        pytest.param("a['b-c'].d", ["a", "a.b-c", "a.b-c.d"], id="quoted-keys-count"),
        pytest.param("a[b]", ["a", "b"], id="a-computed-key-makes-no-path"),
        pytest.param("a.b ?? 'x'", ["a"], id="coalescing-guards-members-but-not-the-base"),
        pytest.param("'x' ?? a.b", ["a", "a.b"], id="only-to-its-left"),
        pytest.param("a.b?.c", ["a"], id="optional-chaining-guards-the-member-before-it"),
        pytest.param("sprig.upper(a)", ["sprig", "sprig.upper", "a"], id="functions-are-names"),
        pytest.param("let x = a; x + 1", ["a", "x"], id="let-is-not-known"),
        pytest.param("filter(a, # > b)", ["a", "b"], id="inside-predicates"),
        pytest.param("{k: a}[b ? c : d]", ["a", "b", "c", "d"], id="maps-and-conditionals"),
        pytest.param("a[b:c]", ["a", "b", "c"], id="slices"),
    ],
)
def test_lists_the_names_an_expression_needs(text: str, want: list[str]) -> None:
    assert list(identifiers(parse(text))) == want


@pytest.mark.parametrize(
    ("name", "want"),
    [("a", True), ("a.b", True), ("a.b.c", True), ("a.x", False), ("n", True), ("n.x", False), ("d.e.f", True), ("s.t", False)],
)
def test_finds_a_variable_by_its_dotted_name(name: str, want: bool) -> None:
    env = {"a": {"b": {"c": 1}}, "n": None, "d.e": {"f": 1}, "s": "text"}
    assert has_variable(env, name) is want
