"""One scalar of each type: from YAML's value to the one that Argo's Go types would write.

In: a Node.  Out: a JSON value, or `Wrong` with what was expected.
Must not know: which field it is.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from argo_yaml_provider.expr.gojson import plain_digits
from argo_yaml_provider.source import Node

_QUANTITY = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]+|[numkMGTPE])?")
_AMOUNT = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)"
_GO_DURATION = re.compile(rf"[+-]?(0|({_AMOUNT})+)")
_DURATION_PARTS = re.compile(rf"[+-]?({_AMOUNT})*")
_LEAST, _MOST = -(2**63), 2**63 - 1
_MOST32 = 2**31 - 1


class Wrong(ValueError):
    """The value does not fit; `offset` and `length` point into its text."""

    def __init__(self, code: str, message: str, help_text: str = "", *, offset: int = 0, length: int = 0) -> None:
        self.code, self.message, self.help, self.offset, self.length = code, message, help_text, offset, length
        super().__init__(message)


def read_value(name: str, node: Node) -> Any:
    """The value of a scalar type."""
    return _READERS[name](node)


def describe(node: Node) -> str:
    """A value in words, for messages."""
    value = node.value
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the boolean {'true' if value else 'false'}"
    if isinstance(value, (int, float)):
        return f"the number {node.text}"
    return f'the text "{node.text if len(node.text) <= 40 else node.text[:40] + "…"}"'


def expected(what: str, node: Node, help_text: str = "") -> Wrong:
    """The usual complaint."""
    return Wrong("wrong-type", f"{what} is expected here, not {describe(node)}", help_text)


def _string(node: Node) -> str:
    if isinstance(node.value, str):
        return node.value
    if isinstance(node.value, (dict, list)):
        braces = isinstance(node.value, dict) and any(isinstance(key, tuple) for key in node.value)
        raise expected("text", node, 'put text that begins with {{ in quotes: "{{…}}"' if braces else "")
    raise expected("text", node, f'put it in quotes: "{node.text}"')


def _bool(node: Node) -> bool:
    if isinstance(node.value, bool):
        return node.value
    raise expected("true or false", node, "write true or false, without quotes")


def _int(node: Node) -> int:
    if isinstance(node.value, int) and not isinstance(node.value, bool) and _LEAST <= node.value <= _MOST:
        return node.value
    tagged = isinstance(node.value, str) and "{{" in node.value
    raise expected(
        "a whole number", node, "this field takes no {{tag}}; podSpecPatch can set numbers of a pod" if tagged else ""
    )


def _number(node: Node) -> int | float:
    if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return node.value
    raise expected("a number", node)


def _any_string(node: Node) -> str:
    """Any scalar, as text. Argo: anystring.go; it would read a list or mapping as ''."""
    value = node.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return plain_digits(float(value))
    if isinstance(value, str):
        return value
    raise expected("text, a number or a boolean", node, "write lists and mappings as JSON text: '[1, 2]'")


def _int_or_string(node: Node) -> int | str:
    if isinstance(node.value, str):
        return node.value
    if isinstance(node.value, int) and not isinstance(node.value, bool) and -_MOST32 - 1 <= node.value <= _MOST32:
        return node.value
    raise expected("a whole number or text", node)


def _quantity(node: Node) -> str:
    if isinstance(node.value, bool) or not isinstance(node.value, (str, int, float)):
        raise expected("a quantity such as 500m or 2Gi", node)
    text = node.value if isinstance(node.value, str) else plain_digits(float(node.value))
    match = _QUANTITY.match(text)
    if match and match.end() == len(text):
        return text
    at = match.end() if match else 0
    if "{{" in text:
        raise Wrong(
            "bad-quantity", f'"{text}" is no quantity: a tag cannot stand here', "set it by podSpecPatch, which takes tags"
        )
    units = "units: m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei"
    raise Wrong("bad-quantity", f'"{text}" is no quantity such as 500m or 2Gi', units, offset=at, length=max(1, len(text) - at))


def _duration(node: Node) -> str:
    """Seconds, or Go's `1h30m`. Argo: ParseStringToDuration."""
    if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        raise expected("text", node, f'put it in quotes: "{node.text}" (seconds)')
    text = _string(node)
    if re.fullmatch(r"[+-]?[0-9]+", text):
        return text
    return _checked_duration(text, "a number of seconds, or numbers with units: 90, 30s, 5m, 1h30m")


def _go_duration(node: Node) -> str:
    if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        raise expected("text", node, f'put it in quotes, with a unit: "{node.text}s"')
    return _checked_duration(_string(node), "numbers with units: 30s, 5m, 1h30m")


def _checked_duration(text: str, help_text: str) -> str:
    if "{{" in text or not text or _GO_DURATION.fullmatch(text):
        return text
    match = _DURATION_PARTS.match(text)
    at = match.end() if match and match.end() < len(text) else 0
    raise Wrong("bad-duration", f'"{text}" is no length of time', help_text, offset=at, length=len(text) - at)


def _bytes(node: Node) -> str:
    text = _string(node)
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Wrong("wrong-type", "this is not base64", "encode it: printf %s TEXT | base64") from None
    return text


def _any(node: Node) -> Any:
    return _without_nulls(node.json)


def _without_nulls(value: Any) -> Any:
    """An object as Kubernetes keeps it: members that are null are gone; elements of a list stay."""
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


_READERS: dict[str, Callable[[Node], Any]] = {
    "string": _string,
    "bool": _bool,
    "int": _int,
    "number": _number,
    "any": _any,
    "bytes": _bytes,
    "AnyString": _any_string,
    "IntOrString": _int_or_string,
    "Quantity": _quantity,
    "Duration": _duration,
    "GoDuration": _go_duration,
}
