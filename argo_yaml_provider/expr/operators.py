"""What expr-lang's operators do with two values.

In: values.  Out: a value; a Panic says which types do not go together.
Must not know: syntax. expr-lang: vm/runtime/runtime.go, vm/runtime/helpers.

Ints wrap at 64 bits; an int and a float make a float; `/` and `**` always make floats.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from argo_yaml_provider.expr import gofloat, regexes
from argo_yaml_provider.expr.clock import Duration, Time
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.limits import check_length
from argo_yaml_provider.expr.values import (
    AnyMap,
    GoFunction,
    GoObject,
    Groups,
    NilList,
    Pair,
    TypedList,
    TypedMap,
    any_key,
    go_type,
    is_int,
    is_nil,
    is_number,
    wrap,
)


def _mismatch(sign: str, left: Any, right: Any) -> Panic:
    return Panic(f"invalid operation: {go_type(left)} {sign} {go_type(right)}")


def _compared(sign: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(left: Any, right: Any) -> bool:
        if is_number(left) and is_number(right):
            if type(left) is not type(right) and (isinstance(left, float) or isinstance(right, float)):
                return compare(float(left), float(right))
            return compare(left, right)
        if type(left) is str and type(right) is str:
            return compare(left, right) if left.isascii() and right.isascii() else compare(to_bytes(left), to_bytes(right))
        if type(left) is type(right) and isinstance(left, (Time, Duration)):
            return compare(left.order, right.order)
        raise _mismatch(sign, left, right)

    return compared


less = _compared("<", operator.lt)
more = _compared(">", operator.gt)
less_or_equal = _compared("<=", operator.le)
more_or_equal = _compared(">=", operator.ge)


def equal(left: Any, right: Any) -> bool:
    """`==`: numbers by value, lists element by element, anything else only within one type."""
    if type(left) is type(right) and type(left) in (int, float, str, bool):
        return bool(left == right)
    if is_number(left) and is_number(right):
        return float(left) == float(right) if isinstance(left, float) or isinstance(right, float) else left == right
    if isinstance(left, (Time, Duration)):
        return type(left) is type(right) and left.order == right.order
    if isinstance(left, list) and isinstance(right, list) and list in (type(left), type(right)):
        return len(left) == len(right) and all(map(equal, left, right))
    return deep_equal(left, right)


def deep_equal(left: Any, right: Any) -> bool:
    """Go's reflect.DeepEqual: the same types all the way down."""
    if go_type(left) != go_type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(deep_equal, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(deep_equal(value, right[key]) for key, value in left.items())
    return bool(left == right) and not isinstance(left, GoFunction)  # two functions are never equal in Go


def add(left: Any, right: Any) -> Any:
    if type(left) is str and type(right) is str:
        check_length(len(left) + len(right))
        return left + right
    if is_number(left) and is_number(right):
        return _number(left + right)
    if isinstance(left, (Time, Duration)) and isinstance(right, (Time, Duration)):
        if isinstance(left, Duration):
            return Duration(left.order + right.order) if isinstance(right, Duration) else right.plus(left)
        if isinstance(right, Duration):
            return left.plus(right)
    raise _mismatch("+", left, right)


def subtract(left: Any, right: Any) -> Any:
    if is_number(left) and is_number(right):
        return _number(left - right)
    if isinstance(left, Time):
        if isinstance(right, Time):
            return left.since(right)
        if isinstance(right, Duration):
            return left.plus(Duration(-right.order))
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(left.order - right.order)
    raise _mismatch("-", left, right)


def multiply(left: Any, right: Any) -> Any:
    if is_number(left) and is_number(right):
        return _number(left * right)
    first, second = (value.order if isinstance(value, Duration) else value for value in (left, right))
    if is_number(first) and is_number(second):
        product = first * second
        return product if isinstance(product, float) else Duration(product)
    raise _mismatch("*", left, right)


def divide(left: Any, right: Any) -> float:
    if not (is_number(left) and is_number(right)):
        raise _mismatch("/", left, right)
    return quotient(float(left), float(right))


def quotient(left: float, right: float) -> float:
    """Float division as IEEE has it: by zero it is infinite or no number."""
    if right:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def modulo(left: Any, right: Any) -> int:
    if not (is_int(left) and is_int(right)):
        raise _mismatch("%", left, right)
    if right == 0:
        raise Panic("integer divide by zero")
    return remainder(left, right)


def remainder(left: int, right: int) -> int:
    """`%` with the sign of the left side, as Go has it."""
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def power(left: Any, right: Any) -> float:
    return gofloat.power(to_float(left), to_float(right))


def negate(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Panic(f"invalid operation: - {go_type(value)}")
    if isinstance(value, float):
        return -value
    return wrap(-value) if type(value) is int else type(value).of(-value)  # type: ignore[attr-defined]


def _number(value: Any) -> Any:
    return value if isinstance(value, float) else wrap(value)


def to_int(value: Any) -> int:
    """What an index or a count must be: any number; a float loses its fraction."""
    if is_int(value):
        return wrap(int(value))
    if isinstance(value, float):
        return float_to_int(value)
    raise Panic(f"invalid operation: int({go_type(value)})")


def float_to_int(value: float) -> int:
    """Go's int(float64) on amd64: what does not fit is the least int."""
    return int(value) if -(2.0**63) <= value < 2.0**63 else -(2**63)


def to_float(value: Any) -> float:
    if is_number(value):
        return float(value)
    raise Panic(f"invalid operation: float({go_type(value)})")


def to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def from_bytes(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def contained(needle: Any, container: Any) -> bool:
    """`in`: an element of a list, or a key of a map."""
    if container is None:
        return False
    if isinstance(container, list):
        return any(equal(item, needle) for item in container)
    if isinstance(container, dict):
        if isinstance(container, AnyMap):
            return any_key(needle) in container
        return ("" if needle is None else string_key(needle, container)) in container
    if type(container) is bytes:
        return is_number(needle) and needle in [float(byte) for byte in container]
    if isinstance(container, GoObject) and container.kind == "struct" and type(needle) is str:
        return False  # an expression sees none of its fields
    raise Panic(f'operator "in" not defined on {go_type(container)}')


def string_key(key: Any, _container: Any = None) -> str:
    if type(key) is not str:
        raise Panic(f"reflect.Value.MapIndex: value of type {go_type(key)} is not assignable to type string")
    return key


def fetch(base: Any, key: Any) -> Any:
    """`base[key]` and `base.key`."""
    if isinstance(base, dict):
        return _fetch_key(base, key)
    if isinstance(base, (list, str, bytes)):
        return _fetch_index(base, key)
    if isinstance(base, GoObject) and type(key) is str and (key in base.methods or key in base.fields):
        return base.methods.get(key) or base.fields[key]
    raise Panic(f"cannot fetch {shown_key(key)} from {go_type(base)}")


def shown_key(key: Any) -> str:
    from argo_yaml_provider.expr.rendering import render_go

    return render_go(key)


def _fetch_key(base: dict[Any, Any], key: Any) -> Any:
    if isinstance(base, Groups):
        return base.get(any_key(key), NilList())
    if isinstance(base, AnyMap):
        return base.get(any_key(key), base.zero)
    if isinstance(base, TypedMap):
        return base.get(string_key(key), base.zero)
    return base.get("" if key is None else string_key(key))


def _fetch_index(base: Any, key: Any) -> Any:
    index = to_int(key)
    units = to_bytes(base) if isinstance(base, str) else base
    if index < 0:
        index += len(units)
    if not 0 <= index < len(units):
        raise Panic(f"index out of range: {index} (array length is {len(units)})")
    return element(units, index)


def element(units: Any, index: int) -> Any:
    """One element; of text or bytes, one byte."""
    if isinstance(units, bytes):
        from argo_yaml_provider.expr.values import Uint8

        return Uint8(units[index])
    return units[index]


def cut(base: Any, start: Any, stop: Any) -> Any:
    """`base[start:stop]`; bounds beyond the ends are moved to them, text is cut by bytes."""
    if not isinstance(base, (list, str, bytes)):
        raise Panic(f"cannot slice {go_type(base)}")
    units = to_bytes(base) if isinstance(base, str) else base
    length = len(units)
    low = 0 if start is None else to_int(start)
    high = length if stop is None else to_int(stop)
    low = max(low + length, 0) if low < 0 else low
    high = max(high + length, 0) if high < 0 else min(high, length)
    part: Any = units[min(low, high) : high]
    if isinstance(base, str):
        return from_bytes(part)
    if isinstance(base, TypedList) and not isinstance(base, Pair):
        return type(base)(part)
    return part


def matches(text: Any, pattern: Any) -> bool:
    if is_nil(text) or is_nil(pattern):
        return False
    return regexes.compiled(as_string(pattern)).found(text if isinstance(text, bytes) else as_string(text))


def _both(text: Any, part: Any, test: Callable[[str, str], bool]) -> bool:
    if is_nil(text) or is_nil(part):
        return False
    return test(as_string(text), as_string(part))


def contains(text: Any, part: Any) -> bool:
    return _both(text, part, operator.contains)


def starts_with(text: Any, part: Any) -> bool:
    return _both(text, part, str.startswith)


def ends_with(text: Any, part: Any) -> bool:
    return _both(text, part, str.endswith)


def as_string(value: Any) -> str:
    if type(value) is not str:
        raise conversion(value, "string")
    return value


def conversion(value: Any, wanted: str) -> Panic:
    """Go's complaint about a value that is not of the type that was asserted."""
    shown = "nil" if value is None else go_type(value)
    return Panic(f"interface conversion: interface {{}} is {shown}, not {wanted}")


def contained_text(needle: Any, texts: frozenset[str]) -> bool:
    return ("" if needle is None else string_key(needle)) in texts


def equal_ints(left: Any, right: Any) -> bool:
    for value in (left, right):
        if type(value) is not int:
            raise conversion(value, "int")
    return bool(left == right)


def equal_texts(left: Any, right: Any) -> bool:
    return as_string(left) == as_string(right)


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": less,
    ">": more,
    "<=": less_or_equal,
    ">=": more_or_equal,
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "**": power,
    "^": power,
    "in": contained,
    "matches": matches,
    "contains": contains,
    "startsWith": starts_with,
    "endsWith": ends_with,
    "in texts": contained_text,
    "== int": equal_ints,
    "== string": equal_texts,
}
