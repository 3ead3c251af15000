"""expr-lang's functions of text.

In: values.  Out: a value; a Panic says what was wrong with the argument.
Must not know: syntax. expr-lang: builtin/builtin.go.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.expr.base_codes import read_base64
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.limits import Budget, check_length
from argo_yaml_provider.expr.operators import as_string, from_bytes, to_bytes, to_int
from argo_yaml_provider.expr.values import NilStrings, Strings, go_type

SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""What Go's unicode.IsSpace takes for space."""
MAX_REPEAT = 1_000_000


def upper(text: Any) -> str:
    """Character by character, as Go does it: one character never becomes two."""
    given = as_string(text)
    return given.upper() if given.isascii() else "".join(map(upper_char, given))


def upper_char(char: str) -> str:
    other = char.upper()
    return other if len(other) == 1 else char


def lower(text: Any) -> str:
    given = as_string(text)
    return given.lower() if given.isascii() else "".join(char.lower()[0] for char in given)


def trim(text: Any, chars: Any = SPACE) -> str:
    return as_string(text).strip(as_string(chars))


def trim_prefix(text: Any, prefix: Any = " ") -> str:
    return as_string(text).removeprefix(as_string(prefix))


def trim_suffix(text: Any, suffix: Any = " ") -> str:
    return as_string(text).removesuffix(as_string(suffix))


def split(budget: Budget, text: Any, separator: Any, most: Any = -1) -> Strings:
    return _made(budget, split_text(as_string(text), as_string(separator), to_int(most)))


def split_after(budget: Budget, text: Any, separator: Any, most: Any = -1) -> Strings:
    """Like split, with the separators kept at the ends of the parts."""
    end = as_string(separator)
    parts = split_text(as_string(text), end, to_int(most))
    if not end or not parts:
        return _made(budget, parts)
    return _made(budget, Strings([*(part + end for part in parts[:-1]), parts[-1]]))


def _made(budget: Budget, parts: Strings) -> Strings:
    budget.allocate(len(parts))
    return parts


def split_text(text: str, separator: str, most: int) -> Strings:
    """Go's strings.SplitN: at most `most` parts; all if it is negative. Without a separator, the characters."""
    if most == 0:
        return NilStrings()
    if separator:
        return Strings(text.split(separator, most - 1 if most > 0 else -1))
    if most < 0 or most >= len(text):
        return Strings(text)
    return Strings([*text[: most - 1], text[most - 1 :]])


def replace(text: Any, old: Any, new: Any, count: Any = -1) -> str:
    return replace_text(as_string(text), as_string(old), as_string(new), to_int(count))


def replace_text(text: str, old: str, new: str, count: int = -1) -> str:
    found = text.count(old)
    check_length(len(text) + (found if count < 0 else min(found, count)) * (len(new) - len(old)))
    return text.replace(old, new, max(count, -1))


def repeat(budget: Budget, text: Any, count: Any) -> str:
    repeated, times = as_string(text), to_int(count)
    if times < 0:
        raise Panic(f"invalid argument for repeat (expected positive integer, got {times})")
    size = len(to_bytes(repeated)) * times
    if times > MAX_REPEAT:
        raise Panic("memory budget exceeded: repeat makes at most 1000000 copies")
    budget.allocate(size)
    return repeated * times


def join(parts: Any, glue: Any = "") -> str:
    if not isinstance(parts, list) or go_type(parts) not in ("[]string", "[]interface {}"):
        raise Panic(f"invalid argument for join (type {go_type(parts)})")
    return join_texts([as_string(part) for part in parts], as_string(glue))


def join_texts(parts: list[str], glue: str) -> str:
    check_length(sum(map(len, parts)) + len(glue) * len(parts))
    return glue.join(parts)


def index_of(text: Any, part: Any) -> int:
    """Where a part begins, counted in bytes; -1 if nowhere."""
    return to_bytes(as_string(text)).find(to_bytes(as_string(part)))


def last_index_of(text: Any, part: Any) -> int:
    return to_bytes(as_string(text)).rfind(to_bytes(as_string(part)))


def has_prefix(text: Any, prefix: Any) -> bool:
    return as_string(text).startswith(as_string(prefix))


def has_suffix(text: Any, suffix: Any) -> bool:
    return as_string(text).endswith(as_string(suffix))


def to_base64(text: Any) -> str:
    from base64 import b64encode

    return b64encode(to_bytes(as_string(text))).decode()


def from_base64(text: Any) -> str:
    """RFC 4648 with its padding; line ends do not matter."""
    return from_bytes(read_base64(as_string(text)))
