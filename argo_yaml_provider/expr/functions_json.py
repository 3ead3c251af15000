"""JSON in expressions: `toJSON`, `fromJSON`, Argo's `toJson` and `jsonpath`.

In: values or text.  Out: text or values; every number read is a float64, as Go's `any` has it.
Must not know: syntax. Argo: util/expr/env/env.go.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.limits import Budget, check_length
from argo_yaml_provider.expr.operators import as_string
from argo_yaml_provider.expr.rendering import plain, render_json_text

_LONE_HALF = re.compile("[\ud800-\udfff]")


def to_json(value: Any) -> str:
    """Compact."""
    return render_json_text(value)


def to_json_indented(value: Any) -> str:
    """json.MarshalIndent with two spaces."""
    text = _indented(plain(value), "\n")
    check_length(len(text))
    return text


def _indented(value: Any, newline: str) -> str:
    deeper = newline + "  "
    if isinstance(value, dict) and value:
        lines = (f"{gojson.dump_text(key)}: {_indented(value[key], deeper)}" for key in sorted(value))
        return "{" + deeper + ("," + deeper).join(lines) + newline + "}"
    if isinstance(value, list) and value:
        return "[" + deeper + ("," + deeper).join(_indented(item, deeper) for item in value) + newline + "]"
    return gojson.dumps(value)


def from_json(text: Any) -> Any:
    try:
        return read_json(as_string(text))
    except ValueError as error:
        raise Panic(_reason(error)) from None


def read_json(text: str) -> Any:
    """The value of a JSON text, as json.Unmarshal reads it into an `any`; a ValueError if it is none."""
    gojson.check_depth(text)
    value = _READER.decode(text)
    return _repaired(value) if "\\u" in text else value


def _number(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"json: cannot unmarshal number {digits[:40]} into Go value of type float64")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"invalid character {constant[0]!r} looking for beginning of value")


_READER = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_refuse)


def _repaired(value: Any) -> Any:
    """Halves of surrogate pairs, which are no characters, replaced as Go replaces them."""
    if isinstance(value, str):
        return _LONE_HALF.sub("\ufffd", value)
    if isinstance(value, list):
        return [_repaired(item) for item in value]
    if isinstance(value, dict):
        return {_repaired(key): _repaired(item) for key, item in value.items()}
    return value


def _reason(error: ValueError) -> str:
    """The decoder's complaint in Go's words."""
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    if error.pos >= len(error.doc.rstrip()):
        return "unexpected end of JSON input"
    if error.msg == "Extra data":
        return f"invalid character {error.doc[error.pos]!r} after top-level value"
    return f"invalid character {error.doc[error.pos]!r} looking for beginning of value"


def jsonpath(budget: Budget, text: str, path: str) -> Any:
    """Argo's `jsonpath(json, path)`."""
    from argo_yaml_provider.expr.jsonpath import query

    return query(path, from_json(text), budget)
