"""The syntax tree of an expr-lang expression.

In: nothing.  Out: one frozen class per kind of node, each with the offset and length its errors point at.
Must not know: types, values, evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    offset: int
    length: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal(Node):
    """nil, true, 1, 1.5, 'text' or b'bytes': the Python type says which."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier(Node):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Node):
    operator: str
    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary(Node):
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Node):
    """`base.name` or `base[key]`; optional after `?.`."""

    base: Node
    key: Node
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain(Node):
    """Where a nil met by `?.` inside ends up: the whole chain becomes nil."""

    body: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Node):
    base: Node
    start: Node | None
    stop: Node | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    callee: Node
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Builtin(Node):
    """A call of one of the language's own functions, such as `len(x)` or `filter(x, # > 1)`."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate(Node):
    """The `# > 1` of `filter(x, # > 1)`."""

    body: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer(Node):
    """`#`, `#index`, `#acc`; the name is empty for `#`."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Let(Node):
    name: str
    value: Node
    body: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional(Node):
    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Array(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Map(Node):
    pairs: tuple[tuple[Node, Node], ...]


def children(node: Node) -> list[Node]:
    """The nodes directly below this one, from left to right."""
    found: list[Node] = []
    for name in type(node).__slots__:
        part = getattr(node, name)
        if isinstance(part, Node):
            found.append(part)
        elif isinstance(part, tuple):
            for item in part:
                found += [item] if isinstance(item, Node) else item
    return found


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(children(node))
