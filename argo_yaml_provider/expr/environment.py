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
    tree: dict[str, Any] = {}
    for name, value in sorted(flat.items()):
        head, dot, rest = name.partition(".")
        if wanted is not None and head not in wanted:
            continue
        own = _copied(value) if isinstance(value, (dict, list)) else value
        if dot:
            _insert(tree, (head, *rest.split(".")), own)
        else:
            tree.setdefault(head, own)
    return tree


def _insert(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    made = tree
    for part in path[:-1]:
        below = made.get(part)
        if not isinstance(below, _Branch):
            below = made[part] = _Branch()
        made = below
    if not isinstance(made.get(path[-1]), _Branch):
        made[path[-1]] = value


def _copied(value: Any) -> Any:
    """A value of its own for this evaluation: `sprig.set` changes maps."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if type(value) is list else value


class _Branch(dict[str, Any]):
    """A map made of dots, which a variable's own value never is."""

    go_type = "map[string]interface {}"


def with_functions(variables: dict[str, Any], roots: frozenset[str] | None = None) -> dict[str, Any]:
    """The variables, and Argo's functions, which win over them; with `roots`, only those of them."""
    from argo_yaml_provider.expr.functions import argo_functions

    return variables | argo_functions(roots)


def root_names(tree: Node) -> frozenset[str] | None:
    """The roots an expression can reach; None for all of them, since it says `$env`."""
    names = frozenset(node.name for node in walk(tree) if isinstance(node, Identifier))
    return None if "$env" in names else names
