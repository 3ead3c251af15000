"""A workflow's parameters as Airflow's trigger form.

In: Plan.  Out: Param by name.  What the form gives back is the run's conf (facts.submitted_parameters reads it).
Must not know: how a run is made.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from argo_yaml_provider.plan.nodes import Json, Plan


def form_params(plan: Plan) -> dict[str, Param]:
    """One field for each parameter of `spec.arguments`, in the file's order."""
    arguments = plan.workflow.get("spec", {}).get("arguments") or {}
    return {parameter["name"]: form_param(parameter) for parameter in arguments.get("parameters") or ()}


def form_param(parameter: Json) -> Param:
    """A text field; a choice where there is an enum; may stay empty where the value comes from elsewhere."""
    value = parameter.get("value", parameter.get("default"))
    schema: dict[str, Any] = {"type": "string", "title": parameter["name"]}
    if parameter.get("enum"):
        schema["enum"] = [str(one) for one in parameter["enum"]]
    elif isinstance(value, str) and "\n" in value:
        schema["format"] = "multiline"
    if parameter.get("valueFrom"):
        schema["type"] = ["null", "string"]
        return Param(None, description=_from_elsewhere(parameter), **schema)
    if value is None:
        return Param(description=parameter.get("description"), **schema)
    return Param(str(value), description=parameter.get("description"), **schema)


def _from_elsewhere(parameter: Json) -> str:
    reference = parameter["valueFrom"].get("configMapKeyRef") or {}
    origin = f"ConfigMap {reference.get('name')}, key {reference.get('key')}" if reference else "its source"
    note = f"Empty: the value of {origin}."
    return f"{parameter['description']} {note}" if parameter.get("description") else note
