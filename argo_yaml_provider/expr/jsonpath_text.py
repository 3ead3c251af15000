"""A JSONPath cut into its parts.

In: `$.a['b'][0]`.  Out: parts: root, key a, key b, index 0; a Panic says what is no path.
Must not know: values. Library: github.com/evilmonkeyinc/jsonpath 0.8.1, token/token.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from argo_yaml_provider.expr.errors import Panic

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}\Z")
_SIMPLE = {"$": "root", "@": "current", "*": "wildcard", "..": "recursive", "length": "length"}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a path; the arguments of a range or union may be parts of kind `expression`."""

    kind: str
    arguments: tuple[Any, ...] = ()


class _Splitter:
    """Reads a path character by character, and knows the quotes and brackets it is in."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.text = ""
        self.quotes = self.round = self.square = 0

    def read(self, char: str) -> None:
        if not self.text:
            self.quotes = self.round = 0
        self.quotes += char == "'"
        self.round += (char == "(") - (char == ")")
        self.square += (char == "[") - (char == "]")
        self.text += char
        if self.text == ".":
            return
        if self.text == "..":
            self.end("..", "")
        elif char == "[":
            self.open_bracket()
        elif "[" in self.text:
            if char == "]" and not self.inside and self.square == 0:
                self.end(self.text.removeprefix("."), "")
        elif char == "." and not self.inside:
            self.end(self.text[:-1].removeprefix("."), ".")

    @property
    def inside(self) -> bool:
        """In quotes or in a script."""
        return self.quotes % 2 == 1 or self.round != 0

    def open_bracket(self) -> None:
        if self.text not in ("[", ".[") and self.text.count("[") == 1:
            self.end(self.text[:-1].removeprefix("."), "[")

    def end(self, part: str, begun: str) -> None:
        self.parts.append(part)
        self.text = begun


def split_path(path: str) -> list[str]:
    """The texts of the parts."""
    if not path:
        raise Panic("unexpected token '' at index 0")
    if path[0] not in "$@":
        raise Panic(f"unexpected token '{path[0]}' at index 0")
    if len(path) > 1 and path[1] not in ".[":
        raise Panic(f"unexpected token '{path[1]}' at index 1")
    splitter = _Splitter()
    for char in path[1:]:
        splitter.read(char)
    rest = [splitter.text.removeprefix(".")] if splitter.text else []
    return [path[0], *splitter.parts, *rest]


def parse_part(text: str) -> Part:
    """The part that a text stands for."""
    text = text.strip()
    if not text:
        raise Panic("invalid token. token string is empty")
    if text in _SIMPLE:
        return Part(_SIMPLE[text])
    if not text.startswith("["):
        return Part("key", (text,))
    inner = text[1:-1].strip() if text.endswith("]") else ""
    if not inner:
        raise _bad(text)
    if inner == "*":
        return Part("wildcard")
    if inner.startswith("?"):
        if not (inner.startswith("?(") and inner.endswith(")")):
            raise _bad(text)
        return Part("filter", (inner[2:-1].strip(),))
    return _subscript(_Arguments(text).read(inner), text)


def _bad(text: str) -> Panic:
    return Panic(f"invalid token. '{text}' does not match any token format")


def _is_script(text: str) -> bool:
    return len(text) > 2 and text.startswith("(") and text.endswith(")")


def _is_key(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] and text[0] in "'\""


class _Arguments:
    """Reads what stands between brackets into numbers, quoted keys, scripts, colons and commas."""

    def __init__(self, text: str) -> None:
        self.whole = text
        self.found: list[Any] = []
        self.text = ""
        self.open = self.closed = 0
        self.quote = ""

    def read(self, inner: str) -> list[Any]:
        for index, char in enumerate(inner):
            self.text += char
            if char in "'\"":
                self.read_quote(char)
            elif char == ")":
                self.read_closing()
            elif char == "(" and not self.quote:
                self.open += 1
            elif not self.quote and self.open == self.closed:
                self.read_plain(char, first=index == 0)
        if self.text:
            self.found.append(_number(self.text))
        return self.found

    def read_plain(self, char: str, *, first: bool) -> None:
        if char == " ":
            self.text = self.text.strip(" ")
        elif char in ":,":
            argument, self.text = self.text[:-1], ""
            self.separate(argument, char, first=first)

    def separate(self, argument: str, separator: str, *, first: bool) -> None:
        if argument:
            number = _number(argument)
            if separator == ":" and isinstance(number, str):
                raise _bad(self.whole)
            self.found.append(number)
        elif separator == ":" and first:
            self.found.append(None)
        self.found.append(Part(separator))

    def read_closing(self) -> None:
        self.closed += 1
        if self.open == self.closed:
            if not _is_script(self.text):
                raise Panic(f"invalid expression. invalid format '{self.text}'")
            self.found.append(self.text)
            self.text = ""

    def read_quote(self, char: str) -> None:
        if (self.quote and self.quote != char) or self.open != self.closed:
            return
        if self.text[-2:-1] == "\\":
            self.text = self.text[:-2] + char
            return
        if not self.quote:
            if self.text != char:
                raise _bad(self.whole)
            self.quote = char
            return
        self.quote = ""
        if not _is_key(self.text):
            raise _bad(self.whole)
        self.found.append(self.text)
        self.text = ""


def _number(text: str) -> int | str:
    return int(text) if _INTEGER.match(text) else text


def _subscript(found: list[Any], text: str) -> Part:
    if len(found) == 1:
        return _single(found[0], text)
    colons, commas = found.count(Part(":")), found.count(Part(","))
    if bool(colons) == bool(commas):
        raise _bad(text)
    if commas:
        members = [item for item in found if item != Part(",")]
        if commas >= len(members):
            raise _bad(text)
        return Part("union", tuple(_member(item, text) for item in members))
    return _range(found, colons, text)


def _single(argument: Any, text: str) -> Part:
    if isinstance(argument, int):
        return Part("index", (argument,))
    if isinstance(argument, str) and _is_key(argument):
        return Part("key", (argument[1:-1],))
    if isinstance(argument, str) and _is_script(argument):
        return Part("script", (argument[1:-1],))
    raise _bad(text)


def _member(argument: Any, text: str) -> Any:
    if isinstance(argument, int):
        return argument
    if isinstance(argument, str) and _is_script(argument):
        return Part("expression", (argument[1:-1],))
    if isinstance(argument, str) and _is_key(argument):
        return argument[1:-1]
    raise _bad(text)


def _range(found: list[Any], colons: int, text: str) -> Part:
    if colons > 2:
        raise _bad(text)
    bounds, before = list[Any](), False
    for item in found:
        if item == Part(":"):
            if before:
                bounds.append(None)
            before = True
            continue
        bounds.append(item)
        before = False
    if colons == 1 and len(bounds) == 1:
        bounds.append(None)
    if len(bounds) < 2:
        raise _bad(text)
    return Part("range", tuple(_bound(bound) for bound in bounds[:3]))


def _bound(bound: Any) -> Any:
    if not isinstance(bound, str):
        return bound
    if not _is_script(bound):
        raise Panic(f"invalid expression. invalid format '{bound}'")
    return Part("expression", (bound[1:-1],))
