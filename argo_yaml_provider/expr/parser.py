"""Text of an expr-lang expression -> syntax tree.

In: text.  Out: nodes.Node, with the offsets errors point at; an ExprError says what was not understood and where.
Must not know: variables, types, values. expr-lang: parser/parser.go, parser/operator/operator.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from argo_yaml_provider.expr import literals
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.limits import MAX_NESTING, MAX_TEXT, MAX_TOKENS
from argo_yaml_provider.expr.nodes import (
    Array,
    Binary,
    Builtin,
    Call,
    Chain,
    Conditional,
    Identifier,
    Let,
    Literal,
    Map,
    Member,
    Node,
    Pointer,
    Predicate,
    Sequence,
    Slice,
    Unary,
)

if TYPE_CHECKING:
    from lark import Lark, Token

UNARY = {"not": 50, "!": 50, "-": 90, "+": 90}
BINARY = {
    "|": 0,
    "or": 10, "||": 10,
    "and": 15, "&&": 15,
    "==": 20, "!=": 20, "<": 20, ">": 20, ">=": 20, "<=": 20,
    "in": 20, "matches": 20, "contains": 20, "startsWith": 20, "endsWith": 20,
    "..": 25,
    "+": 30, "-": 30,
    "*": 60, "/": 60, "%": 60,
    "**": 100, "^": 100,
    "??": 500,
}  # fmt: skip
RIGHT_ASSOCIATIVE = {"**", "^"}
COMPARISONS = {"<", ">", ">=", "<="}
NEGATABLE = {"in", "matches", "contains", "startsWith", "endsWith"}
KEYWORDS = {
    "not": "NOT", "let": "LET", "if": "IF", "else": "ELSE",
    "or": "WORD", "and": "WORD", "in": "WORD", "matches": "WORD", "contains": "WORD", "startsWith": "WORD", "endsWith": "WORD",
}  # fmt: skip
CONSTANTS = {"true": True, "false": False, "nil": None}
PREDICATE_ARGUMENTS = {  # least and most arguments, the collection counted
    "all": (2, 2), "none": (2, 2), "any": (2, 2), "one": (2, 2), "filter": (2, 2), "map": (2, 2), "groupBy": (2, 2),
    "find": (2, 2), "findIndex": (2, 2), "findLast": (2, 2), "findLastIndex": (2, 2),
    "count": (1, 2), "sum": (1, 2), "sortBy": (2, 3), "reduce": (2, 3),
}  # fmt: skip
_FUNCTIONS = """
    len type abs ceil floor round int float string max min mean median bitand bitor bitxor bitnand bitshl bitshr bitushr bitnot
    trim trimPrefix trimSuffix upper lower split splitAfter replace repeat join indexOf lastIndexOf hasPrefix hasSuffix
    toJSON fromJSON toBase64 fromBase64 now duration date timezone
    first last get take keys values toPairs fromPairs reverse uniq concat flatten sort
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())


def parse(text: str) -> Node:
    """The tree of one expression."""
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken, VisitError

    if len(text) > MAX_TEXT:
        raise ExprError(f"this expression has {len(text)} characters; {MAX_TEXT} are the most")
    try:
        return _parser().parse(text)  # type: ignore[return-value]  # the transformer makes nodes, not lark's trees
    except VisitError as error:
        if isinstance(error.orig_exc, ExprError):
            raise error.orig_exc from None
        raise
    except UnexpectedCharacters as error:
        raise _unknown_character(text, error.pos_in_stream or 0) from None
    except UnexpectedToken as error:
        raise _unexpected(text, error.token) from None
    except RecursionError:
        raise ExprError("operators are nested too deep") from None


def _unknown_character(text: str, offset: int) -> ExprError:
    char = text[offset]
    if char in "'\"`" or text[offset : offset + 2].lower() in ("b'", 'b"'):
        return ExprError(f"literal not terminated: the {char} has no partner", offset, len(text) - offset)
    if char.isdigit() or char == ".":
        return ExprError(f"bad number syntax: {text[offset : offset + 12]!r}", offset)
    if text.startswith("/*", offset):
        return ExprError("unclosed comment", offset, 2)
    return ExprError(f"unrecognized character: {char!r}", offset)


def _unexpected(text: str, token: Token) -> ExprError:
    if token.type == "$END":
        return ExprError("unexpected end of the expression", max(len(text) - 1, 0))
    return ExprError(f"unexpected {str(token)!r}", token.start_pos or 0, len(token))


@cache
def _parser() -> Lark:
    """The LALR parser; built when the first expression is met, because that takes a while."""
    from lark import Lark

    grammar = files(__package__).joinpath("exprlang.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        parser="lalr",
        lexer="basic",
        transformer=_Builder(),
        postlex=_Brackets(),
        lexer_callbacks={"NAME": _keyword},
    )


def _keyword(token: Token) -> Token:
    kind = KEYWORDS.get(token.value)
    if kind:
        token.type = kind
    elif not token.value.isascii():
        literals.check_name(token.value, token.start_pos or 0)
    return token


class _Brackets:
    """Tells the braces of a predicate from those of a map, and counts tokens and brackets on the way."""

    always_accept = ()

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The same tokens; an opening brace where a predicate begins is a BLOCK."""
        before = piped = ""
        open_brackets: list[int] = []  # for each, how many commas come before its predicate; -1 for none
        for count, token in enumerate(_without_last_semicolon(stream)):
            kind = token.type
            if count > MAX_TOKENS:
                raise ExprError(f"this expression has more than {MAX_TOKENS} words and signs", token.start_pos or 0)
            if kind == "LBRACE" and open_brackets and open_brackets[-1] == 0 and before in ("COMMA", "LPAR"):
                token.type = "BLOCK"
            continues = before in _OPERAND_ENDS or piped in ("DOT", "OPTIONAL")
            if (kind == "POINTER" or (kind == "DOT" and not continues)) and 0 not in open_brackets:
                raise ExprError("# stands for an element, and there is no loop around it", token.start_pos or 0)
            if kind in _OPENING:
                commas = (0 if piped == "VBAR" else 1) if before == "PREDICATE" else -1
                open_brackets.append(commas)
                if len(open_brackets) > MAX_NESTING:
                    raise ExprError(f"more than {MAX_NESTING} brackets within brackets", token.start_pos or 0)
            elif kind in _CLOSING and open_brackets:
                open_brackets.pop()
            elif kind == "COMMA" and open_brackets:
                open_brackets[-1] -= 1
            piped, before = before, kind
            yield token


def _without_last_semicolon(stream: Iterator[Token]) -> Iterator[Token]:
    """A `;` at the very end separates nothing."""
    held = None
    for token in stream:
        if held is not None:
            yield held
        held = token if token.type == "SEMICOLON" else None
        if held is None:
            yield token


_OPERAND_ENDS = frozenset({"NAME", "NUMBER", "STRING", "RAW", "BYTES", "POINTER", "RPAR", "RBRACE", "RSQB"})
_OPENING = frozenset({"LPAR", "LBRACE", "LBRACKET"})
_CLOSING = frozenset({"RPAR", "RBRACE", "RSQB"})


class _Piped(NamedTuple):
    """The right-hand side of `x | f(y)`."""

    name: Token
    arguments: list[Node]


class _Builder:
    """One method per rule of exprlang.lark; each takes the rule's children and returns a node."""

    def name(self, children: list[Token]) -> Node:
        token = children[0]
        place = _place(token)
        if token.value in CONSTANTS:
            return Literal(value=CONSTANTS[token.value], **place)
        return Identifier(name=str(token), **place)

    def number(self, children: list[Token]) -> Node:
        token = children[0]
        return Literal(value=literals.number(token.value, token.start_pos or 0), **_place(token))

    def string(self, children: list[Token]) -> Node:
        token = children[0]
        return Literal(value=literals.string(token.value, token.start_pos or 0), **_place(token))

    def raw(self, children: list[Token]) -> Node:
        return Literal(value=literals.raw_string(children[0].value), **_place(children[0]))

    def bytes(self, children: list[Token]) -> Node:
        token = children[0]
        return Literal(value=literals.byte_string(token.value, token.start_pos or 0), **_place(token))

    def pointer(self, children: list[Token]) -> Node:
        return Pointer(name=str(children[1]) if children[-1] is not None and len(children) > 1 else "", **_place(children[0]))

    def pointer_member(self, children: list[Token]) -> Node:
        return self.member([Pointer(name="", **_place(children[0])), *children])

    def pointer_method(self, children: list[Any]) -> Node:
        return self.method([Pointer(name="", **_place(children[0])), *children])

    def group(self, children: list[Node]) -> Node:
        return children[0]

    def sequence(self, children: list[Node]) -> Node:
        return Sequence(items=tuple(children), offset=children[0].offset, length=children[0].length)

    def arguments(self, children: list[Any]) -> list[Node]:
        return [child for child in children if child is not None]

    def call(self, children: list[Any]) -> Node:
        return _call(children[0], children[1])

    def predicate_call(self, children: list[Any]) -> Node:
        return _call(children[0], [child for child in children[1:] if child is not None])

    def piped(self, children: list[Any]) -> _Piped:
        name, *rest = children
        given = rest[0] if rest and isinstance(rest[0], list) else rest
        return _Piped(name, [child for child in given if child is not None])

    def predicate(self, children: list[Any]) -> Node:
        body = children[-1]
        return Predicate(body=body, offset=children[0].start_pos if len(children) > 1 else body.offset, length=1)

    def array(self, children: list[Any]) -> Node:
        bracket, *items = children
        return Array(items=tuple(item for item in items if item is not None), **_place(bracket))

    def map(self, children: list[Any]) -> Node:
        brace, *rest = children
        rest = [child for child in rest if child is not None]
        return Map(pairs=tuple((_key(key), value) for key, value in zip(rest[::2], rest[1::2], strict=True)), **_place(brace))

    def member(self, children: list[Any]) -> Node:
        base, dot, name = children
        place, optional = _place(name), dot.type == "OPTIONAL"
        chained = isinstance(base, Chain)
        member = Member(
            base=base.body if isinstance(base, Chain) else base,
            key=Literal(value=str(name), **place),
            optional=optional,
            **place,
        )
        return Chain(body=member, **place) if chained or optional else member

    def method(self, children: list[Any]) -> Node:
        *path, arguments = children
        callee = self.member(path)
        place = {"offset": callee.offset, "length": callee.length}
        if isinstance(callee, Chain):
            return Chain(body=Call(callee=callee.body, arguments=tuple(arguments), **place), **place)
        return Call(callee=callee, arguments=tuple(arguments), **place)

    def index(self, children: list[Any]) -> Node:
        base, optional, bracket, key = (children[0], len(children) == 4 and children[1] is not None, children[-2], children[-1])
        member = Member(base=base, key=key, optional=optional, **_place(bracket))
        return Chain(body=member, **_place(bracket)) if optional else member

    def slice_bounds(self, children: list[Any]) -> tuple[Node | None, Node | None]:
        return children[0], children[1]

    def slice(self, children: list[Any]) -> Node:
        start, stop = children[-1]
        return Slice(base=children[0], start=start, stop=stop, **_place(children[-2]))

    def let(self, children: list[Any]) -> Node:
        _, name, value, body = children
        return Let(name=str(name), value=value, body=body, **_place(name))

    def conditional(self, children: list[Any]) -> Node:
        _, test, yes, _, no = children
        return Conditional(test=test, yes=yes, no=no, offset=test.offset, length=test.length)

    def ternary(self, children: list[Any]) -> Node:
        test, mark, yes, no = children
        return Conditional(test=test, yes=yes, no=no, **_place(mark))

    def elvis(self, children: list[Any]) -> Node:
        test, mark, no = children
        return Conditional(test=test, yes=test, no=no, **_place(mark))

    def operation(self, children: list[Any]) -> Node:
        return children[0] if len(children) == 1 else _Climber(children).climb(0)


def _place(token: Token) -> dict[str, int]:
    return {"offset": token.start_pos or 0, "length": len(token)}


def _key(key: Any) -> Node:
    """A map's key: a word, text or number stands for its own text; an expression in parentheses is evaluated."""
    if isinstance(key, Node):
        return key
    if key.type == "STRING":
        return Literal(value=literals.string(key.value, key.start_pos), **_place(key))
    return Literal(value=literals.raw_string(key.value) if key.type == "RAW" else key.value, **_place(key))


def _call(name: Token, arguments: list[Node]) -> Node:
    if name.type == "PREDICATE":
        least, most = PREDICATE_ARGUMENTS[name.value]
        if not least <= len(arguments) <= most:
            allowed = least if least == most else f"{least} to {most}"
            raise ExprError(f"{name} takes {allowed} arguments, not {len(arguments)}", **_place(name))
        return Builtin(name=str(name), arguments=tuple(arguments), **_place(name))
    if name.value in FUNCTIONS:
        return Builtin(name=str(name), arguments=tuple(arguments), **_place(name))
    return Call(callee=Identifier(name=str(name), **_place(name)), arguments=tuple(arguments), **_place(name))


class _Climber:
    """Turns a flat list of operands and operators into a tree, by precedence climbing."""

    def __init__(self, items: list[Any]) -> None:
        self.items, self.at = items, 0

    def next(self) -> Any:
        self.at += 1
        return self.items[self.at - 1]

    def peek(self) -> Any:
        return self.items[self.at] if self.at < len(self.items) else None

    def climb(self, floor: int) -> Node:
        """Everything from here on that binds at least as tight as `floor`."""
        left, before = self.operand(), ""
        while (item := self.peek()) is not None:
            if isinstance(item, _Piped):
                if floor > 0:
                    break
                left, before = _call(self.next().name, [left, *item.arguments]), "|"
                continue
            operator = self.operator(item)
            if BINARY[operator.value] < floor:
                break
            if before == "??" and operator.value != "??":
                message = f"{operator.value} and ?? cannot be mixed: put parentheses around one of them"
                raise ExprError(message, **_place(operator))
            self.at += 1 + (operator is not item)
            left = self.comparison(left, operator) if operator.value in COMPARISONS else self.binary(left, operator)
            if operator is not item:
                left = Unary(operator="not", operand=left, **_place(operator))
            before = operator.value
        return left

    def operator(self, item: Token) -> Token:
        """The operator that begins here: the second word of `not in` and its like."""
        if item.value != "not":
            return item
        operator: Token = self.items[self.at + 1]
        if operator.value not in NEGATABLE:
            raise ExprError(f"unexpected {operator.value!r} after not", **_place(operator))
        return operator

    def binary(self, left: Node, operator: Token) -> Node:
        floor = BINARY[operator.value]
        right = self.climb(floor if operator.value in RIGHT_ASSOCIATIVE else floor + 1)
        return Binary(operator=str(operator), left=left, right=right, **_place(operator))

    def comparison(self, left: Node, operator: Token) -> Node:
        """`a < b < c` is `a < b && b < c`."""
        result: Node | None = None
        while True:
            right = self.climb(BINARY[operator.value] + 1)
            compared = Binary(operator=str(operator), left=left, right=right, **_place(operator))
            result = Binary(operator="&&", left=result, right=compared, **_place(operator)) if result else compared
            item = self.peek()
            if item is None or isinstance(item, _Piped) or item.value not in COMPARISONS:
                return result
            left, operator = right, self.next()

    def operand(self) -> Node:
        item = self.next()
        if isinstance(item, Node):
            return item
        return Unary(operator=str(item), operand=self.climb(UNARY[item.value]), **_place(item))
