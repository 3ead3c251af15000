"""One integer in a Go format string: `fmt.Sprintf(format, number)`, its wrong verbs and all.

In: a format, an int.  Out: text.
Must not know: what the number counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from argo_yaml_provider.expr.quote import quote

_LARGEST_WIDTH = 1_000_000
_INDEX = r"(?:\[([^\]]*)\])?"
_DIRECTIVE = re.compile(rf"%([-+# 0]*){_INDEX}(\*|[0-9]*)(?:(\.){_INDEX}(\*|[0-9]*))?{_INDEX}(.|$)", re.DOTALL)
_BASES = {"d": (10, "d"), "v": (10, "d"), "b": (2, "b"), "o": (8, "o"), "O": (8, "o"), "x": (16, "x"), "X": (16, "X")}
_PREFIXES = {2: "0b", 8: "0", 16: "0x"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What stands between `%` and the verb."""

    flags: str = ""
    width: int = 0
    has_width: bool = False
    precision: int | None = None

    def has(self, flag: str) -> bool:
        return flag in self.flags

    @property
    def zero(self) -> bool:
        """Zeros are only ever put on the left."""
        return "0" in self.flags and "-" not in self.flags


def format_integer(template: str, number: int) -> str:
    """The template with its directives replaced; Go says in the text itself what is wrong with one (`%!s(int=5)`)."""
    pieces: list[str] = []
    at = used = 0
    reordered = False
    for match in _DIRECTIVE.finditer(template):
        pieces.append(template[at : match.start()])
        if _too_large(match[3]) or _too_large(match[6]):
            at = len(template)
            pieces.append("%!(NOVERB)")
            break
        at = match.end()
        text, used = _directive(match, number, used)
        reordered = reordered or match[2] is not None or match[5] is not None or match[7] is not None
        pieces.append(text)
    pieces.append(template[at:])
    extra = f"%!(EXTRA int={number})" if not used and not reordered else ""
    return "".join(pieces) + extra


def _too_large(digits: str | None) -> bool:
    return bool(digits) and digits != "*" and (len(str(digits)) > 7 or int(str(digits)) > _LARGEST_WIDTH)


def _directive(match: re.Match[str], number: int, used: int) -> tuple[str, int]:
    """The text of one directive, and how many arguments are used up after it."""
    flags, index, width, dot, precision_index, precision, last_index, verb = match.groups()
    indices = [text for text in (index, precision_index, last_index) if text is not None]
    good_index = all(text == "1" for text in indices) and not (index is not None and (width or dot))
    used = 0 if "1" in indices else used
    form, width_problem, used = _with_width(_Form(flags=flags, precision=0 if dot else None), width, number, used)
    form, precision_problem, used = _with_precision(form, precision, number, used)
    text, used = _verb(verb, number, form, used, good_index=good_index)
    return width_problem + precision_problem + text, used


def _verb(verb: str, number: int, form: _Form, used: int, *, good_index: bool) -> tuple[str, int]:
    if not verb:
        return "%!(NOVERB)", used
    if verb == "%":
        return "%", used
    if not good_index:
        return f"%!{verb}(BADINDEX)", used
    if used:
        return f"%!{verb}(MISSING)", used
    return _argument(verb, number, form), 1


def _with_width(form: _Form, width: str, number: int, used: int) -> tuple[_Form, str, int]:
    if not width:
        return form, "", used
    if width != "*":
        return replace(form, width=int(width), has_width=True), "", used
    if used or abs(number) > _LARGEST_WIDTH:
        return form, "%!(BADWIDTH)", 1
    flags = form.flags + ("-" if number < 0 else "")
    return replace(form, flags=flags, width=abs(number), has_width=True), "", 1


def _with_precision(form: _Form, precision: str | None, number: int, used: int) -> tuple[_Form, str, int]:
    if not precision:
        return form, "", used
    if precision != "*":
        return replace(form, precision=int(precision)), "", used
    if used or abs(number) > _LARGEST_WIDTH:
        return replace(form, precision=None), "%!(BADPREC)", 1
    return replace(form, precision=number if number >= 0 else None), "%!(BADPREC)" if number < 0 else "", 1


def _argument(verb: str, number: int, form: _Form) -> str:
    if verb == "v":
        form = replace(form, flags=form.flags.translate({ord("#"): None, ord("+"): None}))
    if verb in _BASES:
        return _digits(verb, number, form)
    if verb == "c":
        return _padded(_rune(number), form)
    if verb == "q":
        return _padded(_quoted_rune(number, ascii_only=form.has("+")), form)
    if verb == "U":
        return _padded(_code_point(number, form), replace(form, flags=form.flags.replace("0", "")))
    if verb == "T":
        return _padded("int", form)
    return f"%!{verb}(int={_digits('d', number, form)})"


def _digits(verb: str, number: int, form: _Form) -> str:
    """As fmt's fmtInteger: precision beats the zero flag, and a precision of 0 shows nothing of a 0."""
    if form.precision == 0 and number == 0:
        return " " * form.width
    base, letter = _BASES[verb]
    sign = "-" if number < 0 else "+" if form.has("+") else " " if form.has(" ") else ""
    least = form.precision or 0
    if form.precision is None and form.zero and form.has_width:
        least = form.width - len(sign)
    text = format(abs(number), letter).rjust(least, "0")
    if form.has("#") and base in _PREFIXES and not (base == 8 and text.startswith("0")):
        text = (_PREFIXES[base].upper() if verb == "X" else _PREFIXES[base]) + text
    if verb == "O":
        text = "0o" + text
    return _padded(sign + text, replace(form, flags=form.flags.replace("0", "")))


def _padded(text: str, form: _Form) -> str:
    if form.has("-"):
        return text.ljust(form.width)
    return text.rjust(form.width, "0" if form.zero else " ")


def _rune(number: int) -> str:
    known = 0 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    return chr(number) if known else "\ufffd"


def _quoted_rune(number: int, *, ascii_only: bool) -> str:
    char = _rune(number)
    if char == "'":
        return "'\\''"
    if char == '"':
        return "'\"'"
    if ascii_only and ord(char) > 0x7F:
        return f"'\\u{ord(char):04x}'" if ord(char) < 0x10000 else f"'\\U{ord(char):08x}'"
    return f"'{quote(char)[1:-1]}'"


def _code_point(number: int, form: _Form) -> str:
    digits = max(4, form.precision or 0)
    text = f"U+{number & (2**64 - 1):X}" if number < 0 else f"U+{number:0{digits}X}"
    if form.has("#") and 0 <= number <= 0x10FFFF and _rune(number).isprintable():
        text += f" '{_rune(number)}'"
    return text
