"""Semantic versions and constraints on them, as loose as sprig takes them.

In: text.  Out: `Version`, `satisfies`; a Panic says what is no version.
Must not know: functions. Library: github.com/Masterminds/semver v3 (PyPI's semver knows neither its constraints nor `v1.2`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from argo_yaml_provider.expr import regexes
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.limits import MAX_FORMAT
from argo_yaml_provider.expr.values import GoFunction, GoObject, Uint64

_LOOSE = r"^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?$"
_PART = r"[0-9|x|X|\*]+"
_PATTERN = (
    rf"v?({_PART})(\.{_PART})?(\.{_PART})?(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?"
)
_OPERATORS = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^"
_ONE = rf"^\s*({_OPERATORS})\s*({_PATTERN})\s*$"
_RANGE = rf"\s*({_PATTERN})\s+-\s+({_PATTERN})\s*"
_FIND = rf"({_OPERATORS})\s*({_PATTERN})"
_VALID = rf"^(\s*({_OPERATORS})\s*({_PATTERN})\s*)((?:\s+|,\s*)({_OPERATORS})\s*({_PATTERN})\s*)*$"
_ANY = frozenset({"x", "X", "*"})
_MAX = 1 << 64


class Version(GoObject):
    """A version; two with different build metadata are the same."""

    __slots__ = ("metadata", "numbers", "original", "pre")
    go_type = "*semver.Version"
    kind = "ptr"
    methods: ClassVar[dict[str, GoFunction]] = {}

    def __init__(self, numbers: tuple[int, int, int], pre: str, metadata: str, original: str = "") -> None:
        self.numbers, self.pre, self.metadata, self.original = numbers, pre, metadata, original

    def __str__(self) -> str:
        text = ".".join(map(str, self.numbers))
        return text + (f"-{self.pre}" if self.pre else "") + (f"+{self.metadata}" if self.metadata else "")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and (str(self), self.original) == (str(other), other.original)

    def __hash__(self) -> int:
        return hash(str(self))

    def compare(self, other: Version | None) -> int:
        if other is None:
            raise Panic("runtime error: invalid memory address or nil pointer dereference")
        if self.numbers != other.numbers:
            return -1 if self.numbers < other.numbers else 1
        if not self.pre or not other.pre:
            return bool(other.pre) - bool(self.pre)
        return compare_pre(self.pre, other.pre)

    def changed(self, numbers: tuple[int, int, int], pre: str = "", metadata: str = "") -> VersionValue:
        """Another version, whose original text is its own, with the v this one began with."""
        made = VersionValue(numbers, pre, metadata)
        made.original = ("v" if self.original.startswith("v") else "") + str(made)
        return made


class VersionValue(Version):
    """What IncMinor and its like return: the same, but no pointer."""

    __slots__ = ()
    go_type = "semver.Version"
    kind = "struct"


def compare_pre(left: str, right: str) -> int:
    """Part by part: numbers by value and below words, more parts above fewer."""
    lefts, rights = left.split("."), right.split(".")
    for index in range(max(len(lefts), len(rights))):
        parts = [side[index] if index < len(side) else "" for side in (lefts, rights)]
        if parts[0] != parts[1]:
            keys = [_part_order(part) for part in parts]
            return -1 if keys[0] < keys[1] else 1
    return 0


def _part_order(part: str) -> tuple[int, int, str]:
    if not part:
        return 0, 0, ""
    return (1, int(part), "") if part.isdigit() and len(part) < 20 else (2, 0, part)


def parse_version(text: str) -> Version:
    """`1.2.3-rc.1+build`, `v1.2`, `1`."""
    groups = regexes.compiled(_LOOSE).groups(text) if len(text) <= MAX_FORMAT else None
    if groups is None:
        raise Panic(f"invalid semantic version: {text[:MAX_FORMAT]}")
    numbers = [int(part.lstrip(".") or 0) for part in groups[1:4]]
    if max(numbers) >= _MAX:
        raise Panic(f"error parsing version segment: {text} is out of range")
    for part in groups[5].split("."):
        if part.isdigit() and part[0] == "0" and len(part) > 1:
            raise Panic(f"version segment starts with 0: {text}")
    return Version((numbers[0], numbers[1], numbers[2]), groups[5], groups[8], text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """One comparison; `loose` says how many of minor and patch were left open."""

    operator: str
    version: Version
    loose: int = 0
    anything: bool = False

    @property
    def dirty(self) -> bool:
        return self.loose > 0 or self.anything


def satisfies(version: str, constraint: str) -> bool:
    """Whether a version meets a constraint such as `>=1.2, <2 || ~3.1`."""
    groups = _parse_constraint(constraint)
    parsed = parse_version(version)
    return any(_all_hold(group, parsed) for group in groups)


def _all_hold(group: list[Constraint], version: Version) -> bool:
    """A pre-release only counts if the group names one."""
    if version.pre and not any(constraint.version.pre for constraint in group):
        return False
    return all(_CHECKS[constraint.operator](version, constraint) for constraint in group)


def _parse_constraint(text: str) -> list[list[Constraint]]:
    if len(text) > MAX_FORMAT:
        raise Panic(f"this constraint has {len(text)} characters; {MAX_FORMAT} are the most")
    for match in regexes.compiled(_RANGE).all_groups(text):
        text = text.replace(match[0], f">= {match[1]}, <= {match[11]} ", 1)
    return [_parse_group(group) for group in text.split("||")]


def _parse_group(text: str) -> list[Constraint]:
    if not regexes.compiled(_VALID).found(text):
        raise Panic(f'improper constraint: "{text}"')
    found = regexes.compiled(_FIND).all(text, -1)
    return [_parse_one(one) for one in found or [text]]


def _parse_one(text: str) -> Constraint:
    groups = regexes.compiled(_ONE).groups(text)
    if groups is None:
        raise Panic(f'improper constraint: "{text}"')
    operator, version, major, minor, patch, pre = groups[1:7]
    minor, patch = minor.lstrip("."), patch.lstrip(".")
    if major in _ANY:
        return replace(_constraint(operator, f"0.0.0{pre}"), anything=True)
    if minor in _ANY or not minor:
        return replace(_constraint(operator, f"{major}.0.0{pre}"), loose=2)
    if patch in _ANY or not patch:
        return replace(_constraint(operator, f"{major}.{minor}.0{pre}"), loose=1)
    return _constraint(operator, version)


def _constraint(operator: str, version: str) -> Constraint:
    try:
        return Constraint(operator=operator, version=parse_version(version))
    except Panic:
        raise Panic("constraint parser error") from None


def _not_equal(version: Version, constraint: Constraint) -> bool:
    if constraint.loose:
        same = 3 - constraint.loose
        if version.numbers[:same] != constraint.version.numbers[:same]:
            return True
        if constraint.loose == 1 and (version.pre or constraint.version.pre):
            return compare_pre(version.pre, constraint.version.pre) != 0
        return False
    return version.compare(constraint.version) != 0


def _greater(version: Version, constraint: Constraint) -> bool:
    if constraint.loose:
        same = 3 - constraint.loose
        return version.numbers[:same] > constraint.version.numbers[:same]
    if constraint.anything and version.numbers[0] != constraint.version.numbers[0]:
        return version.numbers[0] > constraint.version.numbers[0]
    return version.compare(constraint.version) > 0


def _at_most(version: Version, constraint: Constraint) -> bool:
    if not constraint.dirty:
        return version.compare(constraint.version) <= 0
    mine, other = version.numbers, constraint.version.numbers
    return mine[0] <= other[0] and not (mine[0] == other[0] and mine[1] > other[1] and constraint.loose != 2)


def _tilde(version: Version, constraint: Constraint) -> bool:
    """The same major and, if it was named, minor version."""
    if version.compare(constraint.version) < 0:
        return False
    if constraint.version.numbers == (0, 0, 0) and not constraint.loose:
        return True
    same = 1 if constraint.loose == 2 else 2
    return version.numbers[:same] == constraint.version.numbers[:same]


def _equal(version: Version, constraint: Constraint) -> bool:
    return _tilde(version, constraint) if constraint.dirty else version.compare(constraint.version) == 0


def _caret(version: Version, constraint: Constraint) -> bool:
    """The same up to the first number that is not 0."""
    mine, other = version.numbers, constraint.version.numbers
    if version.compare(constraint.version) < 0:
        return False
    if other[0] > 0 or constraint.loose == 2:
        return mine[0] == other[0]
    if mine[0] > 0:
        return False
    if other[1] > 0 or constraint.loose == 1:
        return mine[1] == other[1]
    return mine[1] == 0 and mine[2] == other[2]


_CHECKS: dict[str, Callable[[Version, Constraint], bool]] = {
    "": _equal,
    "=": _equal,
    "!=": _not_equal,
    ">": _greater,
    "<": lambda version, constraint: version.compare(constraint.version) < 0,
    ">=": lambda version, constraint: version.compare(constraint.version) >= 0,
    "=>": lambda version, constraint: version.compare(constraint.version) >= 0,
    "<=": _at_most,
    "=<": _at_most,
    "~": _tilde,
    "~>": _tilde,
    "^": _caret,
}


def _increased(index: int) -> Callable[[Version], VersionValue]:
    def increased(version: Version) -> VersionValue:
        numbers = [*version.numbers[:index], version.numbers[index] + 1, 0, 0]
        if numbers[index] >= _MAX:
            raise Panic("version increment would overflow uint64")
        return version.changed((numbers[0], numbers[1], numbers[2]))

    return increased


def _inc_patch(version: Version) -> VersionValue:
    return version.changed(version.numbers) if version.pre else _increased(2)(version)


def _set_pre(version: Version, pre: str) -> VersionValue:
    _check_parts(pre, "invalid prerelease string")
    return version.changed(version.numbers, pre, version.metadata)


def _set_metadata(version: Version, metadata: str) -> VersionValue:
    _check_parts(metadata, "invalid metadata string")
    return version.changed(version.numbers, version.pre, metadata)


def _check_parts(text: str, message: str) -> None:
    if text and not regexes.compiled(r"^[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*$").found(text):
        raise Panic(message)


def _method(name: str, call: Callable[..., Any], parameters: tuple[str, ...] = (), result: str = "interface {}") -> GoFunction:
    return GoFunction(name, call, parameters, result, flags="method slow")


_POINTER = ("*semver.Version",)
_VALUE_METHODS = {
    "Major": _method("Major", lambda version: Uint64(version.numbers[0])),
    "Minor": _method("Minor", lambda version: Uint64(version.numbers[1])),
    "Patch": _method("Patch", lambda version: Uint64(version.numbers[2])),
    "Prerelease": _method("Prerelease", lambda version: version.pre),
    "Metadata": _method("Metadata", lambda version: version.metadata),
    "String": _method("String", str),
    "IncMajor": _method("IncMajor", _increased(0)),
    "IncMinor": _method("IncMinor", _increased(1)),
    "IncPatch": _method("IncPatch", _inc_patch),
    "SetPrerelease": _method("SetPrerelease", _set_pre, ("string",)),
    "SetMetadata": _method("SetMetadata", _set_metadata, ("string",)),
    "MarshalText": _method("MarshalText", lambda version: str(version).encode()),
    "MarshalJSON": _method("MarshalJSON", lambda version: f'"{version}"'.encode()),
}
VersionValue.methods = dict(_VALUE_METHODS)
Version.methods = _VALUE_METHODS | {
    "Original": _method("Original", lambda version: version.original),
    "Compare": _method("Compare", Version.compare, _POINTER),
    "Equal": _method("Equal", lambda version, other: version.compare(other) == 0, _POINTER),
    "LessThan": _method("LessThan", lambda version, other: version.compare(other) < 0, _POINTER),
    "LessThanEqual": _method("LessThanEqual", lambda version, other: version.compare(other) <= 0, _POINTER),
    "GreaterThan": _method("GreaterThan", lambda version, other: version.compare(other) > 0, _POINTER),
    "GreaterThanEqual": _method("GreaterThanEqual", lambda version, other: version.compare(other) >= 0, _POINTER),
}
