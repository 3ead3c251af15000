"""Texts in a language of their own: tags, expressions, conditions.

In: `View`.  Out: problems, with their place inside the text.
Must not know: what the names stand for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.tags import find_tags
from argo_yaml_provider.resolve.checks.shortcuts import is_plain_condition
from argo_yaml_provider.resolve.checks.view import View, texts
from argo_yaml_provider.resolve.references import calls_of
from argo_yaml_provider.spec.resource import Json, Path

_CLOSE = "write {{name}} or {{=expression}}, closed by }}"
LANGUAGE = "the language is expr-lang's: https://expr-lang.org/docs/language-definition"
_INLINE = "inline"


def check_tag_syntax(view: View) -> None:
    """Every `{{` is closed, and what stands in `{{=…}}` is an expression."""
    for path, text in texts({name: value for name, value in view.spec.items() if name != "templateDefaults"}, ("spec",)):
        for code, message, help_text, span in _bad_tags(text):
            view.report_spec(path, code, message, help=help_text, within=span)
    for key, template in view.templates():
        for path, text in texts(template):
            if _INLINE not in path:
                for code, message, help_text, span in _bad_tags(text):
                    view.report(key, path, code, message, help=help_text, within=span)


def _bad_tags(text: str) -> Iterator[tuple[str, str, str, tuple[int, int]]]:
    if "{{" not in text:
        return
    try:
        tags = find_tags(text)
    except ExprError as error:
        yield "bad-tag", "this {{ is never closed", _CLOSE, (error.offset, 2)
        return
    for tag in tags:
        if tag.expression and "{{" not in tag.inner:
            offset = tag.start + 3
            for message, at, length in bad_expression(tag.inner):
                yield "bad-expression", f"this expression cannot be read: {message}", LANGUAGE, (offset + at, length)


def bad_expression(text: str) -> Iterator[tuple[str, int, int]]:
    """Message, offset and length, if the text is no expression."""
    from argo_yaml_provider.expr.parser import parse

    try:
        parse(text)
    except ExprError as error:
        yield error.message, error.offset, error.length


def check_expressions(view: View) -> None:
    """Fields that hold an expression without braces."""
    strategy = view.spec.get("retryStrategy") or {}
    for path, text in [(("spec", "retryStrategy", "expression"), strategy.get("expression")), *_hooks(view.spec, ("spec",))]:
        for message, at, length in bad_expression(text) if text and "{{" not in text else ():
            report = f"this expression cannot be read: {message}"
            view.report_spec(path, "bad-expression", report, help=LANGUAGE, within=(at, length))
    for key, template in view.templates():
        for path, text in _expressions(template):
            for message, at, length in bad_expression(text) if text and "{{" not in text else ():
                report = f"this expression cannot be read: {message}"
                view.report(key, path, "bad-expression", report, help=LANGUAGE, within=(at, length))


def _expressions(template: Json) -> Iterator[tuple[Path, str | None]]:
    yield ("retryStrategy", "expression"), (template.get("retryStrategy") or {}).get("expression")
    for index, step in enumerate((template.get("data") or {}).get("transformation") or ()):
        yield ("data", "transformation", index, "expression"), step.get("expression")
    for index, parameter in enumerate((template.get("outputs") or {}).get("parameters") or ()):
        yield ("outputs", "parameters", index, "valueFrom", "expression"), (parameter.get("valueFrom") or {}).get("expression")
    for index, artifact in enumerate((template.get("outputs") or {}).get("artifacts") or ()):
        yield ("outputs", "artifacts", index, "fromExpression"), artifact.get("fromExpression")
    for path, call in calls_of(template):
        yield from _hooks(call, path)


def _hooks(holder: Json, path: Path) -> Iterator[tuple[Path, str | None]]:
    for name, hook in (holder.get("hooks") or {}).items():
        yield (*path, "hooks", name, "expression"), hook.get("expression")


def check_whens(view: View) -> None:
    """Every `when` can be read, whatever its tags turn out to be."""
    for key in view.resolved.templates:
        for path, call in view.calls(key):
            for message, at, length in bad_condition(call.get("when") or ""):
                help_text = 'compare by ==, !=, <, >, =~ or in, and join by && and ||: "{{steps.flip.outputs.result}} == heads"'
                view.report(
                    key,
                    (*path, "when"),
                    "bad-when",
                    f"this condition cannot be read: {message}",
                    help=help_text,
                    within=(at, length),
                )


def bad_condition(text: str) -> Iterator[tuple[str, int, int]]:
    """Message, offset and length, if neither a word nor a number in the place of the tags makes the text a condition."""
    if not text.strip() or is_plain_condition(text):
        return
    from argo_yaml_provider.expr.when import check_when

    try:
        tags = find_tags(text)
    except ExprError:
        return
    if re.search(r"\}\}\s*\{\{", text) or any("{{" in tag.inner for tag in tags):
        return
    problem = None
    for filler in ("x", "1"):
        filled = text
        for tag in tags:
            filled = filled[: tag.start] + filler * (tag.end - tag.start) + filled[tag.end :]
        try:
            check_when(filled)
        except ExprError as error:
            problem = problem or error
        else:
            return
    assert problem is not None
    yield problem.message, problem.offset, problem.length
