"""The few protobuf messages that kubectl sends without asking: its `create` commands and its questions about rights.

In: bytes.  Out: the object as JSON would have had it.
Must not know: the API. Everything else speaks JSON, and replies are always JSON.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

from argo_yaml_provider.local.errors import ApiError
from argo_yaml_provider.local.resources import Json

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\0"

Value = int | bytes
_Reader = Callable[[Any], Any]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Number and content of each field: varint or length-delimited, as these messages have no others."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            number, at = _varint(data, at)
            yield tag >> 3, number
        elif tag & 7 == 2:
            size, at = _varint(data, at)
            yield tag >> 3, data[at : at + size]
            at += size
        else:
            raise ValueError(f"wire type {tag & 7}")


def _text(value: bytes) -> str:
    return value.decode()


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


# message: field number -> (name, how to read it); "map:" and "list:" collect, other words name a message
_MESSAGES: dict[str, dict[int, tuple[str, str]]] = {
    "Meta": {
        1: ("name", "text"),
        2: ("generateName", "text"),
        3: ("namespace", "text"),
        11: ("labels", "map:text"),
        12: ("annotations", "map:text"),
        14: ("finalizers", "list:text"),
    },
    "Preconditions": {1: ("uid", "text"), 2: ("resourceVersion", "text")},
    "DeleteOptions": {
        1: ("gracePeriodSeconds", "int"),
        2: ("preconditions", "Preconditions"),
        3: ("orphanDependents", "bool"),
        4: ("propagationPolicy", "text"),
    },
    "Namespace": {1: ("metadata", "Meta")},
    "ServiceAccount": {1: ("metadata", "Meta")},
    "ConfigMap": {1: ("metadata", "Meta"), 2: ("data", "map:text"), 3: ("binaryData", "map:base64"), 4: ("immutable", "bool")},
    "Secret": {
        1: ("metadata", "Meta"),
        2: ("data", "map:base64"),
        3: ("type", "text"),
        4: ("stringData", "map:text"),
        5: ("immutable", "bool"),
    },
    "SelfSubjectAccessReview": {1: ("metadata", "Meta")},
    "SelfSubjectRulesReview": {1: ("metadata", "Meta")},
    "SelfSubjectReview": {1: ("metadata", "Meta")},
    "TokenRequest": {1: ("metadata", "Meta")},
    "TypeMeta": {1: ("apiVersion", "text"), 2: ("kind", "text")},
    "Unknown": {1: ("type", "TypeMeta"), 2: ("raw", "bytes")},
}
_SCALARS: dict[str, _Reader] = {"text": _text, "base64": _base64, "int": int, "bool": bool, "bytes": bytes}


def _read(kind: str, value: Value) -> Any:
    if kind in _SCALARS:
        return _SCALARS[kind](value)
    assert isinstance(value, bytes)
    return _message(kind, value)


def _message(kind: str, data: bytes) -> Json:
    table = _MESSAGES[kind]
    found: Json = {}
    for number, value in _fields(data):
        if number not in table:
            continue
        name, how = table[number]
        shape, _, inner = how.rpartition(":")
        if shape == "map":
            assert isinstance(value, bytes)
            entry = dict(_fields(value))
            found.setdefault(name, {})[_read("text", entry.get(1, b""))] = _read(inner, entry.get(2, b""))
        elif shape == "list":
            found.setdefault(name, []).append(_read(inner, value))
        elif value != b"" or how not in _SCALARS:  # what is not set is sent as empty text
            found[name] = _read(how, value)
    return found


def decode(data: bytes) -> Json:
    """The object in Kubernetes' envelope, or a refusal that says how to send it as JSON."""
    if not data.startswith(_MAGIC):
        raise ApiError("BadRequest", "the body is not Kubernetes' protobuf")
    envelope = _message("Unknown", data[len(_MAGIC) :])
    kind = envelope["type"]["kind"]
    if kind not in _MESSAGES:
        way_out = "add `--dry-run=client -o yaml | kubectl apply -f -`"
        raise ApiError("UnsupportedMediaType", f"the embedded Kubernetes reads a {kind} as JSON only: {way_out}")
    return {**envelope["type"], **_message(kind, envelope.get("raw", b""))}
