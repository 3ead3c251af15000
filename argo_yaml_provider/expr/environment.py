"""The names an expression sees: Argo's flat variables, nested by their dots, and Argo's own functions.

In: {"inputs.parameters.x": "…"}.  Out: {"inputs": {"parameters": {"x": "…"}}, "asInt": …, "sprig": …}.
Must not know: syntax. Argo: util/expr/env/env.go, util/expand/expand.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from argo_yaml_provider.expr.nodes import Identifier, Node, walk


def root(name: str) -> str:
    return name.partition(".")[0]


def nested(flat: Mapping[str, Any], roots: Iterable[str] | None = None) -> dict[str, Any]:
    """The variables as a tree; with `roots`, only those roots of it.

    Of `a` and `a.b`, the shorter is dropped. (Argo drops it only if they are neighbours in sort order, and else keeps a
    random one; it is never the wiser choice.)
    """
    wanted = None if roots is None else frozenset(roots)
    made = _Branches()
    for name, value in flat.items():
        if wanted is None or name.partition(".")[0] in wanted:
            made.put(name, _copied(value) if isinstance(value, (dict, list)) else value)
    return made.tree


class _Branches:
    """The maps made of dots, by their paths, so that a name costs one look-up however long it is."""

    __slots__ = ("paths", "tree")

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {}
        self.paths: dict[str, dict[str, Any]] = {}

    def put(self, name: str, value: Any) -> None:
        """A variable, unless there are longer ones that begin with it."""
        parent, dot, last = name.rpartition(".")
        if name not in self.paths:
            (self.branch(parent) if dot else self.tree)[last] = value

    def branch(self, path: str) -> dict[str, Any]:
        """The map at a path; what stood there before is dropped."""
        found = self.paths.get(path)
        if found is None:
            parent, dot, last = path.rpartition(".")
            found = self.paths[path] = (self.branch(parent) if dot else self.tree)[last] = {}
        return found


def _copied(value: Any) -> Any:
    """A value of its own for this evaluation: `sprig.set` changes maps."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if type(value) is list else value


def with_functions(variables: dict[str, Any], roots: frozenset[str] | None = None) -> dict[str, Any]:
    """The variables, and Argo's functions, which win over them; with `roots`, only those of them."""
    from argo_yaml_provider.expr.functions import argo_functions

    return variables | argo_functions(roots)


def root_names(tree: Node) -> frozenset[str] | None:
    """The roots an expression can reach; None for all of them, since it says `$env`."""
    names = frozenset(node.name for node in walk(tree) if isinstance(node, Identifier))
    return None if "$env" in names else names
