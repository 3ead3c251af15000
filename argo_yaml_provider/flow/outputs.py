"""The outputs of a composite, from the scope of its members.

In: a filled-in steps or dag template, its Scope.  Out: Outputs; an ExprError where one cannot be resolved.
Must not know: how members ran. Argo: operator.go getTemplateOutputsFromScope.
"""

from __future__ import annotations

import re
from typing import Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.quote import quote
from argo_yaml_provider.flow.inputs import any_string
from argo_yaml_provider.flow.references import resolve_artifact
from argo_yaml_provider.flow.results import Outputs
from argo_yaml_provider.flow.scope import Scope
from argo_yaml_provider.plan.nodes import Json


def template_outputs(template: Json, scope: Scope) -> Outputs | None:
    """None where the template declares no outputs."""
    declared = template.get("outputs") or {}
    if not (declared.get("parameters") or declared.get("artifacts") or declared.get("result") is not None):
        return None
    parameters = {p["name"]: _parameter(p, scope) for p in declared.get("parameters") or ()}
    artifacts: dict[str, Json] = {}
    for artifact in declared.get("artifacts") or ():
        found = _artifact(artifact, scope)
        if found is not None:
            artifacts[artifact["name"]] = {**found, "name": artifact["name"]}
    return Outputs(parameters=parameters, artifacts=artifacts)


def _parameter(declared: Json, scope: Scope) -> str:
    source = declared.get("valueFrom")
    if source is None:
        raise ExprError("output parameters must have a valueFrom specified")
    default = source.get("default")
    try:
        value, absent = _value(source, scope)
    except ExprError:
        if default is None:
            raise
        return any_string(default)
    if absent and default is not None:
        return any_string(default)
    if value is None:
        reason = "is an absent optional (skipped/omitted node output with no default)"
        raise ExprError(f"output parameter {quote(declared['name'])}: {quote(source.get('parameter') or '')} {reason}")
    return value


def _value(source: Json, scope: Scope) -> tuple[str | None, bool]:
    """The value as text, and whether it is an output that a skipped step never gave. Argo: scope.go resolveParameter."""
    from argo_yaml_provider.expr.rendering import render_go

    if source.get("expression"):
        from argo_yaml_provider.expr.evaluator import evaluate

        value: Any = evaluate(source["expression"], scope.values)
        if value is None:
            raise ExprError(f"failed to evaluate expression {quote(source['expression'])}")
        return render_go(value), False
    if not source.get("parameter"):
        return "", False
    value = scope.resolve(source["parameter"])
    if value is None:
        return None, True
    return value if isinstance(value, str) else render_go(value), False


def _artifact(declared: Json, scope: Scope) -> Json | None:
    try:
        return resolve_artifact(declared, scope)
    except ExprError as error:
        if declared.get("optional") and "Unable to resolve" in error.message:
            return None
        raise ExprError(f"unable to resolve outputs from scope: {error.message}") from error


_PLAIN = re.compile(r"(steps|tasks)\.([\w-]+)\.outputs\.result")
_INDEXED = re.compile(r"""(steps|tasks)\[['"]([\w-]+)['"]\]\.outputs.result""")


def captured_results(template: Json) -> frozenset[str]:
    """The members of a steps or dag template whose results it speaks of: only theirs are captured. Argo: hasOutputResultRef."""
    which = "tasks" if template.get("dag") is not None else "steps"
    text = gojson.dumps(template)
    return frozenset(found[2] for pattern in (_PLAIN, _INDEXED) for found in pattern.finditer(text) if found[1] == which)
