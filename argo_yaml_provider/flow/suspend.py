"""A suspend node's outputs: what a person supplied, or the defaults.

In: the suspend template, its tags replaced, and supplied values.  Out: output parameters; an ExprError where one is missing.
Must not know: how a person is asked. Argo: operator.go addRawOutputFields, util.go OverrideOutputParametersWithDefault.
"""

from __future__ import annotations

from collections.abc import Mapping

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.inputs import any_string
from argo_yaml_provider.flow.retry import parse_duration
from argo_yaml_provider.plan.nodes import Json

_SECOND = 1_000_000_000


def asked_for(template: Json) -> dict[str, str | None]:
    """The parameters to supply, each with its default: its own, else that of the input of the same name."""
    inputs = {p["name"]: p.get("default") for p in (template.get("inputs") or {}).get("parameters") or ()}
    asked: dict[str, str | None] = {}
    for parameter in (template.get("outputs") or {}).get("parameters") or ():
        source = parameter.get("valueFrom") or {}
        if source.get("supplied") is not None:
            default = source.get("default", inputs.get(parameter["name"]))
            asked[parameter["name"]] = None if default is None else any_string(default)
    return asked


def supplied_outputs(template: Json, supplied: Mapping[str, str]) -> dict[str, str]:
    """Every output parameter of a suspend that goes on."""
    values: dict[str, str] = {}
    for name, default in asked_for(template).items():
        value = supplied.get(name, default)
        if value is None:
            raise ExprError(f"raw output parameter '{name}' has not been set and does not have a default value")
        values[name] = value
    return values


def seconds_of(template: Json) -> float | None:
    """How long it waits before it goes on by itself; None: until it is resumed."""
    duration = (template.get("suspend") or {}).get("duration")
    return parse_duration(str(duration)) / _SECOND if duration else None
