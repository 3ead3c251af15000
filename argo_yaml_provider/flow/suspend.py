"""A suspend node's outputs: what a person is asked, what was supplied, or the defaults.

In: the suspend template, its tags replaced, and supplied values.  Out: a form; output parameters; an ExprError for one missing.
Must not know: how a person is asked. Argo: operator.go addRawOutputFields, util.go OverrideOutputParametersWithDefault.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.inputs import any_string
from argo_yaml_provider.flow.retry import parse_duration
from argo_yaml_provider.plan.nodes import Json

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One value that a person is asked for."""

    name: str
    default: str | None = None
    """What it is where nobody says otherwise."""
    proposed: str | None = None
    """What a form shows at first."""
    choices: tuple[str, ...] = ()
    """A hint: Argo does not hold a person to it."""
    description: str = ""


def asked_of(template: Json) -> tuple[Asked, ...]:
    """The parameters to supply, described by themselves, else by the input of the same name."""
    inputs = {p["name"]: p for p in (template.get("inputs") or {}).get("parameters") or ()}
    outputs = (template.get("outputs") or {}).get("parameters") or ()
    return tuple(
        _asked(output, inputs.get(output["name"], {}))
        for output in outputs
        if (output.get("valueFrom") or {}).get("supplied") is not None
    )


def _asked(output: Json, given: Json) -> Asked:
    default = output["valueFrom"].get("default", given.get("default"))
    choices = tuple(
        any_string(choice) for choice in output.get("enum") or _choices_in(given.get("value")) or given.get("enum") or ()
    )
    proposed = default if default is not None else next(iter(choices), None)
    return Asked(
        name=output["name"],
        default=None if default is None else any_string(default),
        proposed=None if proposed is None else any_string(proposed),
        choices=choices,
        description=str(output.get("description") or given.get("description") or ""),
    )


def _choices_in(value: object) -> list[str]:
    """An input whose value is itself a parameter, as JSON, brings the choices. Argo: resolveInputFieldsForSuspendNode."""
    try:
        found = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        return []
    choices = found.get("enum") if isinstance(found, dict) else None
    return choices if isinstance(choices, list) else []


def asked_for(template: Json) -> dict[str, str | None]:
    """The parameters to supply, each with its default: its own, else that of the input of the same name."""
    return {asked.name: asked.default for asked in asked_of(template)}


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
