"""sprig's functions of text, encodings, hashes, regular expressions, paths and URLs.

In: values whose types are checked already.  Out: values.
Must not know: syntax. Library: github.com/Masterminds/sprig v3.3.

Where sprig counts, it counts bytes.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from typing import Any

from argo_yaml_provider.expr import casing, regexes
from argo_yaml_provider.expr.base_codes import read_base32, read_base64
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.functions_strings import SPACE, join_texts, replace_text, split_text
from argo_yaml_provider.expr.limits import Budget, check_length
from argo_yaml_provider.expr.operators import from_bytes, to_bytes
from argo_yaml_provider.expr.quote import quote as go_quote
from argo_yaml_provider.expr.rendering import go_text
from argo_yaml_provider.expr.urls import join_url, split_url
from argo_yaml_provider.expr.values import NilStrings, StringMap, Strings, go_kind

MAX_INDENT = 1 << 16


def text_of(value: Any) -> str:
    """What sprig calls strval: bytes are text, everything else is what Go prints."""
    return from_bytes(value) if isinstance(value, bytes) else go_text(value)


def repeat(budget: Budget, count: int, text: str) -> str:
    if count < 0:
        raise Panic("strings: negative Repeat count")
    check_length(len(text) * count)
    budget.step(len(text) * count >> 6)
    return text * count


def abbrev(width: int, text: str) -> str:
    return text if width < 4 else from_bytes(casing.abbreviate(to_bytes(text), 0, width))


def abbrev_both(left: int, right: int, text: str) -> str:
    if right < 4 or (left > 0 and right < 7):
        return text
    return from_bytes(casing.abbreviate(to_bytes(text), left, right))


def trunc(count: int, text: str) -> str:
    """The first so many bytes; the last, if negative."""
    raw = to_bytes(text)
    if count < 0:
        return from_bytes(raw[count:]) if len(raw) + count > 0 else text
    return from_bytes(raw[:count])


def substring(start: int, end: int, text: str) -> str:
    raw = to_bytes(text)
    if start < 0:
        return from_bytes(raw[: _bound(end, raw)])
    if end < 0 or end > len(raw):
        return from_bytes(raw[_bound(start, raw) :])
    if start > end:
        raise Panic(f"runtime error: slice bounds out of range [{start}:{end}]")
    return from_bytes(raw[start:end])


def _bound(bound: int, raw: bytes) -> int:
    if not 0 <= bound <= len(raw):
        raise Panic(f"runtime error: slice bounds out of range [{bound}] with length {len(raw)}")
    return bound


def no_space(text: str) -> str:
    """Without spaces; if there were any, every byte has become a character of its own, as in sprig."""
    raw = to_bytes(text)
    kept = [chr(byte) for byte in raw if chr(byte) not in SPACE]
    return text if len(kept) == len(raw) else "".join(kept)


def initials(text: str) -> str:
    return casing.initials(to_bytes(text))


def wrap(width: int, text: str) -> str:
    return _wrapped(width, "\n", text, long_words=False)


def wrap_with(width: int, separator: str, text: str) -> str:
    return _wrapped(width, separator or "\n", text, long_words=True)


def _wrapped(width: int, separator: str, text: str, *, long_words: bool) -> str:
    raw = to_bytes(text)
    check_length(len(raw) + len(raw) // max(width, 1) * len(separator))
    return from_bytes(casing.wrap(raw, width, to_bytes(separator), long_words=long_words))


def quoted(*values: Any) -> str:
    return " ".join(go_quote(text_of(value)) for value in values if value is not None)


def single_quoted(*values: Any) -> str:
    return " ".join(f"'{go_text(value)}'" for value in values if value is not None)


def cat(*values: Any) -> str:
    return join_texts([go_text(value) for value in values if value is not None], " ")


def indent(spaces: int, text: str) -> str:
    if not 0 <= spaces <= MAX_INDENT:
        raise Panic(f"an indent of {spaces} spaces: strings: negative Repeat count, or too large")
    pad = " " * spaces
    return pad + replace_text(text, "\n", "\n" + pad)


def nindent(spaces: int, text: str) -> str:
    return "\n" + indent(spaces, text)


def replace(old: str, new: str, text: str) -> str:
    return replace_text(text, old, new)


def texts_of(value: Any) -> Strings:
    """What sprig calls strslice: the elements' texts, without nil; one text of what is no list."""
    if isinstance(value, (list, bytes)):
        return Strings(text_of(item) for item in value if item is not None)
    return Strings() if value is None else Strings([text_of(value)])


def join(separator: str, value: Any) -> str:
    return join_texts(texts_of(value), separator)


def sort_alpha(value: Any) -> Strings:
    texts = texts_of(value)
    return Strings(sorted(texts, key=to_bytes)) if isinstance(value, (list, bytes)) else Strings([text_of(value)])


def split(budget: Budget, separator: str, text: str) -> StringMap:
    return _numbered(budget, split_text(text, separator, -1))


def split_n(budget: Budget, separator: str, count: int, text: str) -> StringMap:
    return _numbered(budget, split_text(text, separator, count))


def _numbered(budget: Budget, parts: Strings) -> StringMap:
    budget.allocate(len(parts))
    return StringMap((f"_{index}", part) for index, part in enumerate(parts))


def split_list(budget: Budget, separator: str, text: str) -> Strings:
    parts = split_text(text, separator, -1)
    budget.allocate(len(parts))
    return parts


def b64_decode(text: str) -> str:
    """The text, or the words of the error."""
    return _decoded(read_base64, text)


def b32_encode(text: str) -> str:
    from base64 import b32encode

    return b32encode(to_bytes(text)).decode()


def b32_decode(text: str) -> str:
    return _decoded(read_base32, text)


def _decoded(read: Callable[[str], bytes], text: str) -> str:
    try:
        return from_bytes(read(text))
    except Panic as error:
        return error.message


def _hash(name: str, text: str) -> str:
    return hashlib.new(name, to_bytes(text)).hexdigest()


def sha1(text: str) -> str:
    return _hash("sha1", text)


def sha256(text: str) -> str:
    return _hash("sha256", text)


def sha512(text: str) -> str:
    return _hash("sha512", text)


def adler32(text: str) -> str:
    return str(zlib.adler32(to_bytes(text)))


def _must_compile(pattern: str) -> regexes.Regex:
    try:
        return regexes.compiled(pattern)
    except Panic as error:
        raise Panic(f"regexp: Compile(`{pattern}`): {error.message}") from None


def regex_match(pattern: str, text: str) -> bool:
    """False for a pattern that is none."""
    try:
        return regexes.compiled(pattern).found(text)
    except Panic:
        return False


def must_regex_match(pattern: str, text: str) -> bool:
    return regexes.compiled(pattern).found(text)


def regex_find_all(budget: Budget, pattern: str, text: str, count: int) -> Strings:
    found = _must_compile(pattern).all(text, count)
    budget.allocate(len(found))
    return Strings(found) if found else NilStrings()


def regex_find(pattern: str, text: str) -> str:
    return _must_compile(pattern).first(text)


def regex_replace_all(pattern: str, text: str, replacement: str) -> str:
    return _must_compile(pattern).replace(text, replacement)


def regex_replace_all_literal(pattern: str, text: str, replacement: str) -> str:
    return _must_compile(pattern).replace_literal(text, replacement)


def regex_split(budget: Budget, pattern: str, text: str, count: int) -> Strings:
    regex = _must_compile(pattern)
    if count == 0:
        return NilStrings()
    parts = regex.split(text, count)
    budget.allocate(len(parts))
    return Strings(parts)


def url_parse(text: str) -> dict[str, Any]:
    try:
        return dict(split_url(text))
    except Panic as error:
        raise Panic(f"unable to parse url: {error.message}") from None


def url_join(parts: dict[str, Any]) -> str:
    texts = {}
    for key in ("scheme", "host", "path", "query", "opaque", "fragment", "userinfo"):
        value = parts.get(key, "")
        if not isinstance(value, str):
            raise Panic(f"unable to parse {key} key, must be of type string, but {go_kind(value)} found")
        texts[key] = value
    if texts["userinfo"]:
        texts["userinfo"] = split_url(f"proto://{texts['userinfo']}@host")["userinfo"]
    return join_url(texts)


def plural(one: str, many: str, count: int) -> str:
    return one if count == 1 else many


def fail(message: str) -> str:
    raise Panic(message)


def host_by_name(_name: str) -> str:
    raise Panic("getHostByName is not available: an expression cannot ask the network")
