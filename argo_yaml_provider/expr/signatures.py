"""What expr-lang's own functions take and return, as far as that is checked before they run.

In: rows in the words of the table in `functions`.  Out: `Builtin`, with a check that gives the result's nature.
Must not know: syntax, values. expr-lang: builtin/builtin.go (Types, Validate), checker/checker.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.natures import LOCATION, NIL, UNKNOWN, Nature, kind, of_type

_NUMERIC = frozenset({"int", "int32", "int64", "uint8", "uint32", "uint64", "float64"})


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function."""

    parameters: tuple[str, ...]
    result: str

    @classmethod
    def read(cls, text: str) -> Signature:
        """From `string, int -> []string`."""
        given, _, result = text.partition("->")
        return cls(tuple(name.strip() for name in given.split(",") if name.strip()), result.strip())


class ArgumentMismatch(Panic):
    """The argument with this number (from 0) does not fit; None if it is their number."""

    def __init__(self, message: str, argument: int | None = None) -> None:
        self.argument = argument
        super().__init__(message)


@dataclass(frozen=True)
class Builtin:
    """A function of the language: what it does, and how its calls are checked."""

    call: Callable[..., Any]
    check: Callable[[str, Sequence[Nature]], Nature]
    needs_budget: bool = False
    free: bool = False
    """It does not read all of its arguments."""
    slow: bool = False
    """A call takes tens of microseconds, whatever it is given."""


def check_arguments(name: str, signature: Signature, natures: Sequence[Nature]) -> Nature:
    """The result's nature, if the arguments fit this signature; an ArgumentMismatch if not."""
    parameters, variadic = signature.parameters, signature.parameters[-1:] and signature.parameters[-1].startswith("...")
    fixed = len(parameters) - bool(variadic)
    if len(natures) > fixed and not variadic:
        raise ArgumentMismatch(f"too many arguments to call {name}: {len(natures)} instead of {fixed}")
    if len(natures) < fixed:
        raise ArgumentMismatch(f"not enough arguments to call {name}: {len(natures)} instead of {fixed}")
    for index, nature in enumerate(natures):
        wanted = of_type(parameters[min(index, len(parameters) - 1)].removeprefix("..."))
        _check_argument(name, nature, wanted, index)
    return of_type(signature.result)


def _check_argument(name: str, nature: Nature, wanted: Nature, index: int) -> None:
    if wanted.unknown or (wanted.number and nature.integer):
        return
    if nature.nil:
        raise ArgumentMismatch(f"cannot use nil as argument (type {wanted}) to call {name}", index)
    if not nature.unknown and not nature.assignable_to(wanted):
        raise ArgumentMismatch(f"cannot use {nature} as argument (type {wanted}) to call {name}", index)


def overloads(*signatures: str) -> Callable[[str, Sequence[Nature]], Nature]:
    """A function with these signatures; the first that fits counts."""
    known = [Signature.read(text) for text in signatures]

    def check(name: str, natures: Sequence[Nature]) -> Nature:
        problem: ArgumentMismatch | None = None
        for signature in known:
            try:
                return check_arguments(name, signature, natures)
            except ArgumentMismatch as error:
                problem = error
        assert problem
        raise problem

    return check


def takes(kinds: str, result: str, *more: str) -> Callable[[str, Sequence[Nature]], Nature]:
    """A function whose first argument must be of one of these kinds, its second of one of `more[0]`, and so on.

    The result is a type, or `same` as the first argument, or one `element` of it.
    """
    allowed = [_kinds(kinds), *map(_kinds, more)]

    def check(name: str, natures: Sequence[Nature]) -> Nature:
        if len(natures) != len(allowed):
            raise ArgumentMismatch(f"invalid number of arguments for {name} (expected {len(allowed)}, got {len(natures)})")
        for index, (nature, names) in enumerate(zip(natures, allowed, strict=True)):
            _check_kind(name, nature, names, index)
        return _result(result, natures[0])

    return check


def takes_all(kinds: str, result: str) -> Callable[[str, Sequence[Nature]], Nature]:
    """A function of one or more arguments, all of these kinds."""
    names = _kinds(kinds)

    def check(name: str, natures: Sequence[Nature]) -> Nature:
        if not natures:
            raise ArgumentMismatch(f"not enough arguments to call {name}")
        for index, nature in enumerate(natures):
            _check_kind(name, nature, names, index)
        return _result(result, natures[0])

    return check


def aggregate(name: str, natures: Sequence[Nature]) -> Nature:
    """max, min, mean, median: numbers, up to the first list or unknown value, behind which nothing is checked."""
    if not natures:
        raise ArgumentMismatch(f"not enough arguments to call {name}")
    for index, nature in enumerate(natures):
        if nature.unknown or nature.array:
            return UNKNOWN
        _check_kind(name, nature, _NUMERIC, index)
    return natures[0]


def moment(name: str, natures: Sequence[Nature]) -> Nature:
    """now: nothing, or a location."""
    if len(natures) > 1 or (natures and natures[0].type != LOCATION):
        raise ArgumentMismatch(f"{name} takes nothing, or a timezone")
    return of_type("time.Time")


def date(name: str, natures: Sequence[Nature]) -> Nature:
    """date: a location, perhaps, and one to three others, whose types only show when it runs."""
    if not natures:
        raise ArgumentMismatch("invalid number of arguments (expected at least 1, got 0)")
    rest = natures[1:] if natures[0].type == LOCATION else natures
    if len(rest) > 3:
        raise ArgumentMismatch(f"invalid number of arguments for {name} (expected at most 3, got {len(rest)})")
    return of_type("time.Time")


def _kinds(names: str) -> frozenset[str]:
    found = frozenset(names.split())
    return (
        found - {"number", "list"}
        | (_NUMERIC if "number" in found else frozenset())
        | (frozenset({"slice", "array"}) if "list" in found else frozenset())
    )


def _check_kind(name: str, nature: Nature, names: frozenset[str], index: int) -> None:
    if nature.unknown:
        return
    if nature is NIL or kind(nature.type) not in names:
        raise ArgumentMismatch(f"invalid argument for {name} (type {'nil' if nature.nil else nature})", index)


def _result(result: str, first: Nature) -> Nature:
    if result == "same":
        return first
    if result == "element":
        return UNKNOWN if first.unknown else of_type(first.type[first.type.index("]") + 1 :])
    return of_type(result)
