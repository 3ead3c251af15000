"""The workflow's own variables: name, parameters, labels, times.

In: Plan, RunFacts, a way to read ConfigMaps.  Out: `workflow.*` by flat name; a parameter without a value is an ExprError.
Must not know: steps, tasks. Argo: operator.go setGlobalParameters, updateWorkflowMetadata.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.template import replace_json
from argo_yaml_provider.flow.facts import RunFacts
from argo_yaml_provider.flow.inputs import any_string
from argo_yaml_provider.plan.nodes import Json, Plan
from argo_yaml_provider.resolve.labels import is_label_value


class WrongLabel(ExprError):
    """What workflowMetadata says cannot be a label: an Error, where a wrong parameter is a failure."""


ConfigMap = Callable[[str, str], str | None]
Variables = dict[str, str]

_SCHEDULED = "workflows.argoproj.io/scheduled-time"
_TIME_FORMATS = {
    "B": "%B", "b": "%b", "m": "%m", "A": "%A", "a": "%a", "d": "%d", "H": "%H", "I": "%I",
    "M": "%M", "S": "%S", "Y": "%Y", "y": "%y", "p": "%p",
}  # fmt: skip
_PARAMETER_FIELDS = ("name", "default", "value", "valueFrom", "globalName", "enum", "description")


def submitted_arguments(plan: Plan, facts: RunFacts) -> Json:
    """spec.arguments with what was submitted; each value replaces the whole parameter. Argo: overrideParameters."""
    arguments = spec_of(plan).get("arguments") or {}
    given = dict(facts.parameters)
    parameters = [{"name": name, "value": value} for name, value in given.items()]
    parameters += [declared for declared in arguments.get("parameters") or () if declared["name"] not in given]
    return {**arguments, "parameters": parameters} if parameters else arguments


def spec_of(plan: Plan) -> Json:
    """The merged spec."""
    spec: Json = plan.workflow.get("spec") or {}
    return spec


def workflow_variables(plan: Plan, facts: RunFacts, config_map: ConfigMap) -> Variables:
    """All that is known when the workflow starts."""
    if facts.globals:
        return dict(facts.globals)
    spec = spec_of(plan)
    variables = _identity(facts, spec, (plan.workflow.get("metadata") or {}).get("annotations") or {}) | _times(facts)
    parameters = submitted_arguments(plan, facts).get("parameters") or []
    variables["workflow.parameters"] = variables["workflow.parameters.json"] = gojson.dumps(
        [{name: p[name] for name in _PARAMETER_FIELDS if p.get(name) is not None} for p in parameters] or None
    )
    for parameter in parameters:
        variables[f"workflow.parameters.{parameter['name']}"] = _parameter(parameter, config_map)
    return variables | _metadata(plan, spec, variables)


def _identity(facts: RunFacts, spec: Json, annotations: dict[str, str]) -> Variables:
    variables = {
        "workflow.name": facts.name,
        "workflow.namespace": facts.namespace,
        "workflow.mainEntrypoint": facts.entrypoint or str(spec.get("entrypoint") or ""),
        "workflow.serviceAccountName": str(spec.get("serviceAccountName") or ""),
        "workflow.uid": facts.uid,
        "workflow.status": "Running",
        "workflow.duration": "0.000000",
    }
    scheduled = annotations.get(_SCHEDULED, facts.scheduled_time)
    if scheduled is not None:
        variables["workflow.scheduledTime"] = scheduled
    if spec.get("priority") is not None:
        variables["workflow.priority"] = str(spec["priority"])
    return variables


def _times(facts: RunFacts) -> Variables:
    moment = datetime.fromisoformat(facts.created_at)
    variables = {f"workflow.creationTimestamp.{letter}": moment.strftime(how) for letter, how in _TIME_FORMATS.items()}
    return variables | {
        "workflow.creationTimestamp": facts.created_at,
        "workflow.creationTimestamp.RFC3339": facts.created_at,
        "workflow.creationTimestamp.s": str(int(moment.timestamp())),
        "workflow.creationTimestamp.Z": "UTC",
        "workflow.creationTimestamp.z": "+0000",
        "workflow.creationTimestamp.L": f".{moment.microsecond // 1000:03d}",
    }


def _parameter(parameter: Json, config_map: ConfigMap) -> str:
    """Its value, or the ConfigMap's; there, any trouble leads to the default."""
    if parameter.get("value") is not None:
        return any_string(parameter["value"])
    source = parameter.get("valueFrom") or {}
    reference = source.get("configMapKeyRef")
    if reference is None:
        raise ExprError(f"either value or valueFrom must be specified in order to set global parameter {parameter['name']}")
    name, key = str(reference.get("name") or ""), str(reference.get("key") or "")
    value = config_map(name, key)
    if value is not None:
        return value
    if source.get("default") is None:
        where = f"from configmap with name {name} and key {key}"
        raise ExprError(f"failed to set global parameter {parameter['name']} {where}: there is no such ConfigMap or key")
    return any_string(source["default"])


def _metadata(plan: Plan, spec: Json, variables: Variables) -> Variables:
    """Labels and annotations, those of spec.workflowMetadata over the workflow's own."""
    metadata, more = plan.workflow.get("metadata") or {}, spec.get("workflowMetadata") or {}
    found: Variables = {}
    for what in ("annotations", "labels"):
        own: dict[str, str] = metadata.get(what) or {}
        found[f"workflow.{what}"] = found[f"workflow.{what}.json"] = gojson.dumps(own or None, sort_keys=True)
        found |= {f"workflow.{what}.{name}": value for name, value in own.items()}
        added = replace_json(more.get(what) or {}, {**variables, **found})
        found |= {f"workflow.{what}.{name}": value for name, value in added.items()}
        if what == "labels":
            _check_labels(added)
    labels = {}
    for name, rule in (more.get("labelsFrom") or {}).items():
        labels[name] = found[f"workflow.labels.{name}"] = _label(name, rule["expression"], {**variables, **found})
    _check_labels(labels)
    return found


def _check_labels(labels: dict[str, str]) -> None:
    for name, value in labels.items():
        if not is_label_value(value):
            raise WrongLabel(f'"{value}" is no value of a label: it is that of "{name}" in workflowMetadata')


def _label(name: str, expression: str, variables: dict[str, Any]) -> str:
    from argo_yaml_provider.expr.evaluator import evaluate

    try:
        value = evaluate(expression, variables)
    except ExprError as error:
        raise WrongLabel(f'the expression "{expression}" of label "{name}": {error.message}') from error
    if not isinstance(value, str):
        raise WrongLabel(f'the expression "{expression}" of label "{name}" gives no text')
    return value
