"""What the API server refuses: the checks that people run into.

In: an object about to be stored.  Out: nothing, or `ApiError` in Kubernetes' words.
Must not know: HTTP, the store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from argo_yaml_provider.local.errors import ApiError, invalid
from argo_yaml_provider.local.resources import Json, Resource

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME = re.compile(rf"^{_LABEL}(\.{_LABEL})*$")
_DNS_LABEL = re.compile(rf"^{_LABEL}$")
_KEY = re.compile(r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
_VALUE = re.compile(r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")
_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)

_LABEL_SHAPE = "at most 63 alphanumeric characters, '-', '_' or '.', beginning and ending with an alphanumeric one"
_GO_WORDS: dict[type, str] = {bool: "bool", int: "number", float: "number", list: "array"}
_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")

Problem = tuple[str, str]


def check_object(resource: Resource, obj: Json) -> None:
    """Raise for the first thing wrong with an object."""
    meta = obj["metadata"]
    if not resource.group and resource.kind in {"ConfigMap", "Secret"}:
        _check_texts(resource, obj)
    name = meta.get("name", "")
    problems = _metadata(resource, meta)
    if resource.kind == "Pod" and not resource.group:
        problems = [*problems, *_pod(obj.get("spec") or {})]
    if resource.kind == "PersistentVolumeClaim":
        problems = [*problems, *_claim(obj.get("spec") or {})]
    for field, why in problems:
        raise invalid(resource, name, field, why)


def _check_texts(resource: Resource, obj: Json) -> None:
    """YAML makes other things of `yes` and `1` than a ConfigMap can hold."""
    for field in ("data", "stringData", "binaryData"):
        for value in (obj.get(field) or {}).values():
            if not isinstance(value, str):
                kind, word = resource.kind, _GO_WORDS.get(type(value), "object")
                where = f"Go struct field {kind}.{field} of type string"
                message = f'{kind} in version "v1" cannot be handled as a {kind}: json: cannot unmarshal {word} into {where}'
                raise ApiError("BadRequest", message)


def _metadata(resource: Resource, meta: Json) -> list[Problem]:
    return [*_name(resource, meta.get("name", "")), *_labels(meta)]


def _name(resource: Resource, name: str) -> Iterator[Problem]:
    if not name:
        yield "metadata.name", "Required value: name or generateName is required"
    elif resource.group.startswith("rbac."):
        return
    elif len(name) > 253:
        yield "metadata.name", f'Invalid value: "{name}": must be no more than 253 characters'
    elif not _NAME.match(name):
        yield "metadata.name", f'Invalid value: "{name}": {_SUBDOMAIN}'


def _labels(meta: Json) -> Iterator[Problem]:
    for key, value in (meta.get("labels") or {}).items():
        if not _KEY.match(key):
            yield "metadata.labels", f'Invalid value: "{key}": name part must be {_LABEL_SHAPE}'
        if not isinstance(value, str) or not _VALUE.match(value):
            yield "metadata.labels", f'Invalid value: "{value}": a valid label must be an empty string or {_LABEL_SHAPE}'
    for key, value in (meta.get("annotations") or {}).items():
        if not isinstance(value, str):
            yield "metadata.annotations", f'Invalid value: "{key}": must be a string'


def _claim(spec: Json) -> Iterator[Problem]:
    if not spec.get("accessModes"):
        yield "spec.accessModes", "Required value: at least 1 access mode is required"
    for mode in spec.get("accessModes") or ():
        if mode not in _ACCESS_MODES:
            known = ", ".join(f'"{one}"' for one in _ACCESS_MODES)
            yield "spec.accessModes", f'Unsupported value: "{mode}": supported values: {known}'


def _pod(spec: Json) -> Iterator[Problem]:
    if not spec.get("containers"):
        yield "spec.containers", "Required value"
    volumes = {v.get("name") for v in spec.get("volumes") or ()}
    names: set[str] = set()
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field) or ()):
            path = f"spec.{field}[{index}]"
            yield from _container(path, container, volumes)
            if container.get("name") in names:
                yield f"{path}.name", f'Duplicate value: "{container["name"]}"'
            names.add(container.get("name", ""))


def _container(path: str, container: Json, volumes: set[str | None]) -> Iterator[Problem]:
    name = container.get("name", "")
    if not name:
        yield f"{path}.name", "Required value"
    elif not _DNS_LABEL.match(name) or len(name) > 63:
        yield f"{path}.name", f"Invalid value: \"{name}\": a lowercase RFC 1123 label is at most 63 of a-z, 0-9 and '-'"
    if not container.get("image"):
        yield f"{path}.image", "Required value"
    paths: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if mount.get("name") not in volumes:
            yield f"{path}.volumeMounts[{index}].name", f'Not found: "{mount.get("name")}"'
        if mount.get("mountPath") in paths:
            yield f"{path}.volumeMounts[{index}].mountPath", f'Invalid value: "{mount["mountPath"]}": must be unique'
        paths.add(mount.get("mountPath", ""))
    for index, env in enumerate(container.get("env") or ()):
        if not env.get("name"):
            yield f"{path}.env[{index}].name", "Required value"
        if not isinstance(env.get("value") or "", str):
            yield f"{path}.env[{index}].value", "Invalid value: must be a string"
