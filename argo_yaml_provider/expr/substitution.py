"""What stands in place of an expression tag `{{=…}}`.

In: the expression as it stands in the JSON text, and the variables.  Out: text to put there, or the tag left as it was.
Must not know: the document around the tag. Argo: util/template/expression_template.go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from argo_yaml_provider.expr.errors import ExprError, MissingVariable
from argo_yaml_provider.expr.quote import escape, quote

PLACEHOLDER = "__argo__internal__placeholder-"
"""What Argo's validation puts where it does not know a value yet; an expression over one may fail."""

_LATE = frozenset({
    "item", "retries", "lastRetry.exitCode", "lastRetry.status", "lastRetry.duration", "lastRetry.message",
    "workflow.status", "workflow.failures",
})  # fmt: skip
"""Variables that come in a later pass: an expression that names one is left for that pass."""

_FIX = (("\\u003c", "<"), ("\\u003e", ">"), ("\\u0026", "&"))


class Expressions:
    """Replaces expression tags of one document by values over one set of variables."""

    def __init__(self, params: Mapping[str, Any], strict: Callable[[str], bool] | None) -> None:
        self._params, self._strict = params, strict
        self._names: dict[str, Any] | None = None

    def replace(self, inner: str) -> str:
        """The text for one tag, given what stands after its `=`."""
        shown = _fixed(inner)
        try:
            text = json.loads(f'"{shown}"')
        except ValueError as error:
            raise ExprError(f"failed to unmarshall JSON expression: {error}") from error
        if not isinstance(text, str):
            raise ExprError(f"failed to unmarshall JSON expression: {quote(shown)}")
        missing = self._missing(text)
        for name in missing or ():
            if self._strict and self._strict(name):
                raise MissingVariable(f"failed to evaluate expression: {name} is missing", name=name)
        may_stay = missing is not None and (bool(missing) or self._strict is None)
        if may_stay and not _LATE.isdisjoint(missing or ()):
            return f"{{{{={shown}}}}}"
        value = self._value(text, may_stay=may_stay)
        return f"{{{{={shown}}}}}" if value is None else value

    def _missing(self, text: str) -> list[str] | None:
        """The variables the expression names and nobody gave; None if it does not parse."""
        from argo_yaml_provider.expr.evaluator import environment
        from argo_yaml_provider.expr.identifiers import has_variable

        try:
            names = _names_in(text)
        except ExprError:
            return None
        if self._names is None:
            self._names = environment(self._params)
        return [name for name in names if not has_variable(self._names, name)]

    def _value(self, text: str, *, may_stay: bool) -> str | None:
        """The value as it goes into the JSON text; None to leave the tag."""
        from argo_yaml_provider.expr.evaluator import evaluate
        from argo_yaml_provider.expr.rendering import render_json_text

        tolerant = may_stay or self._has_placeholder()
        try:
            value = evaluate(text, self._params)
        except ExprError as error:
            if tolerant:
                return None
            raise missing_or_wrong(f"failed to evaluate expression: {error.message}") from error
        if value is None:
            if tolerant:
                return None
            raise ExprError(f"failed to evaluate expression {quote(text)}")
        try:
            marshalled = render_json_text(value)
        except ExprError as error:
            if may_stay:
                return None
            raise ExprError(f"failed to marshal evaluated expression: {error.message}") from error
        return marshalled[1:-1] if marshalled.startswith('"') and len(marshalled) > 1 else escape(marshalled)

    def _has_placeholder(self) -> bool:
        return any(isinstance(value, str) and value.startswith(PLACEHOLDER) for value in self._params.values())


def value_of(expression: str, params: Mapping[str, Any]) -> Any:
    """The value of a whole `=…` with its type, over the variables that have no dot in their name. Argo: ResolveVar."""
    from argo_yaml_provider.expr.evaluator import environment, evaluate

    text = _fixed(expression)
    flat = {name: value for name, value in params.items() if "." not in name}
    try:
        foreign = any(name in environment({}) and name not in flat for name in _names_in(text))
        value = None if foreign else evaluate(text, flat)
    except ExprError as error:
        raise ExprError(f"Unable to compile: {quote(text)}", error.offset, error.length) from error
    if foreign:  # Argo gives its functions everywhere but here
        raise ExprError(f"Unable to compile: {quote(text)}")
    if value is None:
        raise ExprError(f"Unable to resolve: {quote('=' + expression)}")
    return value


@lru_cache(maxsize=2048)
def _names_in(text: str) -> tuple[str, ...]:
    """The names an expression needs, whether or not it makes sense; an ExprError if it does not parse."""
    from argo_yaml_provider.expr.identifiers import identifiers
    from argo_yaml_provider.expr.parser import parse

    return identifiers(parse(text))


def missing_or_wrong(message: str) -> ExprError:
    """The error for a message: Argo tells a missing variable by the words alone. Argo: IsMissingVariableErr."""
    if "failed to resolve {{" in message or " is missing" in message or "variable not in env" in message:
        return MissingVariable(message)
    return ExprError(message)


def _fixed(text: str) -> str:
    for escaped, char in _FIX:
        text = text.replace(escaped, char)
    return text
