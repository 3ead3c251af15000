"""`when`: run the step or not.

In: the text, with its tags already substituted.  Out: true or false; anything else is an ExprError.
Must not know: tags, steps. Argo: workflow/controller/steps.go shouldExecute, workflow/cron/operator.go evalWhen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from argo_yaml_provider.expr import operators, regexes
from argo_yaml_provider.expr.errors import ExprError, Panic
from argo_yaml_provider.expr.govaluate import parse
from argo_yaml_provider.expr.limits import check_length
from argo_yaml_provider.expr.nodes import Binary, Identifier, Literal, Node, Unary
from argo_yaml_provider.expr.rendering import render_go

Code = Callable[[], Any]


def evaluate_when(text: str) -> bool:
    """The answer of a step's or task's `when`, in which bare words are texts; without a text, yes."""
    return _answer(text, _compiled(text, bare_words=True))


def evaluate_cron_when(text: str, env: Mapping[str, Any]) -> bool:
    """The answer of a CronWorkflow's `when` over `cronworkflow.…`; there, bare words are variables, and there are none."""
    from argo_yaml_provider.expr.template import substitute

    if not text:
        return True
    substituted = substitute(text, env, strict=lambda _name: True, artifacts_may_stay=False)
    return _answer(substituted, _compiled(substituted, bare_words=False))


def check_when(text: str) -> None:
    """An ExprError if the text can be no condition."""
    _compiled(text, bare_words=True)


def _answer(text: str, code: Code | None) -> bool:
    if not text:
        return True
    try:
        value = code() if code else None
    except RecursionError:
        raise ExprError("the condition is nested too deep", 0, len(text)) from None
    if value is True or value is False:
        return value
    raise ExprError(f"Expected boolean evaluation for '{text}'. Got {render_go(value)}", 0, len(text))


@lru_cache(maxsize=1024)
def _compiled(text: str, *, bare_words: bool) -> Code | None:
    try:
        tree = parse(text, bare_words=bare_words)
        return _code(tree) if tree else None
    except RecursionError:
        raise ExprError("the condition is nested too deep", 0, len(text)) from None


def _code(node: Node) -> Code:
    if isinstance(node, Literal):
        value = node.value
        return lambda: value
    if isinstance(node, Unary):
        return _placed(_prefixed(node.operator, _code(node.operand)), node)
    if isinstance(node, Binary):
        return _placed(_combined(node.operator, _code(node.left), _code(node.right)), node)
    assert isinstance(node, Identifier)
    return _placed(_missing(node.name), node)


def _placed(code: Code, node: Node) -> Code:
    def placed() -> Any:
        try:
            return code()
        except Panic as error:
            raise error.placed(node.offset, node.length) from None

    return placed


def _missing(name: str) -> Code:
    def missing() -> Any:
        raise Panic(f"No parameter '{name}' found.")

    return missing


def _prefixed(operator: str, operand: Code) -> Code:
    kind, apply = PREFIXES[operator]

    def prefixed() -> Any:
        value = operand()
        if type(value) is not kind:
            raise Panic(f"Value '{render_go(value)}' cannot be used with the prefix '{operator}'")
        return apply(value)

    return prefixed


PREFIXES: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "-": (float, lambda value: -value),
    "!": (bool, lambda value: not value),
    "~": (float, lambda value: float(~operators.float_to_int(value))),
}


def _combined(operator: str, left: Code, right: Code) -> Code:
    if operator in _LAZY:
        return _LAZY[operator](left, right)
    return _Eager(operator, left, right)


class _Eager:
    """An operator that needs both sides."""

    __slots__ = ("apply", "check", "left", "operator", "right")

    def __init__(self, operator: str, left: Code, right: Code) -> None:
        self.operator, self.left, self.right = operator, left, right
        self.check, self.apply = OPERATORS[operator]

    def __call__(self) -> Any:
        left, right = self.left(), self.right()
        wrong = self.check(left, right)
        if wrong:
            value = left if wrong == "left" else right
            needed = _NEEDS.get(self.operator, "number")
            raise Panic(f"Value '{render_go(value)}' cannot be used with {self.operator}: it is no {needed}")
        return self.apply(left, right)


_NEEDS = {"=~": "text", "!~": "text", "in": "list of two or more"}


def _wrong_bool(value: Any, operator: str) -> Panic:
    return Panic(f"Value '{render_go(value)}' cannot be used with the logical operator '{operator}', it is not a bool")


def _logical(operator: str, settles: bool) -> Callable[[Code, Code], Code]:
    """&& and ||: the right side is only looked at if the left does not settle it."""

    def build(left: Code, right: Code) -> Code:
        def logical() -> bool:
            value = left()
            if value is settles:
                return bool(value)
            other = right()
            for side in (value, other):
                if side is not True and side is not False:
                    raise _wrong_bool(side, operator)
            return bool(other)

        return logical

    return build


def _if(left: Code, right: Code) -> Code:
    def test() -> Any:
        value = left()
        if value is False:
            return None
        other = right()
        if value is not True:
            raise Panic(f"Value '{render_go(value)}' cannot be used with the ternary operator '?', it is not a bool")
        return other

    return test


def _else(left: Code, right: Code) -> Code:
    def otherwise() -> Any:
        value = left()
        return right() if value is None else value

    return otherwise


_LAZY = {"&&": _logical("&&", settles=False), "||": _logical("||", settles=True), "?": _if, ":": _else, "??": _else}


def _numbers(left: Any, right: Any) -> str:
    return "left" if type(left) is not float else "right" if type(right) is not float else ""


def _alike(left: Any, right: Any) -> str:
    return "" if type(left) is type(right) and type(left) in (float, str) else "left"


def _addable(left: Any, right: Any) -> str:
    return "" if str in (type(left), type(right)) else _numbers(left, right)


def _texts(left: Any, right: Any) -> str:
    return "left" if type(left) is not str else "right" if type(right) is not str else ""


def _right_list(_left: Any, right: Any) -> str:
    return "" if isinstance(right, list) else "right"


def _anything(_left: Any, _right: Any) -> str:
    return ""


def _add(left: Any, right: Any) -> Any:
    if type(left) is float and type(right) is float:
        return left + right
    text = render_go(left) + render_go(right)
    check_length(len(text))
    return text


def _member(left: Any, right: list[Any]) -> bool:
    if isinstance(left, list) and any(isinstance(item, list) for item in right):
        raise Panic("runtime error: comparing uncomparable type []interface {}")
    return any(type(left) is type(item) and left == item for item in right)


def _list(left: Any, right: Any) -> list[Any]:
    return [*left, right] if isinstance(left, list) else [left, right]


def _bits(combine: Callable[[int, int], int]) -> Callable[[float, float], float]:
    return lambda left, right: float(combine(operators.float_to_int(left), operators.float_to_int(right)))


def _shift(combine: Callable[[int, int], int]) -> Callable[[float, float], float]:
    mask = (1 << 64) - 1
    return lambda left, right: float(
        combine(operators.float_to_int(left) & mask, min(operators.float_to_int(right) & mask, 64)) & mask
    )


def _modulus(left: float, right: float) -> float:
    return math.fmod(left, right) if right and math.isfinite(left) and not math.isnan(right) else math.nan


OPERATORS: dict[str, tuple[Callable[[Any, Any], str], Callable[[Any, Any], Any]]] = {
    ",": (_anything, _list),
    "==": (_anything, operators.deep_equal),
    "!=": (_anything, lambda left, right: not operators.deep_equal(left, right)),
    ">": (_alike, operators.more),
    ">=": (_alike, operators.more_or_equal),
    "<": (_alike, operators.less),
    "<=": (_alike, operators.less_or_equal),
    "=~": (_texts, lambda left, right: regexes.compiled(right).found(left)),
    "!~": (_texts, lambda left, right: not regexes.compiled(right).found(left)),
    "in": (_right_list, _member),
    "^": (_numbers, _bits(lambda left, right: left ^ right)),
    "&": (_numbers, _bits(lambda left, right: left & right)),
    "|": (_numbers, _bits(lambda left, right: left | right)),
    ">>": (_numbers, _shift(lambda left, right: left >> right)),
    "<<": (_numbers, _shift(lambda left, right: left << right)),
    "+": (_addable, _add),
    "-": (_numbers, lambda left, right: left - right),
    "*": (_numbers, lambda left, right: left * right),
    "/": (_numbers, operators.quotient),
    "%": (_numbers, _modulus),
    "**": (_numbers, operators.power),
}
