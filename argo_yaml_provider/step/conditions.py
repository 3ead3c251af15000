"""When a resource has succeeded or failed: Kubernetes' label selectors, whose labels are paths into the object.

In: `status.phase == Succeeded, status.failed > 0`, an object.  Out: the first requirement that holds, or whether all do.
Argo: workflow/executor/resource.go, matchConditions. Kubernetes: apimachinery/pkg/labels/selector.go, gjson paths.
Must not know: HTTP.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from argo_yaml_provider.diagnostics import RunError

Json = dict[str, Any]

_TOKEN = re.compile(r"\s*(==|!=|=|!|>|<|,|\(|\)|[^\s=!><,()]+)")
_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_SYMBOLS = {"=", "==", "!=", ">", "<"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One of the comparisons that a comma separates."""

    path: str
    operator: str
    """`exists`, `!`, `in`, `notin`, or a symbol."""
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As Kubernetes writes it."""
        if self.operator in ("exists", "!"):
            return self.path if self.operator == "exists" else f"!{self.path}"
        if self.operator in ("in", "notin"):
            return f"{self.path} {self.operator} ({','.join(sorted(self.values))})"
        return f"{self.path}{self.operator}{self.values[0]}"

    def holds(self, document: Json) -> bool:
        """Whether the object is so; a path that leads nowhere is unequal to everything."""
        there, text = look_up(document, self.path)
        match self.operator:
            case "exists":
                return there
            case "!":
                return not there
            case "!=" | "notin":
                return not there or text not in self.values
            case ">" | "<":
                return there and _compares(text, self.operator, self.values[0])
            case _:
                return there and text in self.values


def parse_conditions(text: str) -> tuple[Requirement, ...]:
    """The requirements, by path, as Kubernetes sorts them."""
    parser = _Parser(text)
    found = list(parser.requirements())
    return tuple(sorted(found, key=lambda requirement: requirement.path))


def first_that_holds(requirements: tuple[Requirement, ...], document: Json) -> Requirement | None:
    """Of a failureCondition: any is enough."""
    return next((requirement for requirement in requirements if requirement.holds(document)), None)


def all_hold(requirements: tuple[Requirement, ...], document: Json) -> bool:
    """Of a successCondition."""
    return all(requirement.holds(document) for requirement in requirements)


def look_up(document: Any, path: str) -> tuple[bool, str]:
    """Whether the path leads anywhere, and what stands there as text."""
    value = document
    for key in path.split("."):
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return False, ""
    return True, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _compares(text: str, operator: str, bound: str) -> bool:
    if not _INTEGER.fullmatch(text):
        return False
    return int(text) > int(bound) if operator == ">" else int(text) < int(bound)


class _Parser:
    """Reads `key op value, …`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def requirements(self) -> Iterator[Requirement]:
        """requirement ("," requirement)*"""  # noqa: D403 - a grammar rule
        if not self._tokens:
            return
        yield self._requirement()
        while self._peek() is not None:
            self._expect(",")
            yield self._requirement()

    def _requirement(self) -> Requirement:
        if self._peek() == "!":
            self._take()
            return Requirement(path=self._key(), operator="!")
        path, following = self._key(), self._peek()
        if following in (None, ","):
            return Requirement(path=path, operator="exists")
        operator = self._take()
        if operator in ("in", "notin"):
            return Requirement(path=path, operator=operator, values=self._values())
        if operator not in _SYMBOLS:
            raise self._error(f"found {operator!r}, expected: in, notin, =, ==, !=, >, <")
        value = self._value()
        if operator in "><" and not _INTEGER.fullmatch(value):
            raise self._error(f"for {operator!r} the value must be a whole number, and {value!r} is none")
        return Requirement(path=path, operator=operator, values=(value,))

    def _values(self) -> tuple[str, ...]:
        self._expect("(")
        values = [self._value()]
        while self._peek() == ",":
            self._take()
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _key(self) -> str:
        key = self._take()
        if not _KEY.fullmatch(key):
            raise self._error(f"{key!r} is no path: letters, digits, '-', '_' and dots between them")
        return key

    def _value(self) -> str:
        if self._peek() in (None, ",", ")"):
            return ""
        value = self._take()
        if not _VALUE.fullmatch(value):
            raise self._error(f"{value!r} is no label value: letters, digits, '-', '_' and '.', without quotes")
        return value

    def _peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self) -> str:
        token = self._peek()
        if token is None:
            raise self._error("it ends too early")
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        found = self._take()
        if found != token:
            raise self._error(f"found {found!r}, expected: {token!r}")

    def _error(self, reason: str) -> RunError:
        message = f"the condition {self._text!r} cannot be read: {reason}"
        return RunError(message, help="write, for example: status.phase == Succeeded")
