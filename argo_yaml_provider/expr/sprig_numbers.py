"""sprig's functions of numbers.

In: values whose types are checked already.  Out: values.
Must not know: syntax. Libraries: sprig v3.3, and github.com/spf13/cast, which makes a number of nearly everything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation
from typing import Any

from argo_yaml_provider.expr.clock import Duration, Month, Weekday
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.functions_numbers import parse_float
from argo_yaml_provider.expr.limits import Budget
from argo_yaml_provider.expr.operators import float_to_int, quotient, remainder
from argo_yaml_provider.expr.rendering import render_go
from argo_yaml_provider.expr.values import Int64, Ints, SizedInt, is_number, wrap

_DECIMAL = re.compile(r"([-+]?[0-9]*)(\.[0-9]*)?\Z")
_PREFIXED = re.compile(
    r"([+-]?)(?:0[xX](?P<x>[0-9a-fA-F]+)|0[oO](?P<o>[0-7]+)|0[bB](?P<b>[01]+)|(?P<z>0[0-7]*)|(?P<d>[1-9][0-9]*))\Z"
)
_BASES = {"x": 16, "o": 8, "b": 2, "z": 8, "d": 10}
_EXACT = Context(prec=400, Emin=-10_000, Emax=10_000)
_PLACES = Decimal("1e-16")


def to_int(value: Any) -> int:
    """cast.ToInt: 0 for what is no number; a text may be 0x1F, 017 (octal) or 3.9."""
    if isinstance(value, bool) or value is None:
        return int(value or 0)
    if isinstance(value, float):
        return float_to_int(value)
    if is_number(value):
        return wrap(int(value))
    if isinstance(value, (Duration, Month, Weekday)):
        return value.order
    return _text_to_int(value) if type(value) is str else 0


def _text_to_int(text: str) -> int:
    if "." in text:
        match = _DECIMAL.match(text)
        text = match[1] + ("0" if match[1] in ("", "-", "+") else "") if match else text
    number = _parse_prefixed(text)
    return number if number is not None and number == wrap(number) else 0


def _parse_prefixed(text: str) -> int | None:
    """strconv.ParseInt(text, 0, 64), but for its range."""
    if len(text) > 200:
        return None
    plain = re.sub(r"(?<=[0-9a-fA-FxXoObB])_(?=[0-9a-fA-F])", "", text)
    match = _PREFIXED.match(plain)
    if not match:
        return None
    name = match.lastgroup or "d"
    number = int(match[name], _BASES[name])
    return -number if match[1] == "-" else number


def to_int64(value: Any) -> SizedInt:
    return Int64(to_int(value))


def to_float(value: Any) -> float:
    """cast.ToFloat64: 0 for what is no number."""
    if isinstance(value, bool) or value is None:
        return float(value or 0)
    if is_number(value):
        return float(value)
    if isinstance(value, (Duration, Month, Weekday)):
        return float(value.order)
    return (parse_float(value) or 0.0) if type(value) is str else 0.0


def atoi(text: str) -> int:
    """A decimal number; what is too large is cut to the nearest, what is none is 0."""
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        return 0
    if len(text) > 30:
        text = text[:1] + text[1:].lstrip("0") if text[0] in "+-" else text.lstrip("0") or "0"
    number = int(text[:40])
    return max(-(2**63), min(2**63 - 1, number))


def octal(value: Any) -> SizedInt:
    """toDecimal: a text of octal digits."""
    text = render_go(value)
    number = int(text, 8) if re.fullmatch(r"[+-]?[0-7]{1,100}", text, re.ASCII) else 0
    return Int64(number if number == wrap(number) else 0)


def _folded(combine: Callable[[int, int], int]) -> Callable[..., SizedInt]:
    def fold(*values: Any) -> SizedInt:
        numbers = [to_int(value) for value in values]
        total = numbers[0] if numbers else 0
        for number in numbers[1:]:
            total = wrap(combine(total, number))
        return Int64(total)

    return fold


def _nonzero(divisor: int) -> int:
    if divisor == 0:
        raise Panic("runtime error: integer divide by zero")
    return divisor


def _divided(left: int, right: int) -> int:
    """Towards zero."""
    whole = abs(left) // abs(_nonzero(right))
    return -whole if (left < 0) != (right < 0) else whole


add = _folded(lambda left, right: left + right)
subtract = _folded(lambda left, right: left - right)
multiply = _folded(lambda left, right: left * right)
divide = _folded(_divided)
modulo = _folded(lambda left, right: remainder(left, _nonzero(right)))
maximum = _folded(max)
minimum = _folded(min)


def increment(value: Any) -> SizedInt:
    return Int64(wrap(to_int(value) + 1))


def _decimal(value: Any) -> Decimal:
    number = to_float(value)
    if not math.isfinite(number):
        raise Panic(f"Cannot create a Decimal from {render_go(number)}")
    return Decimal(repr(number))


def _exact(combine: Callable[[Decimal, Decimal], Decimal]) -> Callable[..., float]:
    """Float arithmetic by way of decimals, as shopspring/decimal does it."""

    def fold(first: Any, *others: Any) -> float:
        total = _decimal(first)
        for other in others:
            total = combine(total, _decimal(other))
        return float(total) + 0.0  # a decimal knows no -0

    return fold


def _decimal_divided(left: Decimal, right: Decimal) -> Decimal:
    """Sixteen places behind the point, rounded half away from zero."""
    if not right:
        raise Panic("decimal division by 0")
    try:
        return _EXACT.divide(left, right).quantize(_PLACES, rounding=ROUND_HALF_UP, context=_EXACT)
    except (DivisionByZero, InvalidOperation):
        raise Panic("decimal division is out of range") from None


_add_exact = _exact(_EXACT.add)
subtract_exact = _exact(_EXACT.subtract)
multiply_exact = _exact(_EXACT.multiply)
divide_exact = _exact(_decimal_divided)


def add_exact(*values: Any) -> float:
    return _add_exact(0.0, *values)


def increment_exact(value: Any) -> float:
    return _add_exact(value, 1)


def _extreme(sign: float) -> Callable[..., float]:
    """Go's math.Max (sign 1) and math.Min (-1): an infinity beats no number, which beats all else; -0 is below 0."""

    def rank(number: float) -> tuple[bool, bool, float, float]:
        return number == sign * math.inf, math.isnan(number), sign * number, sign * math.copysign(1.0, number)

    def extreme(*values: Any) -> float:
        return max(map(to_float, values), key=rank)

    return extreme


maximum_float = _extreme(1.0)
minimum_float = _extreme(-1.0)


def _whole(rounded: Callable[[float], int]) -> Callable[[Any], float]:
    def function(value: Any) -> float:
        number = to_float(value)
        return math.copysign(rounded(number), number) if math.isfinite(number) else number

    return function


floor = _whole(math.floor)
ceil = _whole(math.ceil)


def half_up(value: Any, places: int, *limit: float) -> float:
    """`round(x, places)`; halves, or what the third argument says, go up."""
    number, at = to_float(value), limit[0] if limit else 0.5
    try:
        scale = math.pow(10, float(places))
    except OverflowError:
        scale = math.inf
    digit = scale * number
    if not math.isfinite(digit):
        return quotient(digit, scale)
    fraction = math.modf(digit)[0]
    whole = math.ceil(digit) if fraction >= at else math.floor(digit)
    return quotient(math.copysign(whole, whole or digit), scale)


def until(budget: Budget, count: int) -> Ints:
    return until_step(budget, 0, count, -1 if count < 0 else 1)


def until_step(budget: Budget, start: int, stop: int, step: int) -> Ints:
    """From start towards stop, without it; nothing if the step leads away."""
    if (stop < start) == (step >= 0) or step == 0:
        return Ints()
    numbers = range(start, stop, step)
    budget.allocate(len(numbers))
    return Ints(numbers)


def seq(budget: Budget, *given: int) -> str:
    """`seq(end)`, `seq(start, end)`, `seq(start, step, end)`: the numbers, the end included."""
    if len(given) not in (1, 2, 3):
        return ""
    start, end = (1, given[0]) if len(given) == 1 else (given[0], given[-1])
    direction = -1 if end < start else 1
    step = given[1] if len(given) == 3 else direction
    if len(given) == 3 and end < start and step > 0:
        return ""
    return " ".join(map(str, until_step(budget, start, wrap(end + direction), step)))
