from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.kubectl_jsonpath import render

LIST: dict[str, Any] = {
    "kind": "List",
    "metadata": {"name": "all", "labels": {"app.kubernetes.io/name": "web"}},
    "items": [
        {"name": "a", "size": 1, "tags": ["x"], "ready": True},
        {"name": "b", "size": 2.5, "tags": [], "phase": "Done"},
        {"name": "c", "size": 10},
    ],
}


@pytest.mark.parametrize(
    ("template", "want"),
    [
        ("{.metadata.name}", "all"),
        ("{$.metadata.name}", "all"),
        ("{.absent.name}", ""),
        ("name", "name"),
        ("name={.metadata.name}!", "name=all!"),
        (r"{.metadata.labels.app\.kubernetes\.io/name}", "web"),
        ("{.metadata['name']}", "all"),
        ("{.metadata.labels}", '{"app.kubernetes.io/name":"web"}'),
        ("{.items[*].name}", "a b c"),
        ("{.items[0].name}", "a"),
        ("{.items[-1].name}", "c"),
        ("{.items[3:3].name}", ""),
        ("{.items[0:2].name}", "a b"),
        ("{.items[::2].name}", "a c"),
        ("{.items[0,2]['name']}", "a c"),
        ("{.items[*]['name', 'size']}", "a b c 1 2.5 10"),
        ("{.items[1].size}{.items[0].ready}", "2.5true"),
        ("{.metadata.absent}{.}", ""),
        ("{..name}", "a b c all"),
        ('{.items[?(@.name=="b")].size}', "2.5"),
        ("{.items[?(@.name>'a')].name}", "b c"),
        ("{.items[?(@.ready==true)].name}", "a"),
        ("{.items[?(@.phase)].name}", "b"),
        ('{range .items[*]}{.name}{"\\n"}{end}', "a\nb\nc\n"),
        ("{range .items[*]}{.name}:{range .tags[*]}<{@}>{end};{end}", "a:<x>;b:;c:;"),
        ("{.items[0].name}{.items[1].name}", "ab"),
    ],
)
def test_templates_give_what_kubectl_prints(template: str, want: str) -> None:
    assert render(template, LIST) == want


@pytest.mark.parametrize(
    ("template", "want"),
    [
        ("{}", '{"e":1000000,"n":[1,2]}'),
        ("{.e}", "1e+06"),
        ("{.n}{.n[-1]}{.n[-1:]}", "[1,2]22"),
    ],
)
def test_values_are_shown_as_kubectl_shows_them(template: str, want: str) -> None:
    assert render(template, {"e": 1e6, "n": [1, 2]}) == want


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{.items[7].name}", "array index out of bounds: index 7, length 3"),
        ("{.items[0:4]}", "array index out of bounds: index 3, length 3"),
        ("{.items[::-1]}", "step must be > 0"),
        ("{.items[2:1]}", "starting index 2 is greater than ending index 1"),
        ("{.kind[0]}", "List is not array or slice"),
        ("{.metadata[?(@.name)]}", f"{render('{.metadata}', LIST)} is not array or slice and cannot be filtered"),
        ("{.items[?(@.size>2)]}", "cannot compare 2.5 > 2: incompatible types for comparison"),
    ],
)
def test_what_kubectl_fails_at_is_an_error(template: str, message: str) -> None:
    with pytest.raises(ExprError) as caught:
        render(template, LIST)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{.items[*}", "']' is missing"),
        ("{.items", "a path begins with '.', '[', '$' or '@'"),
        ("{metadata}", "a path begins with '.', '[', '$' or '@'"),
        ("{range .items[*]}{.name}", "'{range …}' without its '{end}'"),
        ("{.name}{end}", "'{end}' without a '{range …}' before it"),
        ("{.items[]}", "between [ and ] stands a number, a slice, a quoted name, * or ?(…)"),
    ],
)
def test_what_is_no_template_is_refused(template: str, reason: str) -> None:
    with pytest.raises(ExprError) as caught:
        render(template, LIST)
    assert caught.value.message == f"the jsonPath {template!r} cannot be read: {reason}"
