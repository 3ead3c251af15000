"""Which natures go together with which operators, and what comes of it.

In: an operator, and the natures of its sides.  Out: the nature of the result, or None if they do not go together.
Must not know: the walk over the tree. expr-lang: checker/checker.go, unaryNode and binaryNode.
"""

from __future__ import annotations

from collections.abc import Callable

from argo_yaml_provider.expr import nodes as n
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.natures import BOOL, DURATION, FLOAT, INT, NIL, STRING, TIME, UNKNOWN, Nature, list_of, of_type

Rule = Callable[[Nature, Nature], Nature | None]


def check_unary(operator: str, operand: Nature) -> Nature | None:
    if operator in ("!", "not"):
        return BOOL if operand.type == "bool" or operand.unknown else None
    return operand if operand.number else UNKNOWN if operand.unknown else None


def check_binary(operator: str, left: Nature, right: Nature, right_node: n.Node) -> Nature | None:
    if operator == "matches" and isinstance(right_node, n.Literal) and isinstance(right_node.value, str):
        from argo_yaml_provider.expr import regexes

        regexes.compiled(right_node.value)
    return _RULES[operator](left, right)


def _equality(left: Nature, right: Nature) -> Nature | None:
    return BOOL if left.comparable_to(right) else None


def _logic(left: Nature, right: Nature) -> Nature | None:
    return BOOL if left.type == right.type == "bool" or left.maybe(right, "bool") else None


def _order(left: Nature, right: Nature) -> Nature | None:
    alike = left.type == right.type and left.type in ("string", TIME, DURATION)
    return BOOL if alike or (left.number and right.number) or left.maybe(right, "number string time duration") else None


def _arithmetic(table: dict[tuple[str, str], Nature], kinds: str) -> Rule:
    """Numbers make numbers; the table says what else goes together."""

    def rule(left: Nature, right: Nature) -> Nature | None:
        if left.number and right.number:
            return FLOAT if FLOAT in (left, right) else INT
        known = table.get((left.type, right.type))
        if known:
            return known
        return UNKNOWN if left.maybe(right, kinds) else None

    return rule


def _times(left: Nature, right: Nature) -> Nature | None:
    if {left.type, right.type} <= {DURATION} or (DURATION in (left.type, right.type) and (left.number or right.number)):
        return of_type(DURATION)
    return _multiplied(left, right)


def _numeric(kinds: str, result: Nature) -> Rule:
    def rule(left: Nature, right: Nature) -> Nature | None:
        return result if (left.is_any_of(kinds) and right.is_any_of(kinds)) or left.maybe(right, kinds) else None

    return rule


def _membership(left: Nature, right: Nature) -> Nature | None:
    if right.map:
        key = right.key()
        if not left.unknown and not key.unknown and not left.assignable_to(key):
            raise Panic(f"cannot use {left} as type {key} in map key")
        return BOOL
    if right.array:
        if not left.comparable_to(right.elements()):
            raise Panic(f"cannot use {left} as type {right.elements()} in array")
        return BOOL
    if right.type in (TIME, "time.Location") and (left.unknown or left.type == "string"):
        return BOOL
    return BOOL if right.unknown or (left.unknown and right.type == "string") else None


def _match(left: Nature, right: Nature) -> Nature | None:
    if right.type == "string" and left.type in ("string", "[]uint8"):
        return BOOL
    return BOOL if left.maybe(right, "string") else None


def _coalesce(left: Nature, right: Nature) -> Nature | None:
    if left.nil or right.nil:
        return NIL if left.nil and right.nil else right if left.nil else left
    return left if right.assignable_to(left) else UNKNOWN


_TIME, _DURATION = of_type(TIME), of_type(DURATION)
_multiplied = _arithmetic({}, "number duration")
_add = _arithmetic(
    {("string", "string"): STRING, (TIME, DURATION): _TIME, (DURATION, TIME): _TIME, (DURATION, DURATION): _DURATION},
    "number string time duration",
)
_subtract = _arithmetic(
    {(TIME, TIME): _DURATION, (TIME, DURATION): _TIME, (DURATION, DURATION): _DURATION}, "number time duration"
)
_RULES: dict[str, Rule] = {
    "==": _equality,
    "!=": _equality,
    "or": _logic,
    "||": _logic,
    "and": _logic,
    "&&": _logic,
    "<": _order,
    ">": _order,
    "<=": _order,
    ">=": _order,
    "+": _add,
    "-": _subtract,
    "*": _times,
    "/": _numeric("number", FLOAT),
    "**": _numeric("number", FLOAT),
    "^": _numeric("number", FLOAT),
    "%": _numeric("integer", INT),
    "..": _numeric("integer", list_of(INT)),
    "in": _membership,
    "matches": _match,
    "contains": _numeric("string", BOOL),
    "startsWith": _numeric("string", BOOL),
    "endsWith": _numeric("string", BOOL),
    "??": _coalesce,
}
