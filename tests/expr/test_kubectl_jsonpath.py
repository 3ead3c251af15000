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
        ("{.items[7].name}", ""),
        ("{.items[0:2].name}", "a b"),
        ("{.items[::2].name}", "a c"),
        ("{.items[0,2]['name']}", "a c"),
        ("{.items[*]['name', 'size']}", "a 1 b 2.5 c 10"),
        ("{..name}", "a b c all"),
        ('{.items[?(@.name=="b")].size}', "2.5"),
        ("{.items[?(@.size>2)].name}", "b c"),
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
