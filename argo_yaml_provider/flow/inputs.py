"""Give a template its inputs and put them, and the workflow's variables, in place of its tags.

In: a template and the arguments it is called with, as Argo's JSON.  Out: the template as it runs.
Must not know: where the variables come from. Argo: workflow/common/util.go ProcessArgs, SubstituteParams.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.substitution import missing_or_wrong
from argo_yaml_provider.expr.template import replace, substitute
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.resolve.locations import has_location_or_key

ABSENT = "__argo-internal.absent-optional-output__"
"""An argument that was nothing but a reference to an output which a skipped step never gave: as if it were not supplied."""

ConfigMap = Callable[[str, str], str | None]
"""A ConfigMap's value by name and key; None where there is no such ConfigMap or key."""

_REFERENCE_FIELDS = ("name", "key", "optional")
_PARAMETER_FIELDS = ("name", "default", "value", "valueFrom", "globalName", "enum", "description")


def process_args(
    template: Json,
    arguments: Json,
    global_params: Mapping[str, str],
    local_params: Mapping[str, str],
    *,
    config_map: ConfigMap | None = None,
) -> Json:
    """The template with its inputs filled in (argument, else value, else default) and all tags replaced that can be."""
    inputs = template.get("inputs") or {}
    filled = dict(inputs)
    if inputs.get("parameters"):
        given = _by_name(arguments.get("parameters"))
        filled["parameters"] = [
            _parameter(declared, given.get(declared["name"]), global_params, config_map) for declared in inputs["parameters"]
        ]
    if inputs.get("artifacts"):
        given = _by_name(arguments.get("artifacts"))
        filled["artifacts"] = [_artifact(declared, given.get(declared["name"])) for declared in inputs["artifacts"]]
    return substitute_params({**template, "inputs": filled}, global_params, local_params)


def substitute_params(template: Json, global_params: Mapping[str, str], local_params: Mapping[str, str]) -> Json:
    """The template with its tags replaced: first the workflow's variables, which its inputs may hold, then its inputs."""
    params: dict[str, Any] = {**global_params, **local_params}
    text = replace(gojson.dumps(template), params, allow_unresolved=True)
    params.update(_own_variables(gojson.loads(text)))
    return dict(gojson.loads(replace(text, params, allow_unresolved=True)))


def any_string(value: Any) -> str:
    """A scalar of JSON as Argo keeps a parameter's value: text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return gojson.plain_digits(float(value))
    return ""


def _by_name(entries: Sequence[Json] | None) -> dict[str, Json]:
    """Entries by name; of two with the same name, the first."""
    return {entry["name"]: entry for entry in reversed(entries or ())}


def _parameter(declared: Json, argument: Json | None, global_params: Mapping[str, str], config_map: ConfigMap | None) -> Json:
    value, source = declared.get("value"), declared.get("valueFrom")
    if value is None:
        value = declared.get("default")
    if argument is not None and argument.get("value") == ABSENT:
        if value is None and source is None:
            reason = "argument references an absent optional (skipped/omitted node output with no default)"
            raise ExprError(f"inputs.parameters.{declared['name']}: {reason}")
    elif argument is not None:
        value = argument.get("value")
        source = None if value is not None else argument.get("valueFrom")
    if source is not None and source.get("configMapKeyRef"):
        if config_map:
            value = _from_config_map(declared["name"], source, global_params, config_map)
    elif value is None:
        raise ExprError(f"inputs.parameters.{declared['name']} was not supplied")
    if source is not None and source.get("configMapKeyRef"):  # in Go's order: `{{inputs.parameters}}` shows it as JSON
        reference = source["configMapKeyRef"]
        source = {**source, "configMapKeyRef": {field: reference[field] for field in _REFERENCE_FIELDS if field in reference}}
    filled = {**declared, "value": None if value is None else any_string(value), "valueFrom": source}
    return {field: filled[field] for field in _PARAMETER_FIELDS if filled.get(field) is not None}


def _from_config_map(parameter: str, source: Json, global_params: Mapping[str, str], config_map: ConfigMap) -> Any:
    reference = source["configMapKeyRef"]
    name, key = (_resolved(reference.get(field) or "", global_params) for field in ("name", "key"))
    value = config_map(name, key)
    if value is None:
        value = source.get("default")
    if value is None:
        reason = f"ConfigMap '{name}' does not exist or does not have the key '{key}'"
        raise ExprError(f"unable to retrieve inputs.parameters.{parameter} from ConfigMap: {reason}")
    return value


def _resolved(text: str, global_params: Mapping[str, str]) -> str:
    try:
        return substitute(text, global_params, strict=lambda _: True, artifacts_may_stay=False)
    except ExprError as error:
        raise missing_or_wrong(f"failed to substitute configMapKeyRef: {error.message}") from error


def _artifact(declared: Json, argument: Json | None) -> Json:
    """The argument in the declaration's place; only where and how it is mounted stays the declaration's."""
    if not declared.get("optional") and not has_location_or_key(declared):
        if argument is None:
            raise ExprError(f"inputs.artifacts.{declared['name']} was not supplied")
        if not has_location_or_key(argument) and not (argument.get("from") and argument.get("fromExpression")):
            raise ExprError(f"inputs.artifacts.{declared['name']} missing location information")
    if argument is None:
        return declared
    kept = {field: declared[field] for field in ("path", "mode", "recurseMode") if field in declared}
    return {k: v for k, v in argument.items() if k not in ("path", "mode", "recurseMode")} | kept


def _own_variables(template: Json) -> dict[str, str]:
    """What a template's own inputs and outputs make known to it."""
    known: dict[str, str] = {}
    inputs, outputs = template.get("inputs") or {}, template.get("outputs") or {}
    parameters = inputs.get("parameters") or []
    for parameter in parameters:
        if parameter.get("value") is not None:
            known[f"inputs.parameters.{parameter['name']}"] = any_string(parameter["value"])
        elif parameter.get("valueFrom") is None:
            raise ExprError(f"inputs.parameters.{parameter['name']} had no value")
    known["inputs.parameters"] = gojson.dumps(parameters or None)
    for side, artifacts in (("inputs", inputs.get("artifacts")), ("outputs", outputs.get("artifacts"))):
        known |= {f"{side}.artifacts.{a['name']}.path": a["path"] for a in artifacts or () if a.get("path")}
    for parameter in outputs.get("parameters") or ():
        path = (parameter.get("valueFrom") or {}).get("path")
        if path:
            known[f"outputs.parameters.{parameter['name']}.path"] = path
    return known
