"""expr-lang's functions of numbers.

In: values.  Out: a value; a Panic says what was wrong with the argument.
Must not know: syntax. expr-lang: builtin/builtin.go, builtin/lib.go.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

from argo_yaml_provider.expr import operators
from argo_yaml_provider.expr.clock import Duration, Month, Weekday
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.values import SizedInt, Uint8, go_type, is_int, is_number, wrap

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}\Z")
_FLOAT = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|infinity|nan)\Z", re.IGNORECASE)
_SEPARATOR = re.compile(r"(?<=[0-9a-fA-FxX])_(?=[0-9a-fA-F])")
_HEX_FLOAT = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+\Z")


def to_int(value: Any) -> int:
    """`int(x)`: a fraction is cut off; a text must be a whole decimal number."""
    if is_int(value):
        return wrap(int(value))
    if isinstance(value, float):
        return operators.float_to_int(value)
    if isinstance(value, (Duration, Month, Weekday)):
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
    digits = _SEPARATOR.sub("", text) if "_" in text else text
    if _HEX_FLOAT.match(digits):
        number = float.fromhex(digits)
    elif _FLOAT.match(digits):
        number = float(digits)
    else:
        return None
    return None if math.isinf(number) and "inf" not in text.lower() else number


def absolute(value: Any) -> Any:
    if not is_number(value):
        raise Panic(f"invalid argument for abs (type {go_type(value)})")
    if isinstance(value, SizedInt):
        return type(value).of(abs(value))
    if isinstance(value, float):
        return -value if value < 0 else value  # so -0.0 stays -0.0, as in Go
    return wrap(abs(value))


def _rounded(name: str, rounded: Callable[[float], float]) -> Callable[[Any], float]:
    def function(value: Any) -> float:
        if not is_number(value):
            raise Panic(f"invalid argument for {name} (type {go_type(value)})")
        number = float(value)
        return rounded(number) if math.isfinite(number) and abs(number) < 2.0**52 else number

    return function


def _half_away(number: float) -> float:
    """Go's math.Round: halves go away from zero."""
    whole = math.floor(abs(number))
    return math.copysign(whole + (abs(number) - whole >= 0.5), number)


ceil = _rounded("ceil", lambda number: math.copysign(math.ceil(number), number))
floor = _rounded("floor", lambda number: math.copysign(math.floor(number), number))
half_away = _rounded("round", _half_away)


def _extreme(name: str, worse: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    """`max` and `min`, over numbers and lists of numbers, however nested."""

    def better(best: Any, value: Any) -> Any:
        return value if best is None or worse(best, value) else best

    def extreme(*values: Any) -> Any:
        best: Any = None
        for value in values:
            if isinstance(value, (list, bytes)):
                for number in numbers_in(name, _elements(value), is_number):
                    best = better(best, number)
            elif _is_numeric(value):
                best = better(best, value)
            elif len(values) == 1:
                return value
            else:
                raise Panic(f"invalid argument for {name} (type {go_type(value)})")
        return best

    return extreme


def _is_numeric(value: Any) -> bool:
    return is_number(value) or isinstance(value, Duration)


def _elements(values: list[Any] | bytes) -> list[Any]:
    return [Uint8(byte) for byte in values] if isinstance(values, bytes) else values


def numbers_in(name: str, values: list[Any], counts: Callable[[Any], bool] = _is_numeric) -> Iterator[Any]:
    """The numbers of a list and of the lists in it."""
    for value in values:
        if isinstance(value, (list, bytes)):
            yield from numbers_in(name, _elements(value), counts)
        elif counts(value):
            yield value
        else:
            raise Panic(f"invalid argument for {name} (type {go_type(value)})")


def _floats(name: str, values: tuple[Any, ...]) -> list[float]:
    return [float(value.order if isinstance(value, Duration) else value) for value in numbers_in(name, list(values))]


maximum = _extreme("max", operators.less)
minimum = _extreme("min", operators.more)


def mean(*values: Any) -> float:
    floats = _floats("mean", values)
    total = 0.0
    for number in floats:
        total += number
    return total / len(floats) if floats else 0.0


def median(*values: Any) -> float:
    floats = sorted(_floats("median", values), key=lambda number: (not math.isnan(number), number))
    middle = len(floats) // 2
    if not floats:
        return 0.0
    return floats[middle] if len(floats) % 2 else (floats[middle - 1] + floats[middle]) / 2


def _bits(name: str, combine: Callable[[int, int], int]) -> Callable[..., int]:
    def function(*values: Any) -> int:
        for value in values:
            if not is_int(value):
                raise Panic(f"cannot use {go_type(value)} as argument (type int) to call {name}")
        return wrap(combine(*map(int, values)))

    return function


def _count(shift: int) -> int:
    if shift < 0:
        raise Panic(f"invalid operation: negative shift count {shift} (type int)")
    return min(shift, 64)


bit_and = _bits("bitand", operator.and_)
bit_or = _bits("bitor", operator.or_)
bit_xor = _bits("bitxor", operator.xor)
bit_clear = _bits("bitnand", lambda left, right: left & ~right)
shift_left = _bits("bitshl", lambda left, right: left << _count(right))
shift_right = _bits("bitshr", lambda left, right: left >> _count(right))
shift_right_unsigned = _bits("bitushr", lambda left, right: (left & (2**64 - 1)) >> _count(right))


def bit_not(value: Any) -> int:
    return ~_bits("bitnot", lambda left, right: left & right)(value, value)
