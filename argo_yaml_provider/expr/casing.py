"""Words in and out of camelCase, snake_case and kebab-case.

In: text.  Out: text.
Must not know: functions. Library: github.com/huandu/xstrings, github.com/Masterminds/goutils.
"""

from __future__ import annotations

import unicodedata
from itertools import groupby

from argo_yaml_provider.expr.functions_strings import SPACE, upper_char

_CONNECTORS = frozenset("-_" + SPACE)


def pascal_case(text: str) -> str:
    """`some_words` -> `SomeWords`; leading and doubled connectors stay, `GOLANG_IS_GREAT` -> `GolangIsGreat`."""
    rest = text.lstrip("".join(_CONNECTORS))
    made = [text[: len(text) - len(rest)]]
    if not rest:
        return text
    before, capital = upper_char(rest[0]), rest[0].isupper()
    for char in rest[1:]:
        if char in _CONNECTORS and before in _CONNECTORS:
            made.append(before)
        elif before in _CONNECTORS:
            capital, char = char.isupper(), upper_char(char)
        else:
            capital = capital and char.isupper()
            if capital:
                char = char.lower()[0]
            made.append(before)
        before = char
    return "".join([*made, before])


def snake_case(text: str) -> str:
    return _joined(text, "_")


def kebab_case(text: str) -> str:
    return _joined(text, "-")


_NUMBER, _UPPER, _ALPHABET, _CONNECTOR, _PUNCT, _OTHER, _END = range(7)
_BREAKS = frozenset({_END, _CONNECTOR, _PUNCT})


def _kind(char: str) -> int:
    category = unicodedata.category(char)
    if char in _CONNECTORS:
        return _CONNECTOR
    if category[0] == "P":
        return _PUNCT
    if category == "Lu":
        return _UPPER
    if category[0] == "N":
        return _NUMBER
    return _ALPHABET if category[0] in "LM" and _is_alphabet(char, category) else _OTHER


def _is_alphabet(char: str, category: str) -> bool:
    """Letters of scripts that know upper and lower case, as xstrings sees them."""
    if category[0] != "L":
        return False
    code = ord(char)
    return not (0x2E80 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7AF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code)


def _words(text: str) -> list[tuple[int, str]]:
    """The text cut into words; `HTTPStatus` is HTTP and Status, `Status` is one word."""
    words: list[tuple[int, str]] = []
    for kind, chars in groupby(text, _kind):
        word = "".join(chars)
        if kind == _ALPHABET and words and words[-1][0] == _UPPER:
            _, capitals = words.pop()
            if capitals[:-1]:
                words.append((_UPPER, capitals[:-1]))
            words.append((_UPPER, capitals[-1] + word))
        else:
            words.append((kind, word))
    return words


class _Words:
    """The words one after the other, then an end that repeats."""

    def __init__(self, text: str) -> None:
        self.words, self.at = _words(text), -1
        self.step()

    def step(self) -> None:
        self.at += 1
        self.kind, self.word = self.words[self.at] if self.at < len(self.words) else (_END, "")

    @property
    def last(self) -> bool:
        return self.at >= len(self.words) - 1


def _joined(text: str, connector: str) -> str:
    words, made = _Words(text), list[str]()

    def put(kind: int, word: str) -> None:
        made.append(_lowered(word, connector) if kind in (_UPPER, _CONNECTOR) else word)

    def put_run() -> None:
        while words.kind in (_ALPHABET, _NUMBER):
            put(words.kind, words.word)
            words.step()

    def connect() -> None:
        if words.kind not in _BREAKS:
            made.append(connector)

    while not words.last:
        before, word = words.kind, words.word
        if before != _CONNECTOR:
            put(before, word)
        words.step()
        if before == _NUMBER:
            put_run()
            connect()
        elif before == _CONNECTOR:
            put(before, word)
        elif before != _PUNCT and words.kind != _NUMBER:
            connect()
        elif before != _PUNCT and not words.last:
            number = words.word
            words.step()
            if words.kind != _ALPHABET:
                put(_NUMBER, number)
                connect()
            else:  # lower-case letters behind a number: the number begins a word
                made.append(connector)
                put(_NUMBER, number)
                put_run()
                connect()
    put(words.kind, words.word)
    return "".join(made)


def _lowered(word: str, connector: str) -> str:
    return "".join(connector if char in _CONNECTORS else char.lower()[0] if char.isupper() else char for char in word)


def swap_case(text: str) -> str:
    """Upper to lower, lower to upper, but a word's first small letter stays what title case makes of it."""
    made, gap = [], True
    for char in text:
        if char.isupper() or unicodedata.category(char) == "Lt":
            char, gap = char.lower()[0], False
        elif char.islower():
            char, gap = upper_char(char), False
        else:
            gap = char in SPACE
        made.append(char)
    return "".join(made)


def uncapitalize(text: str) -> str:
    """The first letter of every word made small."""
    made, gap = [], True
    for char in text:
        if char in SPACE:
            gap = True
        elif gap:
            char, gap = char.lower()[0], False
        made.append(char)
    return "".join(made)


def title(text: str) -> str:
    """Go's strings.Title: what follows anything but a letter, digit or underscore becomes title case."""
    made, before = [], " "
    for char in text:
        made.append(_title_char(char) if _separates(before) else char)
        before = char
    return "".join(made)


def _title_char(char: str) -> str:
    made = char.title()
    return made if len(made) == 1 else char


def _separates(char: str) -> bool:
    if char.isascii():
        return not (char.isalnum() or char == "_")
    return char in SPACE if not char.isalnum() else False


def initials(raw: bytes) -> str:
    """The first byte of every word, each taken for a character."""
    made, gap = [], True
    for byte in raw:
        char = chr(byte)
        if char in SPACE:
            gap = True
        elif gap:
            made.append(char)
            gap = False
    return "".join(made)


def wrap(raw: bytes, width: int, newline: bytes, *, long_words: bool) -> bytes:
    """Lines of at most so many bytes; words that are longer are cut, or left long."""
    width, at, made = max(width, 1), 0, list[bytes]()
    while len(raw) - at > width:
        if raw[at : at + 1] == b" ":
            at += 1
            continue
        space = raw.rfind(b" ", at, at + width + 1)
        if space < 0 and long_words:
            made += [raw[at : at + width], newline]
            at += width
            continue
        if space < 0:
            space = raw.find(b" ", at + width)
            if space < 0:
                break
        made += [raw[at:space], newline]
        at = space + 1
    return b"".join([*made, raw[at:]])


def abbreviate(raw: bytes, offset: int, width: int) -> bytes:
    """At most so many bytes, with `...` for what is left out before and behind the offset."""
    if width < 4 or len(raw) <= width:
        return b"" if width < 4 else raw
    offset = min(offset, len(raw))
    if len(raw) - offset < width - 3:
        offset = len(raw) - (width - 3)
    if offset <= 4:
        return raw[: width - 3] + b"..."
    if width < 7:
        return b""
    if offset + width - 3 < len(raw):
        return b"..." + abbreviate(raw[offset:], 0, width - 3)
    return b"..." + raw[len(raw) - (width - 3) :]
