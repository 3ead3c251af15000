"""What is known of a value before there is one: its Go type, as expr-lang's checker sees it.

In: type names as Go writes them.  Out: `Nature`, and the questions the checker asks it.
Must not know: syntax, values. expr-lang: checker/nature/nature.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from argo_yaml_provider.expr.values import GoFunction, GoObject, go_type

ANY = "interface {}"
LIST, MAP = "[]interface {}", "map[string]interface {}"
TIME, DURATION, LOCATION = "time.Time", "time.Duration", "*time.Location"
INTEGERS = frozenset({"int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64"})
FLOATS = frozenset({"float32", "float64"})
_KINDS = {TIME: "struct", DURATION: "int64", LOCATION: "ptr", "time.Month": "int", "time.Weekday": "int", ANY: "interface"}


@dataclass(frozen=True, slots=True)
class Nature:
    """A type, if it is known: "" is unknown, "nil" is the value nil."""

    type: str = ""
    element: Nature | None = None
    """Of a list, what is known of its elements beyond the type."""
    function: GoFunction | None = None
    """Of a function, its signature."""

    @property
    def unknown(self) -> bool:
        return self.type in ("", ANY)

    @property
    def nil(self) -> bool:
        return self.type == "nil"

    @property
    def integer(self) -> bool:
        return self.type in INTEGERS

    @property
    def number(self) -> bool:
        return self.type in INTEGERS or self.type in FLOATS

    @property
    def array(self) -> bool:
        return self.type.startswith("[")

    @property
    def map(self) -> bool:
        return self.type.startswith("map[")

    @property
    def kind(self) -> str:
        return kind(self.type)

    def __str__(self) -> str:
        return "unknown" if self.type in ("", "nil") else "func" if self.type == "func" else self.type

    def elements(self) -> Nature:
        """The nature of a list's or map's elements."""
        if self.element is not None:
            return self.element
        return of_type(self.type[self.type.index("]") + 1 :]) if self.array or self.map else UNKNOWN

    def key(self) -> Nature:
        return of_type(self.type[4 : self.type.index("]")])

    def assignable_to(self, other: Nature) -> bool:
        if self.nil:
            return other.kind in ("ptr", "interface", "func", "map", "slice")
        if not self.type or not other.type or other.nil:
            return False
        return other.type in (ANY, self.type)

    def comparable_to(self, other: Nature) -> bool:
        return (
            self.unknown
            or other.unknown
            or self.nil
            or other.nil
            or (self.number and other.number)
            or (self.array and other.array)
            or self.assignable_to(other)
        )

    def is_any_of(self, kinds: str) -> bool:
        """Whether it is one of `bool string integer number map array time duration`."""
        return any(_CHECKS[name](self) for name in kinds.split())

    def maybe(self, other: Nature, kinds: str) -> bool:
        """Whether the two may go together, as far as is known."""
        if self.unknown:
            return other.unknown or other.is_any_of(kinds)
        return other.unknown and self.is_any_of(kinds)


_CHECKS: dict[str, Any] = {
    "bool": lambda nature: nature.type == "bool",
    "string": lambda nature: nature.type == "string",
    "integer": lambda nature: nature.integer,
    "number": lambda nature: nature.number,
    "map": lambda nature: nature.map,
    "array": lambda nature: nature.array,
    "time": lambda nature: nature.type == TIME,
    "duration": lambda nature: nature.type == DURATION,
}
UNKNOWN, NIL = Nature(), Nature("nil")
_KNOWN: dict[str, Nature] = {}


def of_type(name: str) -> Nature:
    """The nature of a type, by its name."""
    nature = _KNOWN.get(name)
    if nature is None:
        nature = _KNOWN[name] = UNKNOWN if name == ANY else Nature(name)
    return nature


BOOL, INT, FLOAT, STRING = of_type("bool"), of_type("int"), of_type("float64"), of_type("string")


def of_value(value: Any) -> Nature:
    """What the checker knows of a variable from its value."""
    if value is None:
        return NIL
    if isinstance(value, GoFunction):
        return Nature("func", function=value)
    return of_type(go_type(value))


def list_of(element: Nature) -> Nature:
    return Nature(LIST, element=element)


def kind(name: str) -> str:
    """The kind of a type: slice, array, map, ptr, struct, interface, func, or the basic type itself."""
    if name.startswith("[]"):
        return "slice"
    if name.startswith("["):
        return "array"
    if name.startswith("map["):
        return "map"
    if name.startswith("*"):
        return "ptr"
    return _KINDS.get(name, name or "interface")


def methods_of(name: str) -> dict[str, GoFunction]:
    """The methods of a type that is known by name."""
    from argo_yaml_provider.expr import clock_methods  # noqa: F401 - it fills the tables
    from argo_yaml_provider.expr.clock import Duration, Location, Month, Time, Weekday

    types: dict[str, type[GoObject]] = {each.go_type: each for each in (Duration, Location, Month, Time, Weekday)}
    found = types.get(name)
    return found.methods if found else {}
