"""Words in and out of camelCase, snake_case and kebab-case.

In: text.  Out: text.
Must not know: functions. Library: github.com/huandu/xstrings, github.com/Masterminds/goutils.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from argo_yaml_provider.expr.functions_strings import SPACE, upper_char

_CONNECTORS = frozenset("-_" + SPACE)


def _is_upper(char: str) -> bool:
    """A capital letter; for Python, the numeral Ⅷ is one as well."""
    return char.isupper() and unicodedata.category(char) == "Lu"


def pascal_case(text: str) -> str:
    """`some_words` -> `SomeWords`; leading and doubled connectors stay, `GOLANG_IS_GREAT` -> `GolangIsGreat`."""
    rest = text.lstrip("".join(_CONNECTORS))
    made = [text[: len(text) - len(rest)]]
    if not rest:
        return text + text[-1:]  # its author's slip, which everybody has
    before, capital = upper_char(rest[0]), _is_upper(rest[0])
    for char in rest[1:]:
        written = char
        if before not in _CONNECTORS:
            capital = capital and _is_upper(char)
            written = char.lower()[0] if capital else char
            made.append(before)
        elif char in _CONNECTORS:
            made.append(before)
        else:
            capital, written = _is_upper(char), upper_char(char)
        before = written
    return "".join([*made, before])


def snake_case(text: str) -> str:
    return _Joined(text, "_").text()


def kebab_case(text: str) -> str:
    return _Joined(text, "-").text()


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
    """Any letter but an ideograph, as xstrings sees them."""
    if category[0] != "L":
        return False
    return not any(first <= char <= last for first, last in _IDEOGRAPHS)


_IDEOGRAPHS = (("\u3400", "\u4d85"), ("\u4e00", "\u9fcc"), ("\U00020000", "\U0002b81d"))


def _runs(text: str) -> Iterator[tuple[int, str]]:
    """Characters of one kind together; `-` and `_` behind other punctuation are punctuation."""
    start, kind = 0, _END
    for at, char in enumerate(text):
        here = _kind(char)
        if here == kind or (kind == _PUNCT and char in "-_"):
            continue
        if at:
            yield kind, text[start:at]
        start, kind = at, here
    if text:
        yield kind, text[start:]


def _words(text: str) -> list[tuple[int, str]]:
    """The text cut into words; `HTTPStatus` is HTTP and Status, `Status` is one word."""
    words: list[tuple[int, str]] = []
    for kind, word in _runs(text):
        if kind == _ALPHABET and words and words[-1][0] == _UPPER:
            _, capitals = words.pop()
            if capitals[:-1]:
                words.append((_UPPER, capitals[:-1]))
            words.append((_UPPER, capitals[-1] + word))
        else:
            words.append((kind, word))
    return words


class _Joined:
    """Puts words together again, in small letters with connectors between them."""

    def __init__(self, text: str, connector: str) -> None:
        self.words, self.connector, self.made = _words(text), connector, list[str]()
        self.at = 0

    @property
    def kind(self) -> int:
        return self.words[self.at][0] if self.at < len(self.words) else _END

    @property
    def last(self) -> bool:
        return self.at >= len(self.words) - 1

    def put(self) -> None:
        """Write the word and go on."""
        if self.at < len(self.words):
            kind, word = self.words[self.at]
            self.made.append(_lowered(word, self.connector) if kind in (_UPPER, _CONNECTOR) else word)
            self.at += 1

    def put_run(self) -> None:
        while self.kind in (_ALPHABET, _NUMBER):
            self.put()
        self.connect()

    def connect(self) -> None:
        if self.kind not in _BREAKS:
            self.made.append(self.connector)

    def text(self) -> str:
        while not self.last:
            kind = self.kind
            self.put()
            if kind == _NUMBER:
                self.put_run()
            elif kind in (_UPPER, _ALPHABET, _OTHER):
                self.put_between()
        self.put()
        return "".join(self.made)

    def put_between(self) -> None:
        """What comes behind letters: a connector, or a number that may belong to them."""
        if self.kind != _NUMBER:
            self.connect()
        elif not self.last and self.words[self.at + 1][0] == _ALPHABET:
            self.made.append(self.connector)  # lower-case letters behind a number: the number begins a word
            self.put()
            self.put_run()
        elif not self.last:
            self.put()
            self.connect()


def _lowered(word: str, connector: str) -> str:
    return "".join(connector if char in _CONNECTORS else char.lower()[0] if _is_upper(char) else char for char in word)


def swap_case(text: str) -> str:
    """Small letters become capitals, and capitals small; the first letter of a word becomes one of a title (ǆ -> ǅ)."""
    made, begins = [], True
    for char in text:
        category = unicodedata.category(char)
        if category == "Ll":
            made.append(_title_char(char) if begins else upper_char(char))
        else:
            made.append(char.lower()[0] if category in ("Lu", "Lt") else char)
        begins = category not in ("Ll", "Lu", "Lt") and char in SPACE
    return "".join(made)


def uncapitalize(text: str) -> str:
    """The first letter of every word made small."""
    pairs = zip(" " + text, text, strict=False)
    return "".join(char.lower()[0] if before in SPACE and char not in SPACE else char for before, char in pairs)


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
