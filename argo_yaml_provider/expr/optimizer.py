"""Rewriting that can be seen from outside: what expr-lang's optimizer changes in a value or an error.

In: a checked tree, and the natures of its nodes.  Out: a tree for the compiler.
Must not know: values of variables. expr-lang: optimizer/*.go, and the typed comparisons of compiler/compiler.go.

`name && true` becomes `name`, whatever `name` is; `x in ['a']` looks a key up; `sum(1..n)` is computed at once; and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from argo_yaml_provider.expr import nodes as n
from argo_yaml_provider.expr import operators
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.natures import UNKNOWN, Nature
from argo_yaml_provider.expr.values import wrap

IN_TEXTS = "in texts"
"""`in` over a set of literal texts."""
EQUAL_INTS, EQUAL_TEXTS = "== int", "== string"
"""Comparisons of what the checker took for two ints or two texts, and that fail on anything else."""
_FOLDED = frozenset({"+", "-", "*", "/", "%", "**", "^"})
_NUMBERS = (int, float)
_EQUAL = (int, str, bool)


def optimize(node: n.Node, natures: Mapping[int, Nature]) -> n.Node:
    """The tree, rewritten from its leaves up."""
    changes: dict[str, Any] = {}
    better: Any
    for field in fields(node):
        part = getattr(node, field.name)
        if isinstance(part, n.Node):
            better = optimize(part, natures)
        elif isinstance(part, tuple):
            better = tuple(_each(item, natures) for item in part)
        else:
            continue
        if better is not part:
            changes[field.name] = better
    rewritten = replace(node, **changes) if changes else node
    rule = _RULES.get(type(node))
    return rule(rewritten, node, natures) if rule else rewritten


def _each(item: Any, natures: Mapping[int, Nature]) -> Any:
    return optimize(item, natures) if isinstance(item, n.Node) else tuple(optimize(part, natures) for part in item)


def _type(node: n.Node, natures: Mapping[int, Nature]) -> str:
    return natures.get(id(node), UNKNOWN).type


def _is(node: n.Node, *types: type) -> bool:
    """Whether it is a literal of exactly one of these types."""
    return isinstance(node, n.Literal) and type(node.value) in types


def _literal(value: Any, like: n.Node) -> n.Literal:
    return n.Literal(value=value, offset=like.offset, length=like.length)


def _unary(node: n.Unary, _before: n.Unary, _natures: Mapping[int, Nature]) -> n.Node:
    operand = node.operand
    if not isinstance(operand, n.Literal):
        return node
    if node.operator in ("!", "not"):
        return _literal(not operand.value, node) if _is(operand, bool) else node
    if not _is(operand, *_NUMBERS):
        return node
    value = operand.value if node.operator == "+" else operators.negate(operand.value)
    return _literal(value, node)


def _binary(node: n.Binary, before: n.Binary, natures: Mapping[int, Nature]) -> n.Node:
    if node.operator in _LOGIC:
        return _logic(node)
    types = (_type(before.left, natures), _type(before.right, natures))
    if node.operator == "in":
        return _membership(node, types[0])
    if node.operator in ("==", "!="):
        return _equality(node, types)
    if node.operator in _FOLDED:
        return _folded(node)
    return _counted(node)


_LOGIC = {"and": True, "&&": True, "or": False, "||": False}
"""The side that says nothing, per operator."""


def _logic(node: n.Binary) -> n.Node:
    neutral = _LOGIC[node.operator]
    sides = (node.left, node.right)
    for side, other in (sides, sides[::-1]):
        if _is(side, bool) and isinstance(side, n.Literal) and side.value is neutral:
            return other
    if any(_is(side, bool) for side in sides):
        return _literal(not neutral, node)
    return node


def _membership(node: n.Binary, left: str) -> n.Node:
    right = node.right
    if isinstance(right, n.Array) and right.items and all(_is(item, str) for item in right.items):
        texts = frozenset(item.value for item in right.items if isinstance(item, n.Literal))
        return replace(node, operator=IN_TEXTS, right=_literal(texts, right))
    if left == "int" and _range_sum(right) and isinstance(right, n.Binary):
        above, below = replace(node, operator=">=", right=right.left), replace(node, operator="<=", right=right.right)
        return replace(node, operator="&&", left=above, right=below)
    return node


def _equality(node: n.Binary, types: tuple[str, str]) -> n.Node:
    left, right = node.left, node.right
    if isinstance(left, n.Literal) and isinstance(right, n.Literal) and _is(left, *_EQUAL) and _is(right, type(left.value)):
        return _literal((left.value == right.value) is (node.operator == "=="), node)
    typed = {("int", "int"): EQUAL_INTS, ("string", "string"): EQUAL_TEXTS}.get(types)
    if not typed:
        return node
    compared = replace(node, operator=typed)
    if node.operator == "==":
        return compared
    return n.Unary(operator="not", operand=compared, offset=node.offset, length=node.length)


def _folded(node: n.Binary) -> n.Node:
    left, right = node.left, node.right
    if not isinstance(left, n.Literal) or not isinstance(right, n.Literal):
        return node
    texts = node.operator == "+" and _is(left, str) and _is(right, str)
    if not texts and not (_is(left, *_NUMBERS) and _is(right, *_NUMBERS)):
        return node
    try:
        return _literal(operators.BINARY[node.operator](left.value, right.value), node)
    except Panic as error:
        raise error.placed(node.offset, node.length) from None


def _counted(node: n.Binary) -> n.Node:
    """`count(x, p) > 0` stops at the first, like `any(x, p)`."""
    left, right = node.left, node.right
    if isinstance(left, n.Builtin) and left.name == "count" and len(left.arguments) == 2 and _is(right, int):
        assert isinstance(right, n.Literal)
        if (node.operator, right.value) in ((">", 0), (">=", 1)):
            return replace(left, name="any")
    return node


def _member(node: n.Member, _before: n.Member, _natures: Mapping[int, Nature]) -> n.Node:
    """`filter(x, p)[0]` looks no further than the first."""
    base, key = node.base, node.key
    if node.optional or not isinstance(base, n.Builtin) or base.name != "filter":
        return node
    if isinstance(key, n.Literal) and _is(key, int):
        name = {0: "findOrFail", -1: "findLastOrFail"}.get(key.value)
        if name:
            return n.Builtin(name=name, arguments=base.arguments, offset=node.offset, length=node.length)
    return node


_OVER_FILTER = {"len": "count", "first": "find", "last": "findLast"}


def _builtin(node: n.Builtin, _before: n.Builtin, _natures: Mapping[int, Nature]) -> n.Node:
    first = node.arguments[0] if node.arguments else node
    if node.name in _OVER_FILTER and len(node.arguments) == 1 and isinstance(first, n.Builtin) and first.name == "filter":
        return replace(node, name=_OVER_FILTER[node.name], arguments=first.arguments)
    if node.name == "sum":
        return _sum(node, first)
    if node.name == "reduce" and _adds_up(node.arguments[1]):
        total = _range_sum(first)
        initial = node.arguments[2] if len(node.arguments) > 2 else _literal(0, node)
        if total and _is(initial, int) and isinstance(initial, n.Literal):
            return _literal(wrap(total[0] + initial.value), node)
    return node


def _sum(node: n.Builtin, first: n.Node) -> n.Node:
    total = _range_sum(first)
    if total:
        value = total[0] if len(node.arguments) == 1 else _mapped_sum(node.arguments[1], *total)
        return node if value is None else _literal(wrap(value), node)
    if (
        len(node.arguments) == 1
        and isinstance(first, n.Array)
        and len(first.items) > 1
        and not all(_is(item, int, float, str, bool) for item in first.items)
    ):
        *items, added = first.items
        for item in reversed(items):
            added = n.Binary(operator="+", left=item, right=added, offset=node.offset, length=node.length)
        return added
    return node


def _range_sum(node: n.Node) -> tuple[int, int] | None:
    """The sum and the size of a literal range; None if it is none, or empty."""
    if not isinstance(node, n.Binary) or node.operator != "..":
        return None
    left, right = node.left, node.right
    if not (isinstance(left, n.Literal) and isinstance(right, n.Literal) and _is(left, int) and _is(right, int)):
        return None
    low, high = left.value, right.value
    if high < low:
        return None
    count = wrap(high - low + 1)
    doubled = wrap(count * wrap(low + high))
    return (doubled - operators.remainder(doubled, 2)) // 2, count


def _mapped_sum(predicate: n.Node, total: int, count: int) -> int | None:
    body = predicate.body if isinstance(predicate, n.Predicate) else predicate
    if _is_pointer(body):
        return total
    if not isinstance(body, n.Binary):
        return None
    for pointer, number, sign in ((body.left, body.right, 1), (body.right, body.left, -1)):
        if _is_pointer(pointer) and _is(number, int) and isinstance(number, n.Literal):
            sums: dict[str, Callable[[int], int]] = {
                "*": lambda value: value * total,
                "+": lambda value: total + count * value,
                "-": lambda value, sign=sign: sign * (total - count * value),  # type: ignore[misc]
            }
            return sums[body.operator](number.value) if body.operator in sums else None
    return None


def _is_pointer(node: n.Node, name: str = "") -> bool:
    return isinstance(node, n.Pointer) and node.name == name


def _adds_up(predicate: n.Node) -> bool:
    body = predicate.body if isinstance(predicate, n.Predicate) else predicate
    return (
        isinstance(body, n.Binary)
        and body.operator == "+"
        and {side.name for side in (body.left, body.right) if isinstance(side, n.Pointer)} == {"", "acc"}
    )


_RULES: dict[type[n.Node], Callable[[Any, Any, Mapping[int, Nature]], n.Node]] = {
    n.Unary: _unary,
    n.Binary: _binary,
    n.Member: _member,
    n.Builtin: _builtin,
}
