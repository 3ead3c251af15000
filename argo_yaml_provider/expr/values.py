"""Go's types for Python values: which type a value has, and the few types Python has no value for.

In: any value an expression can meet.  Out: its Go type's name and kind; the classes of sized ints, typed lists and maps.
Must not know: syntax, functions.

nil is None; bool, int, float, str and bytes are bool, int, float64, string and []uint8; list is []interface {} and dict
map[string]interface {}. Everything else is one of the classes below, or a `GoObject` (a time, a duration, a version).
A string that Go would hold with broken UTF-8 holds those bytes as Python's surrogate escapes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from argo_yaml_provider.expr.limits import SLOW, SLOWER


def wrap(number: int) -> int:
    """The number as Go's int holds it: 64 bits, silently around."""
    if -0x8000_0000_0000_0000 <= number <= 0x7FFF_FFFF_FFFF_FFFF:
        return number
    return ((number + 0x8000_0000_0000_0000) & 0xFFFF_FFFF_FFFF_FFFF) - 0x8000_0000_0000_0000


class SizedInt(int):
    """An int of another Go type; arithmetic makes a plain int of it, as expr-lang's does."""

    __slots__ = ()
    go_type: ClassVar[str] = "int64"
    bits: ClassVar[int] = 64
    signed: ClassVar[bool] = True

    @classmethod
    def of(cls, number: int) -> SizedInt:
        """The number cut to the type's bits."""
        number &= (1 << cls.bits) - 1
        return cls(number - (1 << cls.bits) if cls.signed and number >> (cls.bits - 1) else number)


class Int64(SizedInt):
    __slots__ = ()


class Int32(SizedInt):
    __slots__ = ()
    go_type = "int32"
    bits = 32


class Uint8(SizedInt):
    __slots__ = ()
    go_type = "uint8"
    bits = 8
    signed = False


class Uint64(SizedInt):
    __slots__ = ()
    go_type = "uint64"
    signed = False


class TypedList(list[Any]):
    """A Go slice or array whose elements are not `any`."""

    __slots__ = ()
    go_type: ClassVar[str] = "[]string"
    element: ClassVar[str] = "string"


class Strings(TypedList):
    __slots__ = ()


class NilStrings(Strings):
    """A []string that Go never made: nil for `??`, null in JSON, empty otherwise."""

    __slots__ = ()


class NilList(TypedList):
    """A []any that Go never made."""

    __slots__ = ()
    go_type = "[]interface {}"
    element = "interface {}"


class Ints(TypedList):
    __slots__ = ()
    go_type = "[]int"
    element = "int"


class Lists(TypedList):
    __slots__ = ()
    go_type = "[][]interface {}"
    element = "[]interface {}"


class Pair(TypedList):
    __slots__ = ()
    go_type = "[2]interface {}"
    element = "interface {}"


class Pairs(TypedList):
    __slots__ = ()
    go_type = "[][2]interface {}"
    element = "[2]interface {}"


class TypedMap(dict[Any, Any]):
    """A Go map that is not a map[string]any."""

    __slots__ = ()
    go_type: ClassVar[str] = "map[string]string"
    key: ClassVar[str] = "string"
    element: ClassVar[str] = "string"
    zero: ClassVar[Any] = ""


class StringMap(TypedMap):
    __slots__ = ()


class NilMap(dict[str, Any]):
    """A map[string]any that Go never made: it can be read, but not written."""

    __slots__ = ()
    go_type: ClassVar[str] = "map[string]interface {}"


class AnyMap(TypedMap):
    """A map whose keys may be anything; `any_key` keeps 1, 1.0 and true apart, which Python would not."""

    __slots__ = ()
    go_type = "map[interface {}]interface {}"
    key = "interface {}"
    element = "interface {}"
    zero = None


class Groups(AnyMap):
    __slots__ = ()
    go_type = "map[interface {}][]interface {}"
    element = "[]interface {}"
    zero = None


class GoObject:
    """A value with methods. `methods` and `fields` are the whole of what an expression can reach in it."""

    __slots__ = ()
    go_type: ClassVar[str] = ""
    kind: ClassVar[str] = "struct"
    methods: ClassVar[dict[str, GoFunction]] = {}

    @property
    def fields(self) -> Mapping[str, Any]:
        return {}


class GoFunction:
    """A Go function: its parameters' types as Go writes them, and what it does.

    The last parameter may be variadic (`...int`); a method's first parameter is its receiver and is not listed. Flags say
    how it is called and what it costs: `method`, `budget` (it gets the budget first), `free` (it does not read all of its
    arguments), `heavy` (it looks at every character), `costly` (it is slow on purpose),
    `slow` and `slower` (a call takes tens of microseconds, whatever it is given).
    """

    __slots__ = ("call", "costly", "free", "heavy", "method", "name", "needs_budget", "parameters", "price", "result")
    go_type = "func"

    def __init__(
        self,
        name: str,
        call: Callable[..., Any],
        parameters: tuple[str, ...] = (),
        result: str = "interface {}",
        *,
        flags: str = "",
    ) -> None:
        self.name, self.call, self.parameters, self.result = name, call, parameters, result
        self.method, self.costly, self.needs_budget = "method" in flags, "costly" in flags, "budget" in flags
        self.free, self.heavy = "free" in flags, "heavy" in flags
        self.price = SLOWER if "slower" in flags else SLOW if "slow" in flags else 0


_TYPES: dict[type, str] = {
    type(None): "<nil>",
    bool: "bool",
    int: "int",
    float: "float64",
    str: "string",
    bytes: "[]uint8",
    list: "[]interface {}",
    dict: "map[string]interface {}",
}
_KINDS = {
    "<nil>": "invalid",
    "bool": "bool",
    "float64": "float64",
    "string": "string",
}


def go_type(value: Any) -> str:
    """The type as Go's %T writes it."""
    known = _TYPES.get(type(value))
    return known if known is not None else value.go_type


def go_kind(value: Any) -> str:
    """The type's kind as Go's reflect writes it: slice, map, ptr, struct, int, …"""
    return kind_of_type(go_type(value), value)


def kind_of_type(name: str, value: Any = None) -> str:
    if name.startswith("[]"):
        return "slice"
    if name.startswith("["):
        return "array"
    if name.startswith("map["):
        return "map"
    if isinstance(value, GoObject):
        return value.kind
    if isinstance(value, SizedInt) and value.go_type.startswith("time."):
        return "int"
    return _KINDS.get(name, name)


def any_key(key: Any) -> tuple[str, Any]:
    """The key under which an `AnyMap` holds this one."""
    return go_type(key), key


def is_nil(value: Any) -> bool:
    """nil, or a list or map that Go never made."""
    return value is None or isinstance(value, (NilList, NilStrings, NilMap))


def is_number(value: Any) -> bool:
    """An int of any size or a float; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
