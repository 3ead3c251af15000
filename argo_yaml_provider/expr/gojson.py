"""JSON as Go's encoding/json writes and accepts it: Argo substitutes tags in that text, so its escapes are part of the rules.

In: plain JSON values, or text.  Out: text, or whether it is JSON.
Must not know: tags, workflows.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import accumulate, repeat
from json.encoder import encode_basestring
from typing import Any, NoReturn

from argo_yaml_provider.expr.errors import ExprError

_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_NO_CHARACTER = re.compile("[\ud800-\udfff]")
DEEPEST = 1_000
"""Lists and objects within one another that a document may have. Python's own bound does not protect: whoever raises the
recursion limit, for long chains of steps, would let a deep text overrun the stack."""
_STRING = r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
_STRINGS = re.compile(_STRING, re.DOTALL)
_BRACKETS = re.compile(_STRING + r"|[\[\]{}]", re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)).difference(b"[]{}"))
_SHALLOW = 10
_TURNS = {"[": 1, "{": 1, "]": -1, "}": -1}
_SPACE = re.compile(r"[ \t\r\n]*")
_STRINGS_AND_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', re.DOTALL)
HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


class Raw(str):
    """JSON text, which is written as it stands."""

    __slots__ = ()


def dumps(value: Any, *, sort_keys: bool = False) -> str:
    """`json.Marshal(value)`; dict keys as they stand (a Go struct), or sorted (a Go map)."""
    try:
        return _dump(value, DEEPEST, sort_keys=sort_keys)
    except RecursionError:
        raise ExprError("this document is nested too deep") from None


def _dump(value: Any, depth: int, *, sort_keys: bool) -> str:
    if isinstance(value, str):
        return value if isinstance(value, Raw) else dump_text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return dump_float(value)
    if isinstance(value, int):
        return str(value)
    if not depth:
        raise RecursionError
    if isinstance(value, dict):
        items = sorted(value.items()) if sort_keys else value.items()
        return "{" + ",".join([f"{dump_text(key)}:{_dump(item, depth - 1, sort_keys=sort_keys)}" for key, item in items]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([_dump(item, depth - 1, sort_keys=sort_keys) for item in value]) + "]"
    return str(value)


def dump_text(text: str) -> str:
    """One string, with `<`, `>` and `&` escaped as Go does for HTML."""
    quoted = encode_basestring(text).translate(HTML)
    return quoted if text.isascii() else _NO_CHARACTER.sub(r"\\ufffd", quoted)


def dump_float(number: float) -> str:
    """One float64: plain digits, or an exponent below 1e-6 and from 1e21 on."""
    if not math.isfinite(number):
        raise ExprError(f"json: unsupported value: {'NaN' if math.isnan(number) else '+Inf' if number > 0 else '-Inf'}")
    if number and not 1e-6 <= abs(number) < 1e21:
        mantissa, _, exponent = repr(number).partition("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"
    return plain_digits(number)


def plain_digits(number: float) -> str:
    """`strconv.FormatFloat(number, 'f', -1, 64)`: the shortest digits that read back, never an exponent."""
    text = repr(number)
    if "e" in text:
        from decimal import Decimal

        text = f"{Decimal(text):f}"
    return text.removesuffix(".0")


def compact(text: str) -> str:
    """`json.Compact` with Go's HTML escapes: a JSON text without white space, all else as it was written."""
    return _STRINGS_AND_SPACE.sub(lambda match: match[1] or "", text).translate(HTML)


def is_json(text: str) -> bool:
    """`json.Valid(text)`."""
    try:
        check_depth(text)
        _VALIDATOR.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def loads(text: str) -> Any:
    """The value of a JSON text, read as strictly as Go reads it; anything else is a ValueError."""
    check_depth(text)
    value = _READER.decode(text)
    return _whole_text(value) if _HALF_PAIR.search(text) else value


def check_depth(text: str) -> None:
    """A ValueError if a JSON text is nested too deep to be read safely."""
    if text.count("[") + text.count("{") <= DEEPEST or _is_shallow(text):
        return
    turns = map(_TURNS.get, _BRACKETS.findall(text), repeat(0))
    if max(accumulate(turns)) > DEEPEST:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels")


def _is_shallow(text: str) -> bool:
    """Whether nothing is left once a few layers of brackets are taken away, from the inside out: most texts are told so."""
    left = _STRINGS.sub("", text).encode("utf-8", "surrogatepass").translate(None, _NO_BRACKETS)
    for _ in range(_SHALLOW):
        left = left.replace(b"[]", b"").replace(b"{}", b"")
        if not left:
            return True
    return False


def _whole_text(value: Any) -> Any:
    """The value with U+FFFD for each half of a surrogate pair, which is no text in Go and cannot be sent anywhere."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_whole_text(item) for item in value]
    return {_whole_text(key): _whole_text(item) for key, item in value.items()} if isinstance(value, dict) else value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def elements(text: str) -> Iterator[str]:
    """The elements of a list, as they are written; the text is known to be JSON and to begin with its bracket."""
    at = _skip(text, 1)
    while text[at] != "]":
        _, end = _ANY.raw_decode(text, at)
        yield text[at:end]
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def members(text: str) -> dict[str, str]:
    """The values of an object by key, as they are written; the last of two equal keys counts."""
    found: dict[str, str] = {}
    at = _skip(text, 1)
    while text[at] != "}":
        key, end = _ANY.raw_decode(text, at)
        at = _skip(text, _skip(text, end) + 1)
        _, end = _ANY.raw_decode(text, at)
        found[key] = text[at:end]
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


_VALIDATOR = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)
_ANY = json.JSONDecoder(parse_int=str, parse_float=str)
_READER = json.JSONDecoder(parse_constant=_refuse)
