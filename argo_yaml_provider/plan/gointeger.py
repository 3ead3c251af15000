"""One integer in a Go format string: `fmt.Sprintf(format, number)`, its wrong verbs and all.

In: a format, an int.  Out: text.
Must not know: what the number counts. Go: fmt/print.go doPrintf.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from argo_yaml_provider.expr.quote import quote

_LARGEST = 1_000_000
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
    return _Directives(template, number).run()


class _Directives:
    """Goes through a template once; `used` counts the arguments that are used up, of the one there is."""

    def __init__(self, template: str, number: int) -> None:
        self.template, self.number = template, number
        self.at = self.used = 0
        self.reordered = self.after_index = self.good = False

    def run(self) -> str:
        pieces: list[str] = []
        while self.at < len(self.template):
            start = self.template.find("%", self.at)
            start = len(self.template) if start < 0 else start
            pieces.append(self.template[self.at : start])
            self.at = start + 1
            if start < len(self.template):
                pieces.append(self._directive())
        if not self.reordered and not self.used:
            pieces.append(f"%!(EXTRA int={self.number})")
        return "".join(pieces)

    def _directive(self) -> str:
        self.good = True
        start = self.at
        while self._next() and self._next() in "#0+- ":
            self.at += 1
        form = _Form(flags=self.template[start : self.at])
        if "a" <= self._next() <= "z" and not self.used:
            return self._verb(form)
        self._index()
        form, complaint = self._width(form)
        if self._next() == "." and self.at + 1 < len(self.template):
            form, problem = self._precision(form)
            complaint += problem
        if not self.after_index:
            self._index()
        return complaint + self._verb(form)

    def _next(self) -> str:
        """The character that comes next, '' at the end."""
        return self.template[self.at : self.at + 1]

    def _verb(self, form: _Form) -> str:
        verb = self._next()
        self.at += 1
        if not verb:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if not self.good:
            return f"%!{verb}(BADINDEX)"
        if self.used:
            return f"%!{verb}(MISSING)"
        self.used = 1
        return _argument(verb, self.number, form)

    def _index(self) -> None:
        """`[1]`: which argument comes next."""
        self.after_index = False
        if self._next() != "[":
            return
        self.reordered = True
        end = self.template.find("]", self.at)
        if end < 0 or len(self.template.encode()) - len(self.template[: self.at].encode()) < 3:
            self.good = False
            self.at += 1
            return
        inside = self.template[self.at + 1 : end]
        self.at = end + 1
        number = int(inside) if _is_number(inside) and len(inside) <= 7 else None
        self.after_index = number is not None
        if number == 1:
            self.used = 0
        else:
            self.good = False

    def _star(self) -> int | None:
        """The argument as a width or precision; None if there is none left or it is too large."""
        self.at += 1
        self.after_index = False
        if self.used:
            return None
        self.used = 1
        return self.number if abs(self.number) <= _LARGEST else None

    def _digits(self) -> int | None:
        """The number that comes next; one that is too large swallows the rest, as in Go."""
        number = None
        while _is_number(self._next()):
            if number is not None and number > _LARGEST:
                self.at = len(self.template)
                return None
            number = (number or 0) * 10 + int(self._next())
            self.at += 1
        return number

    def _width(self, form: _Form) -> tuple[_Form, str]:
        if self._next() == "*":
            width = self._star()
            if width is None:
                return form, "%!(BADWIDTH)"
            flags = form.flags + ("-" if width < 0 else "")
            return replace(form, flags=flags, width=abs(width), has_width=True), ""
        width = self._digits()
        if width is None:
            return form, ""
        self.good = self.good and not self.after_index
        return replace(form, width=width, has_width=True), ""

    def _precision(self, form: _Form) -> tuple[_Form, str]:
        self.at += 1
        self.good = self.good and not self.after_index
        self._index()
        if self._next() != "*":
            return replace(form, precision=self._digits() or 0), ""
        precision = self._star()
        if precision is None or precision < 0:
            return form, "%!(BADPREC)"
        return replace(form, precision=precision), ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _argument(verb: str, number: int, form: _Form) -> str:
    if verb in "vw":
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
        return _padded("int"[: form.precision], form)
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
    if form.has("#") and 0 <= number <= 0x10FFFF and chr(number).isprintable():
        text += f" '{_rune(number)}'"
    return text
