"""The conditions and computations within a JSONPath: `@.size > 3 && @.name =~ 'a.*'`.

In: the text between `?(` and `)`.  Out: a function of the search and the current value.
Must not know: how a path is cut. Library: github.com/evilmonkeyinc/jsonpath 0.8.1, script/standard.

The library looks for operators by name, the loosest first, and takes what stands left and right of the first it finds; what
holds no operator is text, and becomes a number or a truth when one is needed. Texts found by a path are in single quotes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from argo_yaml_provider.expr import regexes
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.functions_json import read_json
from argo_yaml_provider.expr.functions_numbers import parse_float, parse_int
from argo_yaml_provider.expr.jsonpath import Query, compiled
from argo_yaml_provider.expr.limits import SLOW
from argo_yaml_provider.expr.operators import power, quotient, remainder
from argo_yaml_provider.expr.rendering import render_go

Operand = Callable[["Scope"], Any]
OPERATORS = ("||", "&&", "==", "!=", "<=", ">=", "<", ">", "=~", "!", "+", "-", "**", "*", "/", "%", "not in", "in", "@", "$")
_TRUTHS = {
    "1": True, "t": True, "T": True, "TRUE": True, "true": True, "True": True,
    "0": False, "f": False, "F": False, "FALSE": False, "false": False, "False": False,
}  # fmt: skip
MAX_DEPTH = 50
RENDERED = 4
"""Steps that rendering costs, an element."""


class Scope:
    """What the names in a script stand for."""

    __slots__ = ("names", "query")

    def __init__(self, query: Query, current: Any) -> None:
        self.query = query
        self.names = {"$": query.root, "@": current, "nil": None, "null": None}

    def named(self, argument: Any) -> Any:
        """An operation's value, or what a word stands for."""
        value = argument(self) if callable(argument) else argument
        return self.names.get(value, value) if isinstance(value, str) else value

    def rendered(self, value: Any) -> str:
        """The value as Go prints it; it may be the whole document."""
        self.query.budget.weigh((value,), RENDERED)
        return render_go(value)


def compile_script(text: str) -> Callable[[Query, Any], Any]:
    """The function of a script."""
    operation = _operation(text, OPERATORS, 0)

    def evaluate(query: Query, current: Any) -> Any:
        if not text:
            raise Panic("invalid expression. is empty")
        scope = Scope(query, current)
        return operation(scope) if operation else _word(text, scope)

    return evaluate


def _word(text: str, scope: Scope) -> Any:
    if text in scope.names:
        return scope.names[text]
    for read in (number, truth):
        try:
            return read(text, scope)
        except Panic:
            continue
    return text


def _operation(text: str, operators: tuple[str, ...], depth: int) -> Operand | None:
    """The loosest operation in the text; None if there is none."""
    if depth > MAX_DEPTH * len(OPERATORS):
        raise Panic("this script is nested too deep")
    text = text.strip()
    if not text:
        return None
    if text.startswith("(") and text.endswith(")"):
        text, operators = text[1:-1].strip(), ("", *OPERATORS)
    operator = operators[0]
    at = find_operator(text, operator) if operator else -1
    left, right = text[: max(at, 0)].strip(), text[at + len(operator) :].strip()
    prefix = operator in ("@", "$")
    if at < 0 or (not right and not prefix) or (not left and not prefix and operator != "!"):
        return _looser(text, operators, depth)
    arguments = _argument(left, operators, depth), _argument(right, operators, depth)
    if prefix or operator == "!":
        if arguments[0] is not None:
            return _looser(text, operators, depth)
        return _path(text) if prefix else lambda scope: not truth(arguments[1], scope)
    apply = _APPLY[operator]
    return lambda scope: apply(arguments[0], arguments[1], scope)


def _looser(text: str, operators: tuple[str, ...], depth: int) -> Operand | None:
    return _operation(text, operators[1:], depth + 1) if len(operators) > 1 else None


def _argument(text: str, operators: tuple[str, ...], depth: int) -> Any:
    operation = _operation(text, operators, depth + 1)
    if operation:
        return operation
    if (text[:1], text[-1:]) in (("[", "]"), ("{", "}")):
        try:
            return read_json(text)
        except ValueError:
            return text
    return text or None


def find_operator(text: str, operator: str) -> int:
    """Where an operator first ends outside of quotes and brackets; -1 if nowhere."""
    quote, square, round_ = "", 0, 0
    for index, char in enumerate(text):
        if char in "()" and not quote and square <= 0:
            round_ += 1 if char == "(" else -1
        elif char in "[]" and not quote and round_ <= 0:
            square += 1 if char == "[" else -1
        elif char in "'\"" and quote in ("", char) and square <= 0 and round_ <= 0:
            quote = "" if quote else char
        if quote or square > 0 or round_ > 0:
            continue
        start = index + 1 - len(operator)
        if start >= 0 and text[start : index + 1] == operator:
            return start
    return -1


def _path(text: str) -> Operand:
    first, *rest = compiled(text)

    def find(scope: Scope) -> Any:
        value = first.run(scope.query, scope.names["@"], tuple(rest))
        return _in_quotes(value) if isinstance(value, str) else value

    return find


def _in_quotes(text: str) -> str:
    return text if len(text) > 1 and text[0] == text[-1] == "'" else f"'{text}'"


def number(argument: Any, scope: Scope) -> float:
    value = None if argument is None else parse_float(scope.rendered(scope.named(argument)))
    if value is None:
        raise Panic("invalid argument. expected number")
    return value


def _integer(argument: Any, scope: Scope) -> int:
    value = None if argument is None else parse_int(scope.rendered(scope.named(argument)))
    if value is None:
        raise Panic("invalid argument. expected integer")
    return value


def truth(argument: Any, scope: Scope) -> bool:
    value = scope.named(argument)
    if value is None:
        return False
    text = scope.rendered(value)
    if text not in _TRUTHS:
        raise Panic("invalid argument. expected boolean")
    return _TRUTHS[text]


def text(argument: Any, scope: Scope) -> str:
    """The argument as a text: in single quotes, if it was in quotes or stands for a text."""
    if argument is None:
        raise Panic("invalid argument. is nil")
    word = argument(scope) if callable(argument) else argument
    if not isinstance(word, str):
        return scope.rendered(word)
    if word in scope.names:
        value = scope.names[word]
        return _in_quotes(_without_double(value)) if isinstance(value, str) else scope.rendered(value)
    return f"'{word[1:-1]}'" if _is_double(word) else word


def _is_double(word: str) -> bool:
    return len(word) > 1 and word[0] == word[-1] == '"'


def _without_double(word: str) -> str:
    return word[1:-1] if _is_double(word) else word


def _same(left: Any, right: Any, scope: Scope) -> bool:
    """As numbers if both are, else as texts."""
    try:
        return number(left, scope) == number(right, scope)
    except Panic:
        return text(left, scope) == text(right, scope)


def _matches(left: Any, right: Any, scope: Scope) -> bool:
    subject, pattern = (_bare(text(side, scope)) for side in (left, right))
    scope.query.budget.step(SLOW)
    scope.query.budget.weigh((subject,))
    return regexes.compiled(pattern).found(subject)


def _bare(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] == "'" else word


def _contained(left: Any, right: Any, scope: Scope) -> bool:
    item: Any = left
    for read in (number, text, truth):
        try:
            item = read(left, scope)
            break
        except Panic:
            continue
    return any(type(element) is type(item) and element == item for element in _elements(right, scope))


def _elements(argument: Any, scope: Scope) -> list[Any]:
    value = scope.named(argument)
    if isinstance(value, dict):
        return list(value.values())
    if not isinstance(value, list):
        raise Panic("invalid argument. expected array, map, or slice")
    return value


def _numeric(combine: Callable[[float, float], Any]) -> Callable[[Any, Any, Scope], Any]:
    return lambda left, right, scope: combine(number(left, scope), number(right, scope))


def _modulo(left: Any, right: Any, scope: Scope) -> int:
    divisor = _integer(right, scope)
    if divisor == 0:
        raise Panic("runtime error: integer divide by zero")
    return remainder(_integer(left, scope), divisor)


_APPLY: dict[str, Callable[[Any, Any, Scope], Any]] = {
    "||": lambda left, right, scope: truth(left, scope) | truth(right, scope),
    "&&": lambda left, right, scope: truth(left, scope) & truth(right, scope),
    "==": _same,
    "!=": lambda left, right, scope: not _same(left, right, scope),
    "<=": _numeric(lambda left, right: left <= right),
    ">=": _numeric(lambda left, right: left >= right),
    "<": _numeric(lambda left, right: left < right),
    ">": _numeric(lambda left, right: left > right),
    "=~": _matches,
    "+": _numeric(lambda left, right: left + right),
    "-": _numeric(lambda left, right: left - right),
    "**": _numeric(power),
    "*": _numeric(lambda left, right: left * right),
    "/": _numeric(quotient),
    "%": _modulo,
    "not in": lambda left, right, scope: not _contained(left, right, scope),
    "in": _contained,
}
