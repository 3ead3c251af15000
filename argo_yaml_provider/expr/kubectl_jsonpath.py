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
from argo_yaml_provider.expr.rendering import render_go
from argo_yaml_provider.expr.values import wrap

Step = Callable[[list[Any]], list[Any]]
"""What one part of a path finds below the values found so far."""


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
            for one in _walk(part.path, [value]):
                yield from _render(part.body, one)
        else:
            yield " ".join(map(_text, _walk(part, [value])))


def _walk(path: tuple[Step, ...], values: list[Any]) -> list[Any]:
    for step in path:
        values = step(values)
    return values


def _text(value: Any) -> str:
    """Lists and maps as JSON, all else as Go prints it."""
    if isinstance(value, dict | list):
        return gojson.dumps(value, sort_keys=True)
    return "null" if value is None else render_go(_number(value))


def _number(value: Any) -> Any:
    """A whole number beyond 64 bits is a float for Kubernetes."""
    return float(value) if type(value) is int and value != wrap(value) else value


def _field(name: str) -> Step:
    return lambda values: [value[name] for value in values if isinstance(value, dict) and name in value]


def _every(values: list[Any]) -> list[Any]:
    return [below for value in values for below in _below(value)]


def _below(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return value if isinstance(value, list) else []


def _descend(values: list[Any]) -> list[Any]:
    """The lists and maps among the values, and all below them."""
    found: list[Any] = []
    for value in values:
        below = _below(value)
        if below:
            found += [value, *_descend(below)]
    return found


def _element(index: int) -> Step:
    return _cut(index, index + 1, 1, to_the_end=index == -1)


def _cut(first: int, last: int | None, stride: int, *, to_the_end: bool = False) -> Step:
    """Unlike Python's, such a slice must lie within the list."""

    def step(values: list[Any]) -> list[Any]:
        return [item for value in values if value is not None for item in cut(value)]

    def cut(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ExprError(f"{_text(value)} is not array or slice")
        size = len(value)
        start = first + size if first < 0 else first
        end = size if last is None or to_the_end else last + size if last < 0 else last
        if start == end:
            return []
        for index in (start, end - 1):
            if not 0 <= index < size:
                raise ExprError(f"array index out of bounds: index {index}, length {size}")
        if start > end:
            raise ExprError(f"starting index {start} is greater than ending index {end}")
        if stride <= 0:
            raise ExprError("step must be > 0")
        return value[start:end:stride]

    return step


def _union(steps: list[Step]) -> Step:
    return lambda values: [found for step in steps for found in step(values)]


def _filter(left: Operand, operator: str, right: Operand) -> Step:
    def step(values: list[Any]) -> list[Any]:
        for value in values:
            if not isinstance(value, list):
                raise ExprError(f"{_text(value)} is not array or slice and cannot be filtered")
        return [one for value in values for one in value if _holds(left, operator, right, one)]

    return step


Operand = Callable[[Any], list[Any]]


def _holds(left: Operand, operator: str, right: Operand, value: Any) -> bool:
    if operator == "exists":
        try:
            return bool(left(value))
        except ExprError:
            return False
    one = left(value)
    other = right(value) if one else []
    if not one or not other:
        return False
    if len(one) > 1 or len(other) > 1:
        raise ExprError("can only compare one element at a time")
    return _compared(_number(one[0]), operator, _number(other[0]))


def _compared(a: Any, operator: str, b: Any) -> bool:
    if type(a) is not type(b) or type(a) not in (bool, int, float, str) or (type(a) is bool and operator not in ("==", "!=")):
        raise ExprError(f"cannot compare {_text(a)} {operator} {_text(b)}: incompatible types for comparison")
    return bool({"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator])


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
            parts += self._actions()
        return tuple(parts), False

    def _actions(self) -> list[Part]:
        """What stands between braces, one after the other; nothing there is the value itself."""
        actions: list[Part] = []
        while not self._take("}"):
            actions.append(self._action())
            self._match(_SPACE)
        return actions or [()]

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
            return _descend if self._peek() in "[*" else _field_below(self._name())
        if self._take("."):
            if self._peek() == "[" or self._ends():
                return _field("")
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
        if found[2] is None:
            return _element(int(found[1]))
        return _cut(int(found[1] or 0), int(found[2]) if found[2] else None, int(found[3]) if found[3] else 1)

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
        return lambda value: _walk(path, [value])

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


def _field_below(name: str) -> Step:
    field = _field(name)
    return lambda values: field(_descend(values))


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def _unquoted(string: re.Match[str]) -> str:
    text = string[1] if string[1] is not None else string[2]
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text)
