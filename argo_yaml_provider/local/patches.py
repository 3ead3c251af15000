"""The four ways to change part of an object.

In: an object and a patch.  Out: a new object; neither is changed.
Must not know: HTTP, the store.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from argo_yaml_provider.local.errors import ApiError
from argo_yaml_provider.local.resources import Json

# The lists that a strategic merge joins by a key, by field name; (path parent, field) where one name is used twice.
_MERGE_KEYS: dict[str, str] = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "ports": "containerPort",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "conditions": "type",
    "ownerReferences": "uid",
    "secrets": "name",
    "addresses": "type",
    "taints": "key",
    "topologySpreadConstraints": "topologyKey",
    "resourceClaims": "name",
}
_MERGE_SETS = {"finalizers", "podCIDRs"}


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def strategic_patch(target: Any, patch: Any) -> Any:
    """As a merge patch, but the lists of Kubernetes' own types are joined by their keys."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    if patch.get("$patch") == "replace":
        return {k: copy.deepcopy(v) for k, v in patch.items() if k != "$patch"}
    result = dict(target) if isinstance(target, dict) else {}
    if "$retainKeys" in patch:
        result = {k: v for k, v in result.items() if k in patch["$retainKeys"]}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            field = key.partition("/")[2]
            result[field] = [v for v in result.get(field) or [] if v not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = _strategic_value(key, result.get(key), value)
    return result


def _strategic_value(field: str, target: Any, patch: Any) -> Any:
    if not isinstance(patch, list):
        return strategic_patch(target, patch)
    if field in _MERGE_SETS:
        return [*(target or []), *(v for v in patch if v not in (target or []))]
    merge_key = _MERGE_KEYS.get(field)
    if merge_key is None or not all(isinstance(item, dict) for item in patch):
        return copy.deepcopy(patch)
    return _merge_list(merge_key, target or [], patch)


def _merge_list(merge_key: str, target: list[Json], patch: list[Json]) -> list[Json]:
    """Join two lists of objects by the value of one of their fields."""
    if any(item.get("$patch") == "replace" for item in patch):
        return [copy.deepcopy(item) for item in patch if item.get("$patch") != "replace"]
    result = list(target)
    for item in patch:
        at = next((i for i, old in enumerate(result) if old.get(merge_key) == item.get(merge_key)), None)
        if item.get("$patch") == "delete":
            result = [old for i, old in enumerate(result) if i != at]
        elif at is None:
            result.append(strategic_patch({}, item))
        else:
            result[at] = strategic_patch(result[at], item)
    return result


def _steps(pointer: str) -> list[str]:
    if not pointer:
        return []
    if not pointer.startswith("/"):
        raise ApiError("BadRequest", f'json pointer {pointer!r} must start with "/"')
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/")]


def _child(node: Any, step: str, pointer: str) -> Any:
    try:
        return node[int(step)] if isinstance(node, list) else node[step]
    except (KeyError, IndexError, ValueError, TypeError):
        raise ApiError("Invalid", f"the server rejected our request: json patch: nothing at {pointer!r}") from None


def _at(document: Any, steps: list[str], pointer: str) -> Any:
    for step in steps:
        document = _child(document, step, pointer)
    return document


def _add(document: Any, pointer: str, value: Any) -> Any:
    *parents, last = _steps(pointer) or [""]
    if not pointer:
        return value
    node = _at(document, parents, pointer)
    if isinstance(node, list):
        node.insert(len(node) if last == "-" else int(last), value)
    else:
        node[last] = value
    return document


def _remove(document: Any, pointer: str) -> Any:
    *parents, last = _steps(pointer)
    node = _at(document, parents, pointer)
    _child(node, last, pointer)
    del node[int(last) if isinstance(node, list) else last]
    return document


def _replace(document: Any, pointer: str, value: Any) -> Any:
    _at(document, _steps(pointer), pointer)
    if not pointer:
        return value
    *parents, last = _steps(pointer)
    node = _at(document, parents, pointer)
    node[int(last) if isinstance(node, list) else last] = value
    return document


def _test(document: Any, pointer: str, value: Any) -> Any:
    if _at(document, _steps(pointer), pointer) != value:
        raise ApiError("Invalid", f"the server rejected our request: json patch: test of {pointer!r} failed")
    return document


def _move(document: Any, source: str, pointer: str) -> Any:
    value = _at(document, _steps(source), source)
    return _add(_remove(document, source), pointer, value)


_OPERATIONS: dict[str, Callable[[Any, Json], Any]] = {
    "add": lambda doc, op: _add(doc, op["path"], op["value"]),
    "remove": lambda doc, op: _remove(doc, op["path"]),
    "replace": lambda doc, op: _replace(doc, op["path"], op["value"]),
    "test": lambda doc, op: _test(doc, op["path"], op["value"]),
    "copy": lambda doc, op: _add(doc, op["path"], copy.deepcopy(_at(doc, _steps(op["from"]), op["from"]))),
    "move": lambda doc, op: _move(doc, op["from"], op["path"]),
}


def json_patch(target: Any, patch: Any) -> Any:
    """RFC 6902: operations, one after another."""
    result = copy.deepcopy(target)
    try:
        for operation in patch:
            result = _OPERATIONS[operation["op"]](result, operation)
    except (KeyError, TypeError, ValueError) as error:
        raise ApiError("BadRequest", f"json patch: an operation is not well formed: {error!r}") from None
    return result


PATCHES: dict[str, Callable[[Any, Any], Any]] = {
    "application/json-patch+json": json_patch,
    "application/merge-patch+json": merge_patch,
    "application/strategic-merge-patch+json": strategic_patch,
    "application/apply-patch+yaml": strategic_patch,
}
