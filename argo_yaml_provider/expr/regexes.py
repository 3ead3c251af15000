"""Regular expressions as Go has them: RE2, whose cost grows with the text and never with the pattern's cleverness.

In: a pattern, a text.  Out: matches, parts, replaced text.
Must not know: which function asks. Library: google-re2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.limits import MAX_MATCHES, MAX_PATTERN, PATTERN_MEMORY, check_length

_ESCAPED = re.compile(r"\\Q.*?(?:\\E|\Z)|\\(.)", re.DOTALL)
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class Regex:
    """One compiled pattern. It works on UTF-8, so that offsets are Go's and broken text is no error."""

    __slots__ = ("_pattern",)

    def __init__(self, pattern: Any) -> None:
        self._pattern = pattern

    def found(self, text: str | bytes) -> bool:
        return self._pattern.search(_raw(text)) is not None

    def first(self, text: str) -> str:
        """The first match, or nothing."""
        match = self._pattern.search(_raw(text))
        return _text(match.group()) if match else ""

    def groups(self, text: str) -> tuple[str, ...] | None:
        """The first match and its groups, empty where they took no part; None without a match."""
        return next(self.all_groups(text), None)

    def all_groups(self, text: str) -> Iterator[tuple[str, ...]]:
        """`groups` of every match."""
        count = self._pattern.groups + 1
        for match in self._matches(_raw(text), -1):
            yield tuple(_text(match.group(index) or b"") for index in range(count))

    def all(self, text: str, most: int) -> list[str]:
        """The matches, `most` of them at most, or all if it is negative."""
        raw = _raw(text)
        return [_text(raw[match.start() : match.end()]) for match in self._matches(raw, most)]

    def split(self, text: str, most: int) -> list[str]:
        """Go's Regexp.Split."""
        if most == 0:
            return []
        if self._pattern.pattern and not text:
            return [""]
        raw, parts, start, end = _raw(text), list[bytes](), 0, 0
        for match in self._matches(raw, most):
            if most > 0 and len(parts) == most - 1:
                break
            end = match.start()
            if match.end() != 0:
                parts.append(raw[start:end])
            start = match.end()
        if end != len(raw):
            parts.append(raw[start:])
        return [_text(part) for part in parts]

    def replace(self, text: str, template: str) -> str:
        """Every match replaced; `$1`, `${1}` and `${name}` in the template stand for groups."""
        return self._replace(text, lambda match: self._expanded(match, template))

    def replace_literal(self, text: str, replacement: str) -> str:
        raw = _raw(replacement)
        return self._replace(text, lambda _: raw)

    def _replace(self, text: str, replacement: Callable[[Any], bytes]) -> str:
        raw, parts, at, size = _raw(text), list[bytes](), 0, 0
        for match in self._matches(raw, -1):
            parts += [raw[at : match.start()], replacement(match)]
            size += len(parts[-1])
            check_length(size)
            at = match.end()
        return _text(b"".join([*parts, raw[at:]]))

    def _matches(self, raw: bytes, most: int) -> Iterator[Any]:
        """Matches from left to right; an empty one right behind another match does not count."""
        at, before, left = 0, -1, MAX_MATCHES
        while at <= len(raw) and most != 0:
            left -= 1
            if left < 0:
                raise Panic(f"a regular expression may match {MAX_MATCHES} times at most")
            match = self._pattern.search(raw, at)
            if match is None:
                return
            if match.end() != match.start() or match.start() != before:
                most -= 1
                yield match
            before = match.end()
            at = before if match.end() > match.start() else before + _width(raw, before)
            if match.end() == match.start():
                before = match.end()

    def _expanded(self, match: Any, template: str) -> bytes:
        parts, rest = [], template
        while rest:
            plain, dollar, rest = rest.partition("$")
            parts.append(_raw(plain))
            if not dollar:
                break
            name, rest = _group_name(rest)
            parts.append(b"$" if name is None else self._group(match, name))
        return b"".join(parts)

    def _group(self, match: Any, name: str) -> bytes:
        if name == "$":
            return b"$"
        if name.isdigit():
            return match.group(int(name)) or b"" if len(name) < 10 and int(name) <= self._pattern.groups else b""
        index = self._pattern.groupindex.get(_raw(name))
        return (match.group(index) or b"") if index else b""


def _group_name(rest: str) -> tuple[str | None, str]:
    """The name that follows a `$`, and what stands behind it; None if no name follows."""
    if rest.startswith("$"):
        return "$", rest[1:]
    braced = rest.startswith("{")
    start = 1 if braced else 0
    end = start
    while end < len(rest) and (rest[end] in _WORD or (not rest[end].isascii() and rest[end].isalnum())):
        end += 1
    if end == start or (braced and rest[end : end + 1] != "}"):
        return None, rest
    return rest[start:end], rest[end + braced :]


def _width(raw: bytes, at: int) -> int:
    """How many bytes the character at this place has."""
    if at >= len(raw) or raw[at] < 0xC0:
        return 1
    return 2 if raw[at] < 0xE0 else 3 if raw[at] < 0xF0 else 4


def _raw(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Regex:
    """The pattern, ready to use; a Panic says what is wrong with it."""
    import re2

    if len(pattern) > MAX_PATTERN:
        raise Panic(f"this regular expression has {len(pattern)} characters; {MAX_PATTERN} are the most")
    if any(match[1] == "C" for match in _ESCAPED.finditer(pattern)):  # a single byte: RE2 has it, Go has not
        raise Panic(f"error parsing regexp: invalid escape sequence: `\\C`: `{pattern}`")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    try:
        return Regex(re2.compile(_raw(pattern), options))
    except re2.error as error:
        raise Panic(f"error parsing regexp: {_reason(error)}: `{pattern}`") from None


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else "invalid pattern"
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


def quoted(text: str) -> str:
    """The pattern that matches this text and nothing else."""
    return "".join("\\" + char if char in r"\.+*?()|[]{}^$" else char for char in text)
