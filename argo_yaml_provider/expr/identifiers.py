"""Which variables an expression names, and which of them are there.

In: a syntax tree, or variables nested by their dots.  Out: names in the order of evaluation, `base.member` paths among them.
Must not know: values' types. Argo: util/template/expression_template.go getIdentifiers, hasVarInEnv.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from argo_yaml_provider.expr import nodes
from argo_yaml_provider.expr.nodes import Node


def identifiers(tree: Node) -> tuple[str, ...]:
    """Every name, each once; a member that `??` or `?.` guards is not counted, the name it starts from is."""
    names = (_name(node) for node, guarded in _walk(tree) if not guarded or not isinstance(node, nodes.Member))
    return tuple(dict.fromkeys(name for name in names if name is not None))


def has_variable(env: Mapping[str, Any], name: str) -> bool:
    """Whether a name, dots and all, leads somewhere; a variable that holds nil is there."""
    if name in env:
        return True
    parts = name.split(".")
    value: Any = env
    for length in range(len(parts) - 1, 0, -1):
        prefix = ".".join(parts[:length])
        if prefix in env:
            value, parts = env[prefix], parts[length:]
            break
    for part in parts:
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True


def _name(node: Node) -> str | None:
    if isinstance(node, nodes.Identifier):
        return node.name
    return _path(node) if isinstance(node, nodes.Member) else None


def _path(node: Node) -> str | None:
    """`a.b.c` of a member access whose keys are all literal and none optional."""
    parts: list[str] = []
    while isinstance(node, nodes.Member):
        if node.optional or not isinstance(node.key, nodes.Literal) or not isinstance(node.key.value, str):
            return None
        parts.append(node.key.value)
        node = node.base
    return ".".join([node.name, *reversed(parts)]) if isinstance(node, nodes.Identifier) else None


def _walk(tree: Node) -> Iterator[tuple[Node, bool]]:
    """Every node, children first, and whether `??` or `?.` guards it; without recursion, as deep as the text is long."""
    stack = [(tree, False, False, False)]
    while stack:
        node, left_of_coalesce, before_optional, children_done = stack.pop()
        if children_done:
            yield node, left_of_coalesce or before_optional
            continue
        stack.append((node, left_of_coalesce, before_optional, True))
        for index, child in reversed(tuple(enumerate(_children(node)))):
            coalesced = isinstance(node, nodes.Binary) and node.operator == "??" and index == 0
            optional = isinstance(node, nodes.Member) and node.optional and index == 0
            stack.append((child, left_of_coalesce or coalesced, optional, False))


_CHILDREN: dict[type[Node], tuple[str, ...]] = {
    nodes.Unary: ("operand",),
    nodes.Binary: ("left", "right"),
    nodes.Member: ("base", "key"),
    nodes.Chain: ("body",),
    nodes.Slice: ("base", "start", "stop"),
    nodes.Call: ("callee", "arguments"),
    nodes.Builtin: ("arguments",),
    nodes.Predicate: ("body",),
    nodes.Let: ("value", "body"),
    nodes.Sequence: ("items",),
    nodes.Conditional: ("test", "yes", "no"),
    nodes.Array: ("items",),
    nodes.Map: ("pairs",),
}
"""The fields of a node that hold nodes, in the order in which expr-lang's ast.Walk visits them."""


def _children(node: Node) -> Iterator[Node]:
    for field in _CHILDREN.get(type(node), ()):
        yield from _nodes_in(getattr(node, field))


def _nodes_in(value: Node | tuple[Any, ...] | None) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    for item in value if isinstance(value, tuple) else ():
        yield from _nodes_in(item)
