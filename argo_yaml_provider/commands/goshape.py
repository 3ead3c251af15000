"""A value as Argo's Go types would write it: fields in Go's order, empty ones left out, but those that Go always writes.

In: JSON and the name of its type in the table of fields.  Out: JSON.
Must not know: files, positions, problems: what does not fit a type is an `ExprError`.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.inputs import any_string
from argo_yaml_provider.spec.fields import Type, is_struct, struct_of

_CONTAINER: dict[str, Any] = {"name": "", "resources": {}}
_ALWAYS: dict[str, dict[str, Any]] = {
    "Template": {"inputs": {}, "outputs": {}, "metadata": {}},
    "Container": _CONTAINER,
    "UserContainer": _CONTAINER,
    "ContainerNode": _CONTAINER,
    "ScriptTemplate": {**_CONTAINER, "source": ""},
    "ContainerSetTemplate": {"containers": None},
    "DAGTemplate": {"tasks": None},
    "DAGTask": {"name": "", "arguments": {}},
    "WorkflowStep": {"arguments": {}},
    "ResourceTemplate": {"action": ""},
    "HTTP": {"url": ""},
    "Data": {"source": {}, "transformation": None},
    "Parameter": {"name": ""},
    "Artifact": {"name": ""},
    "GitArtifact": {"repo": ""},
    "HTTPArtifact": {"url": ""},
    "ArtifactoryArtifact": {"url": ""},
    "HDFSArtifact": {"path": ""},
    "RawArtifact": {"data": ""},
    "OSSArtifact": {"key": ""},
    "GCSArtifact": {"key": ""},
    "AzureArtifact": {"endpoint": "", "container": "", "blob": ""},
    "PluginArtifact": {"key": ""},
    "ConfigMapKeySelector": {"key": ""},
    "SecretKeySelector": {"key": ""},
    "EnvVar": {"name": ""},
    "VolumeMount": {"name": "", "mountPath": ""},
    "Volume": {"name": ""},
}
"""Fields without `omitempty`, and structs that are no pointers: there even if the user wrote nothing."""

_POINTERS = frozenset({"AnyString", "IntOrString", "bool", "int", "any"})
"""Types whose zero value is not left out, because a pointer tells it from nothing."""


def shape(value: Any, struct: str) -> dict[str, Any]:
    """A struct."""
    if not isinstance(value, dict):
        raise ExprError(f"a {struct} is expected here, not {value!r}")
    shaped: dict[str, Any] = {}
    for name, field in struct_of(struct).fields.items():
        found = _shaped(value.get(name), field.type)
        if found is None or (field.type.name not in _POINTERS and found in ("", [], {}) and not is_struct(field.type)):
            found = _always(struct, name)
            if found is _NOTHING:
                continue
        shaped[name] = found
    return shaped


_NOTHING = object()


def _always(struct: str, name: str) -> Any:
    found = _ALWAYS.get(struct, {}).get(name, _NOTHING)
    return dict(found) if isinstance(found, dict) else found


def _shaped(value: Any, type_: Type) -> Any:
    if value is None:
        return None
    if type_.name == "[]":
        return [_shaped(item, type_.of) if type_.of else item for item in _checked(value, list)]
    if type_.name == "{}":
        return {key: _shaped(item, type_.of) if type_.of else item for key, item in sorted(_checked(value, dict).items())}
    if is_struct(type_):
        return shape(value, type_.name)
    if type_.name == "AnyString":
        return any_string(value)
    if type_.name == "string":
        return _checked(value, str)
    if type_.name == "IntOrString" and not isinstance(value, str):
        return _checked_int32(value)
    return value


def _checked_int32(value: Any) -> int:
    if type(value) is not int or not -(2**31) <= value < 2**31:
        raise ExprError(f"an int32 or text is expected here, not {value!r}")
    return value


def _checked(value: Any, wanted: type) -> Any:
    if not isinstance(value, wanted):
        raise ExprError(f"a {wanted.__name__} is expected here, not {value!r}")
    return value
