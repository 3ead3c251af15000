"""Base64 and base32 with padding, as Go reads them: what is wrong, and at which byte.

In: text.  Out: the bytes; a Panic with Go's words. Base64 passes over line ends where they stand, base32 before it counts.
Must not know: syntax. Go: encoding/base64 decodeQuantum, encoding/base32 decode.
"""

from __future__ import annotations

import re
from base64 import b32decode, b64decode
from itertools import islice

from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.operators import to_bytes

_NOT_IN_64 = re.compile(rb"[^A-Za-z0-9+/\r\n]")
_NOT_IN_32 = re.compile(rb"[^A-Z2-7]")
_NO_LINE_END = re.compile(rb"[^\r\n]")
_LINE_ENDS = b"\r\n"
_PAD = ord("=")
_PADDED_32 = (2, 4, 5, 7)
"""How many letters the last group of eight may have."""


def read_base64(text: str) -> bytes:
    raw = to_bytes(text)
    wrong = _wrong_base64(raw)
    if wrong is not None:
        raise Panic(f"illegal base64 data at input byte {wrong}")
    return b64decode(raw.translate(None, _LINE_ENDS))


def _wrong_base64(raw: bytes) -> int | None:
    match = _NOT_IN_64.search(raw)
    end = match.start() if match else len(raw)
    letters = (end - raw.count(b"\r", 0, end) - raw.count(b"\n", 0, end)) % 4
    if not match:
        return end - letters if letters else None
    return _wrong_padding_64(raw, end, letters) if raw[end] == _PAD and letters >= 2 else end


def _wrong_padding_64(raw: bytes, index: int, letters: int) -> int | None:
    """What is wrong from the first `=` on, which is the last or the last but one of its group."""
    rest = [match.start() for match in islice(_NO_LINE_END.finditer(raw, index + 1), 2)]
    if letters == 2:
        if not rest:
            return len(raw)
        first = rest.pop(0)
        if raw[first] != _PAD:
            return first - 1
    return rest[0] if rest else None


def read_base32(text: str) -> bytes:
    raw = to_bytes(text).translate(None, _LINE_ENDS)
    wrong = _wrong_base32(raw)
    if wrong is not None:
        raise Panic(f"illegal base32 data at input byte {wrong}")
    letters = raw.partition(b"=")[0]
    whole = b32decode(letters + b"A" * (-len(letters) % 8))  # bits too many do not matter
    return whole[: len(letters) * 5 // 8]


def _wrong_base32(raw: bytes) -> int | None:
    match = _NOT_IN_32.search(raw)
    if not match:
        return len(raw) - len(raw) % 8 if len(raw) % 8 else None
    index = match.start()
    if raw[index] == _PAD and index % 8 >= 2 and len(raw) - index <= 8:
        return _wrong_padding_32(raw, index)
    return index


def _wrong_padding_32(raw: bytes, index: int) -> int | None:
    letters = index % 8
    if len(raw) - index - 1 + letters < 7:
        return len(raw)
    for after in range(1, 8 - letters):
        if index + after < len(raw) and raw[index + after] != _PAD:
            return index + after - 1
    return None if letters in _PADDED_32 else index
