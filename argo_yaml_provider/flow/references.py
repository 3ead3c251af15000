"""Resolve what a step or task refers to, before its loop is read and its template is called.

In: a step as Argo's JSON, its Scope.  Out: the step with values for tags and artifacts for references; or an ExprError.
Must not know: whether it is a step or a task. Argo: steps.go resolveReferences, dag.go resolveDependencyReferences.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.template import replace_json, replace_json_strict
from argo_yaml_provider.flow.scope import Scope, mark_absent
from argo_yaml_provider.plan.items import loops
from argo_yaml_provider.plan.nodes import Json

_KEYS = {
    "s3": "key", "gcs": "key", "oss": "key", "azure": "blob", "hdfs": "path", "http": "url", "artifactory": "url",
    "volume": "key",
}  # fmt: skip


def resolve_step(step: Json, scope: Scope, variables: Mapping[str, Any], *, dag: bool) -> Json:
    """The step with its references resolved; if its `when` is false already, the rest is left as it is."""
    params = scope.params(variables)
    bare = {name: value for name, value in step.items() if name != "hooks"}
    if bare.get("when"):
        when = replace_json_strict(bare["when"], params)
        if _surely_false(when, looping=loops(step)):
            return {**step, "when": when}
    if bare.get("arguments"):
        bare["arguments"] = mark_absent(bare["arguments"], scope)
    resolved: Json = replace_json_strict(bare, params)
    if "hooks" in step:
        resolved["hooks"] = step["hooks"]
    return with_artifacts(resolved, scope, dag=dag)


def _surely_false(when: str, *, looping: bool) -> bool:
    """An error is put off where the condition may hold the loop's item."""
    from argo_yaml_provider.expr.when import evaluate_when

    try:
        return not evaluate_when(when)
    except ExprError:
        if looping:
            return False
        raise


def with_artifacts(step: Json, scope: Scope, *, dag: bool) -> Json:
    """The step with each `from` replaced by the artifact it means."""
    arguments = step.get("arguments") or {}
    if not arguments.get("artifacts"):
        return step
    found = [_argument(artifact, scope, dag=dag) for artifact in arguments["artifacts"]]
    return {**step, "arguments": {**arguments, "artifacts": [artifact for artifact in found if artifact is not None]}}


def _argument(artifact: Json, scope: Scope, *, dag: bool) -> Json | None:
    """None: an optional one that is not there."""
    try:
        resolved = resolve_artifact(artifact, scope)
    except ExprError as error:
        if artifact.get("optional") and (not dag or "Unable to resolve" in error.message):
            return None
        raise ExprError(f"unable to resolve references: {error.message}") from error
    return artifact if resolved is None else {**resolved, "name": artifact["name"]}


def resolve_artifact(artifact: Json, scope: Scope) -> Json | None:
    """The artifact that `from` or `fromExpression` means; None where there is neither. Argo: scope.go resolveArtifact."""
    if not (artifact.get("from") or artifact.get("fromExpression")):
        return None
    if artifact.get("fromExpression"):
        from argo_yaml_provider.expr.evaluator import evaluate

        value = evaluate(artifact["fromExpression"], scope.values)
    else:
        value = scope.resolve(artifact["from"])
    if not isinstance(value, dict):
        raise ExprError(f"{artifact.get('from') or artifact['fromExpression']} is not an artifact")
    if artifact.get("subPath"):
        return with_sub_path(value, str(replace_json(artifact["subPath"], scope.params({}))))
    return value


def with_sub_path(artifact: Json, sub_path: str) -> Json:
    """The artifact's location with the path appended to its key."""
    for kind, key in _KEYS.items():
        if isinstance(artifact.get(kind), dict):
            location = artifact[kind]
            return {**artifact, kind: {**location, key: posixpath.join(str(location.get(key) or ""), sub_path)}}
    if artifact.get("optional"):
        return artifact
    raise ExprError("the artifact has no key that a subPath could be appended to")
