"""The fields of an object that Argo heeds and that change nothing here, each with the reason.

In: a `Resource`.  Out: `Inert`s, in the order of the file.
Must not know: why a field is inert; argo.fields says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from argo_yaml_provider.diagnostics import Pos
from argo_yaml_provider.source import Node
from argo_yaml_provider.source.nodes import Path
from argo_yaml_provider.spec.fields import Field, Type, is_struct, struct_of
from argo_yaml_provider.spec.problems import show_path
from argo_yaml_provider.spec.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Inert:
    """One field that is read past."""

    pos: Pos
    path: str
    reason: str


def inert_fields(resource: Resource) -> tuple[Inert, ...]:
    """All of one object of Argo's."""
    found = _of_value(resource.document.root, Type(name=resource.kind), ())
    return tuple(
        Inert(pos=resource.at(path, key=True), path=show_path(resource.document, path), reason=field.inert)
        for path, field in found
    )


def _of_value(node: Node, type_: Type, path: Path) -> Iterator[tuple[Path, Field]]:
    if type_.of is not None and isinstance(node.value, list):
        for index, child in enumerate(node.value):
            yield from _of_value(child, type_.of, (*path, index))
    elif type_.of is not None and isinstance(node.value, dict):
        for name, (_, child) in node.value.items():
            yield from _of_value(child, type_.of, (*path, name))
    elif is_struct(type_) and isinstance(node.value, dict):
        yield from _of_struct(node, type_, path)


def _of_struct(node: Node, type_: Type, path: Path) -> Iterator[tuple[Path, Field]]:
    fields = struct_of(type_.name).fields
    for name, (_, child) in node.value.items():
        if name in fields and fields[name].inert:
            yield (*path, name), fields[name]
        elif name in fields:
            yield from _of_value(child, fields[name].type, (*path, name))
