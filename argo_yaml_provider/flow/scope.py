"""What a step or task may speak of: the inputs of its template, and what the steps before it left.

In: results of earlier steps.  Out: `Scope`, variables by flat name.
Must not know: who may see whom. Argo: scope.go, operator.go buildLocalScope, processAggregateNodeOutputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.template import resolve_variable
from argo_yaml_provider.flow.inputs import ABSENT, any_string
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.flow.results import Result
from argo_yaml_provider.plan.nodes import Json


@dataclass(slots=True)
class Scope:
    """Variables of one place. None: an output that a skipped step never gave. A dict: an artifact."""

    values: dict[str, Any] = field(default_factory=dict)

    def params(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """What tags may be replaced with: text, or None. Argo: getParametersAny."""
        own = {name: value for name, value in self.values.items() if value is None or isinstance(value, str)}
        return {**variables, **own}

    def is_absent(self, name: str) -> bool:
        """Whether the variable is an output that a skipped step never gave."""
        return name in self.values and self.values[name] is None

    def resolve(self, text: str) -> Any:
        """The value that a lone reference stands for, artifacts included."""
        return resolve_variable(text, self.values)[1]


def of_inputs(template: Json) -> dict[str, Any]:
    """`inputs.*` of a template whose inputs are filled in. Argo: createScope."""
    inputs = template.get("inputs") or {}
    values: dict[str, Any] = {
        f"inputs.parameters.{p['name']}": any_string(p.get("value")) for p in inputs.get("parameters") or ()
    }
    return values | {f"inputs.artifacts.{artifact['name']}": artifact for artifact in inputs.get("artifacts") or ()}


def of_result(prefix: str, result: Result) -> dict[str, Any]:
    """`steps.x.*` of one node, its id aside. Argo: buildLocalScope."""
    serves = result.daemoned and result.phase is Phase.SUCCEEDED
    known = {
        "startedAt": result.started_at,
        "finishedAt": result.finished_at,
        "ip": result.pod_ip,
        # A daemon is Running for whoever may speak of it: it ends only after them.
        "status": Phase.RUNNING.value if serves else result.phase.value,
        "hostNodeName": result.host_node,
    }
    values: dict[str, Any] = {f"{prefix}.{name}": value for name, value in known.items() if value}
    outputs = result.outputs
    if outputs is None:
        return values
    if outputs.result is not None:
        values[f"{prefix}.outputs.result"] = outputs.result
    if outputs.exit_code is not None:
        values[f"{prefix}.exitCode"] = outputs.exit_code
    values |= {f"{prefix}.outputs.parameters.{name}": v for name, v in outputs.parameters.items() if v is not None}
    return values | {f"{prefix}.outputs.artifacts.{name}": artifact for name, artifact in outputs.artifacts.items()}


def of_skipped(prefix: str, template: Json, *, artifacts: bool) -> dict[str, Any]:
    """The declared outputs of a step that did not run: their defaults, or absent. Argo: addSkippedNodeOutputsToScope."""
    outputs = template.get("outputs") or {}
    values: dict[str, Any] = {}
    for parameter in outputs.get("parameters") or ():
        default = (parameter.get("valueFrom") or {}).get("default")
        values[f"{prefix}.outputs.parameters.{parameter['name']}"] = None if default is None else any_string(default)
    if artifacts:
        values |= {f"{prefix}.outputs.artifacts.{a['name']}": {} for a in outputs.get("artifacts") or ()}
    if outputs.get("result") is not None:
        values[f"{prefix}.outputs.result"] = None
    return values


def of_turns(prefix: str, results: Sequence[Result]) -> dict[str, Any]:
    """The outputs of a loop as lists, of the turns that succeeded, in order. Argo: processAggregateNodeOutputs."""
    if not results:
        return {}
    outputs = [r.outputs for r in results if r.outputs is not None and r.phase is Phase.SUCCEEDED]
    values = {f"{prefix}.outputs.result": _result_list([o.result for o in outputs if o.result is not None])}
    rows = [{name: value or "" for name, value in o.parameters.items()} for o in outputs if o.parameters]
    values[f"{prefix}.outputs.parameters"] = "[" + ",".join(gojson.dumps(row, sort_keys=True) for row in rows) + "]"
    for name in dict.fromkeys(name for row in rows for name in row):
        values[f"{prefix}.outputs.parameters.{name}"] = value_list([row[name] for row in rows if name in row])
    return values


def _result_list(results: Sequence[str]) -> str:
    """Results must be JSON, each by itself; in the list they stand as written, but for white space."""
    for text in results:
        try:
            gojson.loads(text)
        except ValueError as error:
            raise ExprError(f"the result {text[:200]!r} of a loop's item is not JSON: {error}") from None
    return "[" + ",".join(gojson.compact(text) for text in results) + "]"


def value_list(values: Sequence[str]) -> str:
    """A JSON list: of the values themselves if all are objects or lists, else of texts. Argo: aggregatedJSONValueList."""
    parsed: list[Any] = []
    for text in values:
        try:
            value = gojson.loads(text)
        except ValueError:
            return gojson.dumps(list(values))
        if not isinstance(value, (dict, list)):
            return gojson.dumps(list(values))
        parsed.append(value)
    return gojson.dumps(parsed, sort_keys=True)


def mark_absent(arguments: Json, scope: Scope) -> Json:
    """Arguments that are but a reference to an output never given, marked as not supplied. Argo: markAbsentOptionalArgs."""
    parameters = arguments.get("parameters")
    if not parameters:
        return arguments
    marked = [{**p, "value": ABSENT} if _is_absent_reference(p.get("value"), scope) else p for p in parameters]
    return {**arguments, "parameters": marked}


def _is_absent_reference(value: Any, scope: Scope) -> bool:
    if not isinstance(value, str) or not (value.startswith("{{") and value.endswith("}}")):
        return False
    name = value[2:-2].strip()
    return "{{" not in name and "}}" not in name and scope.is_absent(name)
