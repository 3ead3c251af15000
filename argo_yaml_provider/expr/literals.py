"""The literals of expr-lang: what a number or a quoted string in the source stands for.

In: a token's text and its offset.  Out: int, float, str or bytes; an ExprError points at the escape that is wrong.
Must not know: the grammar. expr-lang: parser/lexer/utils.go.
"""

from __future__ import annotations

import re

from argo_yaml_provider.expr.errors import ExprError

INT_MAX = 2**63 - 1
_ESCAPE = re.compile(
    r"\\(?:u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.DOTALL
)
_NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_PREFIXES = (("0x", 16, "hex"), ("0b", 2, "binary"), ("0o", 8, "octal"))


def number(text: str, offset: int) -> int | float:
    """`0x1F`, `0b1`, `0o7`, `1_000` are ints; anything else with a dot or an exponent is a float."""
    plain = text.replace("_", "").lower()
    if not plain.startswith("0x") and ("." in plain or "e" in plain):
        return _float(plain, text, offset)
    for prefix, base, kind in _PREFIXES:
        if plain.startswith(prefix):
            return _integer(plain[2:], base, f"invalid {kind} literal: {text}", (offset, len(text)))
    return _integer(plain, 10, f"invalid integer literal: {text}", (offset, len(text)))


def _float(plain: str, text: str, offset: int) -> float:
    try:
        value = float(plain)
    except ValueError:
        raise ExprError(f"invalid float literal: {text}", offset, len(text)) from None
    if value == float("inf"):
        raise ExprError(f"invalid float literal: {text} is out of range", offset, len(text))
    return value


def _integer(digits: str, base: int, message: str, place: tuple[int, int]) -> int:
    if len(digits) > 80:  # int() is slow on long texts, and nothing this long fits 64 bits
        raise ExprError(f"{message} is out of range", *place)
    try:
        value = int(digits, base)
    except ValueError:
        raise ExprError(message, *place) from None
    if value > INT_MAX:
        raise ExprError(f"{message} is out of range", *place)
    return value


def string(text: str, offset: int) -> str:
    r"""`'it\'s'` or `"…"`; within one kind of quotes the other kind needs no escape, and may have none."""
    body = text[1:-1].replace("\r\n", "\n").replace("\r", "\n")
    if "\\" not in body:
        return body
    return _ESCAPE.sub(lambda match: _escaped(match, text[0], offset), body)


def _escaped(match: re.Match[str], quote: str, offset: int) -> str:
    braced, two, four, eight, octal, named = match.groups()
    if named is not None:
        char = quote if named == quote else _NAMED.get(named)
        if char is None:
            raise ExprError(f"invalid char escape: {match[0]}", offset + 1 + match.start(), len(match[0]))
        return char
    code = int(octal, 8) if octal else int(braced or two or four or eight, 16)
    if code > 0x10FFFF:
        raise ExprError(f"unable to unescape string: {match[0]} is no character", offset + 1 + match.start(), len(match[0]))
    return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)


def raw_string(text: str) -> str:
    """`` `…` ``: nothing is an escape, but a doubled backtick stands for one."""
    return text[1:-1].replace("``", "`")


def byte_string(text: str, offset: int) -> bytes:
    r"""`b'\xff'`: escapes are single bytes, other characters their UTF-8 bytes."""
    body = text[2:-1].replace("\r\n", "\n").replace("\r", "\n")
    parts, at = [], 0
    for match in _ESCAPE.finditer(body):
        parts += [body[at : match.start()].encode(), _escaped_byte(match, text[1], offset)]
        at = match.end()
    return b"".join([*parts, body[at:].encode()])


def _escaped_byte(match: re.Match[str], quote: str, offset: int) -> bytes:
    braced, two, four, eight, octal, named = match.groups()
    if braced or four or eight or (octal and int(octal, 8) > 255):
        raise ExprError(f"unable to unescape string: {match[0]} is no byte", offset + 2 + match.start(), len(match[0]))
    if named is not None:
        return _escaped(match, quote, offset + 1).encode()
    return bytes([int(octal, 8) if octal else int(two, 16)])


def check_name(text: str, offset: int) -> None:
    """Go's letters and decimal digits make a name; the grammar takes numerals like Ⅷ and ² for some as well."""
    for index, char in enumerate(text):
        if not (char.isalpha() or char.isdecimal() or char in "_$"):
            raise ExprError(f"unrecognized character: {char!r}", offset + index)
