"""Put values in place of the tags of a JSON document, as Argo does: on its text, in one pass.

In: JSON text, variables by their flat names (`inputs.parameters.x`; None is an output that a skipped step never gave).
Out: JSON text. A tag whose variable is missing stays, or is a `MissingVariable`; a value is never scanned for tags.
Must not know: which object the document is. Argo: util/template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError, MissingVariable
from argo_yaml_provider.expr.quote import escape, quote
from argo_yaml_provider.expr.substitution import Expressions, missing_or_wrong, value_of
from argo_yaml_provider.expr.tags import Tag, find_tags

Params = Mapping[str, Any]
Strict = Callable[[str], bool]

GO_SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""What strings.TrimSpace trims: not quite what Python's strip does."""
LARGEST = 64 * 1024 * 1024
"""Characters that a document may grow to: a hostile one multiplies a long value by many tags."""
MOST_EXPRESSIONS = 5_000
"""Expression tags in one document; each may cost some milliseconds."""


def replace(template: str, params: Params, *, allow_unresolved: bool) -> str:
    """Substitute in a JSON text; what cannot be resolved stays (`allow_unresolved`) or is an error. Argo: Replace."""
    strict = None if allow_unresolved else _everything
    return _checked(template, lambda: substitute(template, params, strict=strict, artifacts_may_stay=allow_unresolved))


def replace_strict(template: str, params: Params, *, prefixes: tuple[str, ...] = ("tasks", "steps")) -> str:
    """Substitute in a JSON text; a variable that starts with one of the prefixes must be there. Argo: ReplaceStrictAny."""
    return _checked(template, lambda: substitute(template, params, strict=starts_with(prefixes), artifacts_may_stay=True))


def replace_json(value: Any, params: Params, *, allow_unresolved: bool = True) -> Any:
    """`replace` on a JSON value."""
    return gojson.loads(replace(gojson.dumps(value), params, allow_unresolved=allow_unresolved))


def replace_json_strict(value: Any, params: Params, *, prefixes: tuple[str, ...] = ("tasks", "steps")) -> Any:
    """`replace_strict` on a JSON value."""
    return gojson.loads(replace_strict(gojson.dumps(value), params, prefixes=prefixes))


def substitute(text: str, params: Params, *, strict: Strict | None, artifacts_may_stay: bool) -> str:
    """Substitute in any text, which need not be JSON: the step below `replace`."""
    tags = find_tags(text)
    if not tags:
        return text
    if sum(tag.expression for tag in tags) > MOST_EXPRESSIONS:
        raise ExprError(f"a document may have {MOST_EXPRESSIONS} expression tags at most")
    expressions = Expressions(params, strict)
    pieces: list[str] = []
    at = size = 0
    for tag in tags:
        if tag.expression:
            new = expressions.replace(tag.inner)
        else:
            new = _simple(tag, params, strict, artifacts_may_stay=artifacts_may_stay)
        pieces += (text[at : tag.start], new)
        size += tag.start - at + len(new)
        if size > LARGEST:
            raise ExprError(f"the text grows beyond {LARGEST >> 20} MiB while its tags are replaced", tag.start)
        at = tag.end
    return "".join(pieces) + text[at:]


def _simple(tag: Tag, params: Params, strict: Strict | None, *, artifacts_may_stay: bool) -> str:
    """One `{{name}}`. Argo: simpleReplaceStrict."""
    name = tag.inner.strip(GO_SPACE)
    if name in params:
        return _value(tag.inner, params[name])
    nested = _nested(tag.inner, params)
    if nested is not None:
        return nested
    if strict and strict(name) and not (artifacts_may_stay and ".outputs.artifacts." in name):
        raise MissingVariable(f"failed to resolve {{{{{tag.inner}}}}}", name=name, offset=tag.start, length=tag.end - tag.start)
    return f"{{{{{tag.inner}}}}}"


def _value(inner: str, value: Any) -> str:
    if isinstance(value, str):
        return escape(value)
    if value is None:
        reason = "output is an absent optional (skipped/omitted node with no default)"
        raise missing_or_wrong(f"unable to substitute {{{{{inner}}}}}: {reason}")
    raise MissingVariable(f"failed to resolve {{{{{inner}}}}} to string", name=inner.strip(GO_SPACE))


def _nested(inner: str, params: Params) -> str | None:
    """`{{a{{b}}c}}` is seen as the tag `a{{b`: b is put in, and the outer tag waits for the next pass."""
    index = inner.rfind("{{")
    if index <= 0 or inner[index + 2 :] not in params:
        return None
    name = inner[index + 2 :]
    value = params[name]
    if value is None:
        raise missing_or_wrong(f"unable to substitute nested tag {{{{{inner}}}}}: {quote(name)} is an absent optional")
    return "{{" + inner[:index] + escape(value) if isinstance(value, str) else None


def starts_with(prefixes: tuple[str, ...]) -> Strict | None:
    """Whether a name is one of the prefixes, or goes on with a dot after it."""
    if not prefixes:
        return None
    dotted = tuple(f"{prefix}." for prefix in prefixes)
    return lambda name: name in prefixes or name.startswith(dotted)


def _everything(_: str) -> bool:
    return True


def _checked(template: str, work: Callable[[], str]) -> str:
    if not gojson.is_json(template):
        raise ExprError("cannot do template replacements with invalid JSON")
    replaced = work()
    if replaced is not template and not gojson.is_json(replaced):
        raise ExprError("cannot finish template replacement because the result was invalid JSON")
    return replaced


def simple_tags(text: str) -> tuple[str, ...]:
    """The insides of all simple tags, as validation sees them; expression tags are not looked into. Argo: Validate."""
    return tuple(tag.inner for tag in find_tags(text) if not tag.expression)


def resolve_variable(text: str, params: Params) -> tuple[str, Any]:
    """The one tag that the text is, without braces, and its value with its type. Argo: ResolveVar."""
    tag = text.removeprefix("{{").removesuffix("}}").strip(GO_SPACE)
    if not tag.startswith("="):
        if tag not in params:
            raise ExprError(f"Unable to resolve: {quote(tag)}")
        return tag, params[tag]
    return tag, value_of(tag.removeprefix("="), params)
