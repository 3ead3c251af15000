r"""kubectl's jsonPath templates: `{.metadata.name}`, `{range .items[*]}{.name}{"\n"}{end}`.

In: a template, a JSON value.  Out: text; what is not there is left out, as kubectl does.
Kubernetes: client-go/util/jsonpath.  Another dialect than expr-lang's `jsonpath()`.
Must not know: workflows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError

Step = Callable[[Any], Iterator[Any]]
"""What one part of a path finds below a value."""


@dataclass(frozen=True, slots=True)
class Range:
    """`{range PATH}…{end}`."""

    path: tuple[Step, ...]
    body: tuple[Part, ...]


Part = str | tuple[Step, ...] | Range
"""Text as it stands, a path, or a range."""

_TEXT = re.compile(r"[^{]+")
_SPACE = re.compile(r"\s*")
_STRING = re.compile(r"\"((?:\\.|[^\"\\])*)\"|'((?:\\.|[^'\\])*)'")
_NAME = re.compile(r"(?:\\.|[^\s.\[\]{}()=<>!|&'\",*\\])+")
_WORD = re.compile(r"(range|end)\b")
_SUBSCRIPT = re.compile(r"(-?\d*)(?::(-?\d*)(?::(-?\d*))?)?")
_FILTER = re.compile(r"\?\(")
_OPERATOR = re.compile(r"\s*(==|!=|<=|>=|<|>)\s*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?![\w.])")
_CONSTANT = re.compile(r"(true|false|null)\b")
_CONSTANTS = {"true": True, "false": False, "null": None}
_DEEPEST = 50


def render(template: str, value: Any) -> str:
    """The text that the template makes of the value."""
    parser = _Parser(template)
    parts, ended = parser.parts(0)
    if ended:
        raise parser.error("'{end}' without a '{range …}' before it")
    return "".join(_render(parts, value))


def _render(parts: tuple[Part, ...], value: Any) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, Range):
            for one in _walk(part.path, value):
                yield from _render(part.body, one)
        else:
            yield " ".join(_text(found) for found in _walk(part, value))


def _walk(path: tuple[Step, ...], value: Any) -> Iterator[Any]:
    if not path:
        yield value
        return
    for found in path[0](value):
        yield from _walk(path[1:], found)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else gojson.dumps(value, sort_keys=True)


def _field(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _every(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (value[key] for key in sorted(value))
    elif isinstance(value, list):
        yield from value


def _descend(value: Any) -> Iterator[Any]:
    """The value and all below it."""
    yield value
    for below in _every(value):
        yield from _descend(below)


def _slice(first: str, last: str | None, stride: str | None) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if not isinstance(value, list):
            return
        if last is None:
            index = int(first)
            if -len(value) <= index < len(value):
                yield value[index]
            return
        yield from value[slice(int(first) if first else None, int(last) if last else None, int(stride) if stride else None)]

    return step


def _union(steps: list[Step]) -> Step:
    def step(value: Any) -> Iterator[Any]:
        for one in steps:
            yield from one(value)

    return step


def _filter(left: Operand, operator: str, right: Operand) -> Step:
    def step(value: Any) -> Iterator[Any]:
        yield from (one for one in _every(value) if _holds(left, operator, right, one))

    return step


Operand = Callable[[Any], list[Any]]


def _holds(left: Operand, operator: str, right: Operand, value: Any) -> bool:
    one = left(value)
    if operator == "exists":
        return bool(one)
    other = right(value)
    if not one or not other:
        return False
    a, b = one[0], other[0]
    if operator in ("==", "!="):
        return bool(a == b) is (operator == "==")
    if isinstance(a, str) is not isinstance(b, str) or not isinstance(a, str | int | float):
        raise ExprError(f"cannot compare {_text(a)} {operator} {_text(b)}")
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator])


class _Parser:
    """Reads a template."""

    def __init__(self, template: str) -> None:
        self._template = template
        self._at = 0

    def parts(self, depth: int) -> tuple[tuple[Part, ...], bool]:
        """(text | "{" action "}")*, and whether `{end}` ended them."""
        if depth > _DEEPEST:
            raise self.error("ranges are nested too deep")
        parts: list[Part] = []
        while self._at < len(self._template):
            if text := self._match(_TEXT):
                parts.append(text[0])
                continue
            self._expect("{")
            self._match(_SPACE)
            word = self._match(_WORD)
            if word and word[1] == "end":
                self._close()
                return tuple(parts), True
            if word:
                parts.append(self._range(depth))
                continue
            while not self._take("}"):
                parts.append(self._action())
                self._match(_SPACE)
        return tuple(parts), False

    def _range(self, depth: int) -> Range:
        self._match(_SPACE)
        path = self._path()
        self._close()
        body, ended = self.parts(depth + 1)
        if not ended:
            raise self.error("'{range …}' without its '{end}'")
        return Range(path, body)

    def _close(self) -> None:
        self._match(_SPACE)
        self._expect("}")

    def _action(self) -> Part:
        return _unquoted(string) if (string := self._match(_STRING)) else self._path()

    def _path(self) -> tuple[Step, ...]:
        begun = self._at
        if not self._take("$"):
            self._take("@")
        steps: list[Step] = []
        while (step := self._step()) is not None:
            steps.append(step)
        if self._at == begun:
            raise self.error("a path begins with '.', '[', '$' or '@'")
        return tuple(steps)

    def _step(self) -> Step | None:
        if self._take(".."):
            return _descend if self._peek() in "[*" else _union_below(self._name())
        if self._take("."):
            if self._peek() == "[" or self._ends():
                return _itself
            return _every if self._take("*") else _field(self._name())
        if self._take("["):
            return self._subscripts()
        return None

    def _subscripts(self) -> Step:
        steps = [self._subscript()]
        while self._take(","):
            steps.append(self._subscript())
        self._match(_SPACE)
        self._expect("]")
        return steps[0] if len(steps) == 1 else _union(steps)

    def _subscript(self) -> Step:
        self._match(_SPACE)
        if self._take("*"):
            return _every
        if self._match(_FILTER):
            return self._condition()
        if string := self._match(_STRING):
            return _field(_unquoted(string))
        found = self._match(_SUBSCRIPT)
        if not found or not found[0]:
            raise self.error("between [ and ] stands a number, a slice, a quoted name, * or ?(…)")
        return _slice(found[1], found[2], found[3])

    def _condition(self) -> Step:
        self._match(_SPACE)
        left, operator = self._operand(), "exists"
        right: Operand = left
        if found := self._match(_OPERATOR):
            operator, right = found[1], self._operand()
        self._match(_SPACE)
        self._expect(")")
        return _filter(left, operator, right)

    def _operand(self) -> Operand:
        if string := self._match(_STRING):
            text = _unquoted(string)
            return lambda _: [text]
        if constant := self._match(_CONSTANT):
            return lambda _: [_CONSTANTS[constant[1]]]
        if number := self._match(_NUMBER):
            return lambda _: [json.loads(number[0])]
        path = self._path()
        return lambda value: list(_walk(path, value))

    def _name(self) -> str:
        found = self._match(_NAME)
        if not found:
            raise self.error("a name is missing after '.'")
        return re.sub(r"\\(.)", r"\1", found[0])

    def _ends(self) -> bool:
        return self._peek() in ("", "}", " ")

    def _peek(self) -> str:
        return self._template[self._at : self._at + 1]

    def _take(self, text: str) -> bool:
        if self._template.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self.error(f"{text!r} is missing")

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._template, self._at)
        if found:
            self._at = found.end()
        return found

    def error(self, reason: str) -> ExprError:
        """At the place that was reached."""
        return ExprError(f"the jsonPath {self._template!r} cannot be read: {reason}", self._at)


def _itself(value: Any) -> Iterator[Any]:
    yield value


def _union_below(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        field = _field(name)
        for below in _descend(value):
            yield from field(below)

    return step


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def _unquoted(string: re.Match[str]) -> str:
    text = string[1] if string[1] is not None else string[2]
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text)
