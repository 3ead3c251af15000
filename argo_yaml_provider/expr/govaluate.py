"""Text of a `when` -> syntax tree of govaluate.

In: text.  Out: nodes.Node; an ExprError says what was not understood and where.
Must not know: values. Library: github.com/Knetic/govaluate, whose grammar is mostly a table of what may follow what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.expr.errors import ExprError, Panic
from argo_yaml_provider.expr.limits import MAX_NESTING, MAX_TEXT, MAX_TOKENS
from argo_yaml_provider.expr.nodes import Binary, Identifier, Literal, Node, Unary

if TYPE_CHECKING:
    from lark import Lark, Token

PRECEDENCE = {
    ",": 1,
    "?": 2, ":": 2, "??": 2,
    "||": 3,
    "&&": 4,
    "==": 5, "!=": 5, ">": 5, ">=": 5, "<": 5, "<=": 5, "=~": 5, "!~": 5, "in": 5,
    "^": 6, "&": 6, "|": 6,
    ">>": 7, "<<": 7,
    "+": 8, "-": 8,
    "*": 9, "/": 9, "%": 9,
    "**": 10,
}  # fmt: skip
"""Everything groups from the left, `**` too."""
PREFIXES = {"-", "!", "~"}
_KINDS = {
    "SEPARATOR": ",",
    "TERNARY": "? : ??",
    "LOGICALOP": "|| &&",
    "COMPARATOR": "== != > >= < <= =~ !~ in",
    "MODIFIER": "^ & | >> << + - * / % **",
}
KIND_OF = {sign: kind for kind, signs in _KINDS.items() for sign in signs.split()}
_VALUES = "NUMERIC BOOLEAN VARIABLE ACCESSOR STRING TIME CLAUSE"
_OPERATORS = "MODIFIER COMPARATOR LOGICALOP CLAUSE_CLOSE SEPARATOR"
FOLLOWERS: dict[str, frozenset[str]] = {
    kind: frozenset(followers.split())
    for kind, followers in {
        "": f"PREFIX {_VALUES}",
        "CLAUSE": f"PREFIX CLAUSE_CLOSE {_VALUES}",
        "CLAUSE_CLOSE": f"{_OPERATORS} TERNARY NUMERIC BOOLEAN VARIABLE STRING TIME CLAUSE",
        "NUMERIC": f"{_OPERATORS} TERNARY",
        "BOOLEAN": f"{_OPERATORS} TERNARY",
        "STRING": f"{_OPERATORS} TERNARY",
        "VARIABLE": f"{_OPERATORS} TERNARY",
        "ACCESSOR": f"{_OPERATORS} TERNARY CLAUSE",
        "TIME": _OPERATORS,
        "PATTERN": _OPERATORS,
        "MODIFIER": "PREFIX NUMERIC VARIABLE ACCESSOR STRING BOOLEAN CLAUSE CLAUSE_CLOSE",
        "COMPARATOR": f"PREFIX CLAUSE_CLOSE {_VALUES}",
        "LOGICALOP": f"PREFIX CLAUSE_CLOSE {_VALUES}",
        "PREFIX": "NUMERIC BOOLEAN VARIABLE ACCESSOR CLAUSE CLAUSE_CLOSE",
        "TERNARY": f"PREFIX SEPARATOR {_VALUES}",
        "SEPARATOR": f"PREFIX {_VALUES}",
    }.items()
}
_ENDINGS = frozenset({"CLAUSE_CLOSE", "NUMERIC", "BOOLEAN", "STRING", "TIME", "PATTERN", "VARIABLE", "ACCESSOR"})
_ESCAPE = re.compile(r"\\([\s\S])")
_DECIMAL = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)\Z")
TIME_LAYOUTS = (
    "Mon Jan _2 15:04:05 2006", "Mon Jan _2 15:04:05 MST 2006", "Mon Jan 02 15:04:05 -0700 2006", "3:04PM",
    "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.999999999Z07:00", "2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05",
    "2006-01-02 15:04:05-07:00", "2006-01-02T15Z0700", "2006-01-02T15:04Z0700", "2006-01-02T15:04:05Z0700",
    "2006-01-02T15:04:05.999999999Z0700",
)  # fmt: skip
"""A quoted text that one of these reads is no text but a number, the seconds since 1970."""


def parse(text: str, *, bare_words: bool) -> Node | None:
    """The tree of a `when`; None if there is nothing in it. With `bare_words`, variables are texts, as in steps and tasks."""
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken, VisitError

    if len(text) > MAX_TEXT:
        raise ExprError(f"this condition has {len(text)} characters; {MAX_TEXT} are the most")
    if not text.strip():
        return None
    try:
        return _parser(bare_words).parse(text)  # type: ignore[return-value]  # the transformer makes nodes, not lark's trees
    except VisitError as error:
        if isinstance(error.orig_exc, ExprError):
            raise error.orig_exc from None
        raise
    except UnexpectedCharacters as error:
        raise _unknown_character(text, error.pos_in_stream or 0) from None
    except UnexpectedToken as error:
        token = error.token
        if token.type == "$END":
            raise ExprError("Unexpected end of expression", max(len(text) - 1, 0)) from None
        raise ExprError(f"unexpected {str(token)!r}", token.start_pos or 0, len(token)) from None
    except RecursionError:
        raise ExprError("operators are nested too deep") from None


def _unknown_character(text: str, offset: int) -> ExprError:
    char = text[offset]
    if char in "'\"":
        return ExprError("Unclosed string literal", offset, len(text) - offset)
    if char == "[":
        return ExprError("Unclosed parameter bracket", offset, len(text) - offset)
    return ExprError(f"Invalid token: {char!r} (hint: put the text around it in quotes)", offset)


@cache
def _parser(bare_words: bool) -> Lark:
    from lark import Lark

    grammar = files(__package__).joinpath("govaluate.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="basic", transformer=_Builder(bare_words), postlex=_Kinds(bare_words))


class _Kinds:
    """Finds out what each sign and word is, and whether it may stand where it stands."""

    always_accept = ("WORD", "SIGN", "COMMA", "BRACKETED")
    """The terminals that no rule of the grammar names."""

    def __init__(self, bare_words: bool) -> None:
        self.bare_words = bare_words

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The same tokens, with the types the grammar knows.

        A parenthesis closed before it is opened ends what counts, if one opened later makes up for it.
        """
        before, last, depth, closed = "", "", 0, False
        token: Token | None = None
        for count, token in enumerate(stream):
            kind = self.kind(token, before)
            depth += (kind == "CLAUSE") - (kind == "CLAUSE_CLOSE")
            if count > MAX_TOKENS or depth > MAX_NESTING:
                raise ExprError("this condition is too long, or has too many brackets", token.start_pos or 0)
            self.check(token, kind, before, last)
            pattern = kind == "STRING" and last in ("=~", "!~")
            before, last = "PATTERN" if pattern and self.bare_words else kind, str(token)
            closed = closed or depth < 0
            if not closed:
                yield token
        if depth:
            raise ExprError("Unbalanced parenthesis")
        if token is not None and before not in _ENDINGS:
            raise ExprError("Unexpected end of expression", token.start_pos or 0, len(token))

    def kind(self, token: Token, before: str) -> str:
        """The name govaluate has for it; the token's type and value are set on the way."""
        if token.type == "LPAR":
            return "CLAUSE"
        if token.type == "RPAR":
            return "CLAUSE_CLOSE"
        if token.type == "NUMBER":
            token.value = _plain(str(token))
            return "NUMERIC"
        if token.type == "STRING":
            return _string(token)
        if token.type == "BRACKETED":
            token.type, token.value = "VARIABLE", _plain(token[1:-1])
            return "VARIABLE"
        return _word(token) if token.type == "WORD" else _sign(token, before)

    def check(self, token: Token, kind: str, before: str, last: str) -> None:
        followers = FOLLOWERS[before]
        negated_word = before == "PREFIX" and kind == "VARIABLE" and self.bare_words
        if kind in followers and not negated_word:
            return
        shown = f"{kind} {str(token)!r} may not stand"
        behind = f"behind {before} {last!r}" if before else "at the beginning"
        raise ExprError(f"{shown} {behind}", token.start_pos or 0, len(token))


def _plain(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def _string(token: Token) -> str:
    text = _plain(token[1:-1])
    seconds = _seconds(text)
    if seconds is not None:
        token.type, token.value = "TIME", seconds
        return "TIME"
    token.value = text
    return "STRING"


def _seconds(text: str) -> float | None:
    if not text[:1].isalnum() or len(text) > 64 or not any(map(str.isdigit, text)):
        return None
    from argo_yaml_provider.expr.clock import SECOND
    from argo_yaml_provider.expr.layout_reader import parse_time

    for layout in TIME_LAYOUTS:
        try:
            return float(parse_time(layout, text).order // SECOND)
        except Panic:
            continue
    return None


def _word(token: Token) -> str:
    text = _plain(str(token))
    if text in ("true", "false"):
        token.type, token.value = "BOOLEAN", text == "true"
        return "BOOLEAN"
    if text in ("in", "IN"):
        token.type, token.value = "OPERATOR", "in"
        return "COMPARATOR"
    if "." not in text:
        token.type, token.value = "VARIABLE", text
        return "VARIABLE"
    place = (token.start_pos or 0, len(token))
    if text.endswith("."):
        raise ExprError(f"Hanging accessor on token '{text}'", *place)
    for part in text.split(".")[1:]:
        if part[:1].upper() != part[:1]:
            message = f"Unable to access unexported field '{part}' in token '{text}' (hint: put the text in quotes)"
            raise ExprError(message, *place)
    token.type, token.value = "ACCESSOR", text
    return "ACCESSOR"


def _sign(token: Token, before: str) -> str:
    sign = _plain(str(token))
    if sign in PREFIXES and "PREFIX" in FOLLOWERS[before]:
        token.type, token.value = "PREFIX", sign
        return "PREFIX"
    kind = KIND_OF.get(sign)
    if kind is None:
        message = f"Invalid token: '{sign}' (hint: try wrapping the affected expression in quotes (\"))"
        raise ExprError(message, token.start_pos or 0, len(token))
    token.type, token.value = "OPERATOR", sign
    return kind


class _Builder:
    """One method per rule of govaluate.lark."""

    def __init__(self, bare_words: bool) -> None:
        self.bare_words = bare_words

    def start(self, children: list[Any]) -> Node:
        return children[0]  # type: ignore[no-any-return]

    def ignored(self, _children: list[Any]) -> None:
        return None

    def number(self, children: list[Token]) -> Node:
        text = children[0].value
        place = _place(children[0])
        if text.startswith("0x"):
            if len(text) == 2 or int(text, 16) >= 1 << 64:
                raise ExprError(f"Unable to parse hex value '{text}' to uint64", **place)
            return Literal(value=float(int(text, 16)), **place)
        if not _DECIMAL.match(text):
            raise ExprError(f"Unable to parse numeric value '{text}' to float64", **place)
        return Literal(value=float(text), **place)

    def string(self, children: list[Token]) -> Node:
        return Literal(value=children[0].value, **_place(children[0]))

    time = boolean = string

    def variable(self, children: list[Token]) -> Node:
        token = children[0]
        if self.bare_words:
            return Literal(value=token.value, **_place(token))
        return Identifier(name=token.value, **_place(token))

    def accessor(self, children: list[Any]) -> Node:
        return Identifier(name=children[0].value.partition(".")[0], **_place(children[0]))

    def group(self, children: list[Node]) -> Node:
        return children[0] if children else Literal(value=None, offset=0)

    def operation(self, children: list[Any]) -> Node:
        return _Climber(children).climb(0)


def _place(token: Token) -> dict[str, int]:
    return {"offset": token.start_pos or 0, "length": (token.end_pos or 0) - (token.start_pos or 0)}


class _Climber:
    """Turns a flat list of operands and operators into a tree, by precedence climbing."""

    def __init__(self, items: list[Any]) -> None:
        self.items, self.at = items, 0

    def climb(self, floor: int) -> Node:
        left = self.operand()
        while self.at < len(self.items) and PRECEDENCE[self.items[self.at].value] >= floor:
            operator = self.items[self.at]
            self.at += 1
            right = self.climb(PRECEDENCE[operator.value] + 1)
            _check_pattern(operator, right)
            left = Binary(operator=operator.value, left=left, right=right, **_place(operator))
        return left

    def operand(self) -> Node:
        """A value, with its prefix; behind an operator that a parenthesis closes on there is nothing, which is nil."""
        if self.at >= len(self.items):
            return Literal(value=None, offset=0)
        item = self.items[self.at]
        self.at += 1
        if isinstance(item, Node):
            return item
        return Unary(operator=item.value, operand=self.operand(), **_place(item))


def _check_pattern(operator: Token, right: Node) -> None:
    """A literal pattern must be one even if it is never reached."""
    if operator.value not in ("=~", "!~") or not isinstance(right, Literal) or not isinstance(right.value, str):
        return
    from argo_yaml_provider.expr import regexes

    try:
        regexes.compiled(right.value)
    except Panic as error:
        raise error.placed(right.offset, right.length) from None
