"""Kubernetes' strategic merge, over the table of fields.

In: two objects of one type.  Out: the lower one with the higher one laid over it.
Must not know: workflows. Go: k8s.io/apimachinery/pkg/util/strategicpatch.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.spec.fields import Type, is_struct, struct_of
from argo_yaml_provider.spec.resource import Json


def merge_struct(low: Json, high: Json, struct: str) -> Json:
    """Two values of a struct; what Go leaves out when empty does not count as set."""
    fields = struct_of(struct).fields
    merged = dict(low)
    for name, value in high.items():
        if name in low and name in fields:
            merged[name] = _merge(low[name], value, fields[name].type)
        else:
            merged[name] = value
    return {name: merged[name] for name in fields if name in merged}


def _merge(low: Any, high: Any, type_: Type) -> Any:
    if high in ("", [], None) and not isinstance(high, bool):
        return low
    if type_.name == "{}":
        return {**low, **high}
    if type_.name == "[]":
        assert type_.of
        return merge_lists(low, high, type_) if type_.merge_key else high
    return merge_struct(low, high, type_.name) if is_struct(type_) else high


def merge_lists(low: list[Json], high: list[Json], type_: Type) -> list[Json]:
    """Two lists with a merge key: equal keys merge, and the order is that of `high`, with `low`'s own where they stood."""
    assert type_.of
    key = type_.merge_key
    below = {item.get(key): item for item in low}
    taken = [merge_struct(below[item.get(key)], item, type_.of.name) if item.get(key) in below else item for item in high]
    names = {item.get(key) for item in high}
    return _interleave([item for item in low if item.get(key) not in names], taken, [item.get(key) for item in low], key)


def _interleave(left: list[Json], right: list[Json], order: list[Any], key: str) -> list[Json]:
    """Go's mergeSortedSlice: from the left only what certainly stands before the next on the right."""
    left, right, merged = list(left), list(right), []
    while left and right:
        first, second = left[0].get(key), right[0].get(key)
        before = second in order and order.index(first) < order.index(second)
        merged.append(left.pop(0) if before else right.pop(0))
    return merged + left + right
