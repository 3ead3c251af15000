"""Strategic merge of pod specs, as the API server and Argo's podSpecPatch do it.

In: two JSON objects and where in a pod they stand.  Out: a new object; neither is changed.
Lists of a pod with a merge key are merged by it, all others are replaced. Directives: `$patch`, `$retainKeys`,
`$deleteFromPrimitiveList/…`, `$setElementOrder/…`. Kubernetes: apimachinery/pkg/util/strategicpatch/patch.go.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.diagnostics import RunError, SpecError

Json = dict[str, Any]

_CONTAINER = {"env": "name", "ports": "containerPort", "volumeMounts": "mountPath", "volumeDevices": "devicePath"}
MERGE_KEYS: dict[str, dict[str, str]] = {
    "pod": {
        "containers": "name",
        "initContainers": "name",
        "ephemeralContainers": "name",
        "volumes": "name",
        "imagePullSecrets": "name",
        "hostAliases": "ip",
        "topologySpreadConstraints": "topologyKey",
        "resourceClaims": "name",
        "schedulingGates": "name",
    },
    "containers": _CONTAINER,
    "initContainers": _CONTAINER,
    "ephemeralContainers": _CONTAINER,
}
"""Which lists are merged, by the place they stand in; the place of a list's elements is the list's name."""
_RETAIN_KEYS = {"volumes", "resourceClaims"}
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


def merge_pod_spec(spec: Json, patch: Json) -> Json:
    """A pod's `spec` with the patch over it."""
    return merge(spec, patch, "pod")


def merge(original: Json, patch: Json, place: str = "") -> Json:
    """An object with the patch over it; null deletes a key."""
    directive = patch.get("$patch")
    if directive == "replace":
        return _plain(patch)
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise RunError(f"unknown patch directive {directive!r}: $patch is replace, merge or delete")
    result = _retained(original, patch)
    for key, value in patch.items():
        if key.startswith(_DELETE):
            name = key.removeprefix(_DELETE)
            result[name] = [item for item in result.get(name) or [] if item not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = _merge_value(result.get(key), value, key, place)
    return result


def _merge_value(original: Any, value: Any, key: str, place: str) -> Any:
    if isinstance(value, dict):
        return merge(original if isinstance(original, dict) else {}, value)
    merge_key = MERGE_KEYS.get(place, {}).get(key)
    if isinstance(value, list) and merge_key:
        return _merge_list(original or [], value, merge_key, key)
    return value


def _merge_list(original: list[Json], patch: list[Json], merge_key: str, place: str) -> list[Json]:
    """Merges by key; a new element of the patch goes before the originals that follow no patched one."""
    if any(item.get("$patch") == "replace" for item in patch):
        return [_plain(item) for item in patch if item.get("$patch") != "replace"]
    deleted = {item.get(merge_key) for item in patch if item.get("$patch") == "delete"}
    patch = [item for item in patch if item.get("$patch") != "delete"]
    merged = {item.get(merge_key): item for item in original if item.get(merge_key) not in deleted}
    order = list(merged)
    for item in patch:
        if merge_key not in item:
            raise RunError(f"an element of the patch's {place} has no {merge_key!r}, by which it is merged")
        merged[item[merge_key]] = merge(merged.get(item[merge_key], {}), item, place)
    patched = list(dict.fromkeys(item[merge_key] for item in patch))
    left = [key for key in order if key not in patched]
    return [merged[key] for key in _interleave(left, patched, order)]


def _interleave(left: list[Any], right: list[Any], order: list[Any]) -> list[Any]:
    """Both lists in one, each in its own order; a left one comes first only where `order` says so."""
    result = []
    while left and right:
        known = right[0] in order
        side = left if known and order.index(left[0]) < order.index(right[0]) else right
        result.append(side[0])
        side = side[1:]
        if result[-1] in left:
            left = side
        else:
            right = side
    return [*result, *left, *right]


def _retained(original: Json, patch: Json) -> Json:
    kept = patch.get("$retainKeys")
    return {key: value for key, value in original.items() if kept is None or key in kept}


def _plain(patch: Json) -> Json:
    return {key: value for key, value in patch.items() if not key.startswith("$") and value is not None}


def read_patch(text: str) -> Json:
    """A podSpecPatch: YAML or JSON text, read as Argo reads it."""
    from argo_yaml_provider.source.read import read_text

    try:
        patches = [document.json for document in read_text(text, "podSpecPatch")]
    except SpecError as error:
        raise RunError(f"podSpecPatch cannot be read:\n{error}", help=f"with its tags filled in it is: {text}") from error
    if len(patches) != 1 or not isinstance(patches[0], dict):
        raise RunError(f"podSpecPatch must be one map of pod spec fields, and is: {text}")
    return dict(patches[0])
