"""expr-lang's functions of numbers.

In: values.  Out: a value; a Panic says what was wrong with the argument.
Must not know: syntax. expr-lang: builtin/builtin.go, builtin/lib.go.
"""

from __future__ import annotations

import math
import re
from typing import Any

from argo_yaml_provider.expr import operators
from argo_yaml_provider.expr.clock import Duration
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.values import SizedInt, go_type, is_int, is_number, wrap

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}\Z")
_FLOAT = re.compile(r"[+-]?(?:(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?|inf|infinity|nan)\Z", re.IGNORECASE)
_HEX_FLOAT = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+\Z")


def to_int(value: Any) -> int:
    """`int(x)`: a fraction is cut off; a text must be a whole decimal number."""
    if is_int(value):
        return wrap(int(value))
    if isinstance(value, float):
        return operators.float_to_int(value)
    if isinstance(value, Duration):
        return value.order
    if type(value) is not str:
        raise Panic(f"invalid operation: int({go_type(value)})")
    number = parse_int(value)
    if number is None:
        raise Panic(f"invalid operation: int({value})")
    return number


def parse_int(text: str) -> int | None:
    """strconv.Atoi: decimal digits with a sign, within 64 bits."""
    significant = text[:1] + text[1:].lstrip("0") if text[:1] in ("+", "-") else text.lstrip("0") or text[:1]
    if not _INTEGER.match(significant) and not (_INTEGER.match(text)):
        return None
    number = int(text) if len(text) < 100 else int(significant)
    return number if number == wrap(number) else None


def to_float(value: Any) -> float:
    """`float(x)`."""
    if is_number(value):
        return float(value)
    if type(value) is not str:
        raise Panic(f"invalid operation: float({go_type(value)})")
    number = parse_float(value)
    if number is None:
        raise Panic(f"invalid operation: float({value})")
    return number


def parse_float(text: str) -> float | None:
    """strconv.ParseFloat: decimal or hexadecimal; what is too large for 64 bits is refused."""
    if len(text) > 1000:
        return None
    if _HEX_FLOAT.match(text):
        number = float.fromhex(text)
    elif _FLOAT.match(text) and "_" not in text:
        number = float(text)
    else:
        return None
    return None if math.isinf(number) and "inf" not in text.lower() else number


def absolute(value: Any) -> Any:
    if not is_number(value):
        raise Panic(f"invalid argument for abs (type {go_type(value)})")
    if isinstance(value, SizedInt):
        return type(value).of(abs(value))
    return abs(value) if isinstance(value, float) else wrap(abs(value))
