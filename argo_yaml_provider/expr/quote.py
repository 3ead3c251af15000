r"""Text as Go quotes it (strconv.Quote): how Argo puts a value into a JSON document.

In: text.  Out: quoted text. Some of Go's escapes (`\a`, `\x1b`) are not JSON's; Argo then says "invalid JSON", and so do we.
Must not know: tags, expressions.
"""

from __future__ import annotations

_NAMED = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"'}
# Printable since Unicode 15.0, which Go knows and Python 3.11 (14.0) does not.
_UNICODE_15 = (
    (0x0CF3, 0x0CF3), (0x0ECE, 0x0ECE), (0x10EFD, 0x10EFF), (0x1123F, 0x11241), (0x11B00, 0x11B09), (0x11F00, 0x11F10),
    (0x11F12, 0x11F3A), (0x11F3E, 0x11F59), (0x13440, 0x13455), (0x1B132, 0x1B132), (0x1B155, 0x1B155), (0x1D2C0, 0x1D2D3),
    (0x1DF25, 0x1DF2A), (0x1E030, 0x1E06D), (0x1E08F, 0x1E08F), (0x1E4D0, 0x1E4F9), (0x1F6DC, 0x1F6DC), (0x1F774, 0x1F776),
    (0x1F77B, 0x1F77F), (0x1F7D9, 0x1F7D9), (0x1FA75, 0x1FA77), (0x1FA87, 0x1FA88), (0x1FAAD, 0x1FAAF), (0x1FABB, 0x1FABD),
    (0x1FABF, 0x1FABF), (0x1FACE, 0x1FACF), (0x1FADA, 0x1FADB), (0x1FAE8, 0x1FAE8), (0x1FAF7, 0x1FAF8), (0x31350, 0x323AF),
)  # fmt: skip


def quote(text: str) -> str:
    """`strconv.Quote(text)`, with its quotation marks."""
    return f'"{escape(text)}"'


def escape(text: str) -> str:
    """`strconv.Quote(text)` without its quotation marks."""
    if text.isprintable() and "\\" not in text and '"' not in text:
        return text
    return "".join(_escaped(char) for char in text)


def _escaped(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    if char.isprintable():
        return char
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:  # half a pair: no text in Go, which puts the replacement character
        return "\ufffd"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if any(low <= code <= high for low, high in _UNICODE_15):
        return char
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
