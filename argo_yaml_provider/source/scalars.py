"""What an unquoted word means: YAML 1.1 as sigs.k8s.io/yaml reads it.

In: a scalar's text and tag.  Out: a JSON value.
Must not know: places, fields. Go: go.yaml.in/yaml/v2, resolve.go.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from typing import Any

_PREFIX = "tag:yaml.org,2002:"
_TRUE = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE = frozenset(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_INFINITE = {".inf": math.inf, ".Inf": math.inf, ".INF": math.inf, ".nan": math.nan, ".NaN": math.nan, ".NAN": math.nan}
_SIGNED_INFINITE = {
    sign + word: factor * _INFINITE[word] for word in (".inf", ".Inf", ".INF") for sign, factor in (("+", 1), ("-", -1))
}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGERS = (
    (re.compile(r"[-+]?0[xX][0-9a-fA-F]+"), 16),
    (re.compile(r"[-+]?0[bB][01]+"), 2),
    (re.compile(r"[-+]?0[oO][0-7]+"), 8),
    (re.compile(r"[-+]?0[0-7]+"), 8),
    (re.compile(r"[-+]?(0|[1-9][0-9]*)"), 10),
)
_MOST, _LEAST = 2**64 - 1, -(2**63)
_WHOLE = 1e21


class NotJson(ValueError):
    """A scalar that has no JSON form."""


def read_scalar(text: str, tag: str | None, *, plain: bool) -> Any:
    """The JSON value of one scalar."""
    if tag in {None, "!"}:
        return _plain(text) if plain and tag is None else text
    return _tagged(text, (tag or "").removeprefix(_PREFIX))


def _plain(text: str) -> Any:
    if text in _NULL:
        return None
    first = text[0]
    if first in "+-.0123456789":
        return _number(text)
    if first in "yYnNtTfFoO":
        return True if text in _TRUE else False if text in _FALSE else text
    return text


def _number(text: str) -> Any:
    special = _INFINITE.get(text) or _SIGNED_INFINITE.get(text)
    if special is not None:
        raise NotJson(f"{text} is not a JSON number")
    digits = text.replace("_", "")
    for pattern, base in _INTEGERS:
        if pattern.fullmatch(digits):
            number = int(digits.lower().replace("0o", "").replace("0x", "").replace("0b", ""), base)
            if _LEAST <= number <= _MOST:
                return number
    if not _FLOAT.fullmatch(digits):
        return text
    value = float(digits)
    return shortest(value) if math.isfinite(value) else text


def shortest(value: float) -> int | float:
    """A float as JSON carries it: `1.0` is `1`."""
    return int(value) if value.is_integer() and abs(value) < _WHOLE else value


def _tagged(text: str, tag: str) -> Any:
    value = _plain(text)
    match tag:
        case "binary":
            return _binary(text)
        case "null" if value is None:
            return None
        case "bool" if isinstance(value, bool):
            return value
        case "int" if isinstance(value, int) and not isinstance(value, bool):
            return value
        case "float" if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
        case "null" | "bool" | "int" | "float":
            raise NotJson(f"{text!r} is not of the type !!{tag}")
    return text


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise NotJson("this !!binary value is not base64 of UTF-8 text") from None


def key_text(value: Any, text: str) -> str:
    """A scalar key as JSON's text key."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else text
