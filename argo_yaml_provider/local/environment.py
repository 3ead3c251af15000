"""A container's environment, and what it may ask of its pod.

In: a pod, a container, a way to read ConfigMaps and Secrets.  Out: a dict of texts.
Must not know: processes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

from argo_yaml_provider.local.resources import Json

Reader = Callable[[str, str], Json | None]
"""(plural, name) -> the object in the pod's namespace."""

_INDEXED = re.compile(r"^metadata\.(labels|annotations)\['(?P<key>[^']+)'\]$")
_REFERENCE = re.compile(r"\$(\$|\((?P<name>[^()]*)\))")
_UNITS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3, "Ti": 1024**4}
_QUANTITY = re.compile(r"^(?P<number>[0-9.]+(?:[eE][0-9]+)?)(?P<unit>m|[kMGT]|[KMGT]i)?$")


class ConfigError(Exception):
    """A container cannot be created as its pod describes it."""


def parse_quantity(text: str) -> float:
    found = _QUANTITY.match(str(text))
    if not found:
        raise ConfigError(f"invalid quantity {text!r}")
    number = float(found["number"])
    return number / 1000 if found["unit"] == "m" else number * _UNITS[found["unit"] or ""]


def pod_field(pod: Json, path: str) -> str:
    """What a downward API `fieldRef` gives."""
    if found := _INDEXED.match(path):
        values = pod["metadata"].get("labels" if "labels" in path.partition("[")[0] else "annotations") or {}
        return str(values.get(found["key"], ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        import json

        values = pod["metadata"].get(path.partition(".")[2]) or {}
        return "\n".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in sorted(values.items()))
    value: Any = pod
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if path == "status.podIPs":
        return ",".join(entry["ip"] for entry in value or ())
    return "" if value is None else str(value)


def resource_field(pod: Json, container: Json, reference: Json, capacity: Json) -> str:
    """What a `resourceFieldRef` gives: the container's own number, else the node's, in units of the divisor."""
    name = reference.get("containerName") or container.get("name")
    everyone = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    owner = next((c for c in everyone if c["name"] == name), container)
    kind, _, what = reference["resource"].partition(".")
    resources = owner.get("resources") or {}
    text = (resources.get(kind) or {}).get(what)
    if text is None and kind == "requests":
        text = (resources.get("limits") or {}).get(what, "0")
    if text is None:
        text = capacity.get(what, "0")
    divisor = parse_quantity(reference.get("divisor") or "1") or 1
    return str(-int(-parse_quantity(text) // divisor))


def _decoded(obj: Json) -> dict[str, str]:
    data = obj.get("data") or {}
    if obj["kind"] != "Secret":
        return dict(data)
    return {k: base64.b64decode(v).decode(errors="surrogateescape") for k, v in data.items()}


class Environment:
    """Builds the environments of one pod's containers."""

    def __init__(self, pod: Json, read: Reader, capacity: Json) -> None:
        self._pod, self._read, self._capacity = pod, read, capacity

    def build(self, container: Json, given: dict[str, str]) -> dict[str, str]:
        """What is given, then `envFrom`, then `env`; a later one may refer to those before it by $(NAME)."""
        values = dict(given)
        for source in container.get("envFrom") or ():
            values |= self._all_of(source)
        for entry in container.get("env") or ():
            value = self._value(container, entry)
            if value is not None:
                values[entry["name"]] = expand(value, values) if "value" in entry else value
        return values

    def _all_of(self, source: Json) -> dict[str, str]:
        prefix = source.get("prefix") or ""
        for field, plural, word in (("configMapRef", "configmaps", "configmap"), ("secretRef", "secrets", "secret")):
            if reference := source.get(field):
                obj = self._read(plural, reference["name"])
                if obj is None and not reference.get("optional"):
                    raise ConfigError(f'{word} "{reference["name"]}" not found')
                return {prefix + k: v for k, v in _decoded(obj).items()} if obj else {}
        return {}

    def _value(self, container: Json, entry: Json) -> str | None:
        source = entry.get("valueFrom")
        if not source:
            return entry.get("value") or ""
        if reference := source.get("fieldRef"):
            return pod_field(self._pod, reference["fieldPath"])
        if reference := source.get("resourceFieldRef"):
            return resource_field(self._pod, container, reference, self._capacity)
        for field, plural, word in (("configMapKeyRef", "configmaps", "configmap"), ("secretKeyRef", "secrets", "secret")):
            if reference := source.get(field):
                return self._key(plural, word, reference)
        return ""

    def _key(self, plural: str, word: str, reference: Json) -> str | None:
        obj = self._read(plural, reference["name"])
        if obj is None:
            if reference.get("optional"):
                return None
            raise ConfigError(f'{word} "{reference["name"]}" not found')
        values = _decoded(obj)
        if reference["key"] not in values:
            if reference.get("optional"):
                return None
            place = f"{obj['kind']} {obj['metadata']['namespace']}/{reference['name']}"
            raise ConfigError(f"couldn't find key {reference['key']} in {place}")
        return values[reference["key"]]


def expand(text: str, values: dict[str, str]) -> str:
    """$(NAME) becomes the variable's value, $$ one dollar; an unknown name stays as it is."""

    def replaced(found: re.Match[str]) -> str:
        if found[1] == "$":
            return "$"
        return values.get(found["name"], found[0])

    return _REFERENCE.sub(replaced, text)
