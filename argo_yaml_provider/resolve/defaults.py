"""What a template and a workflow take over from elsewhere.

In: normalised JSON.  Out: the same with workflowTemplateRef, templateDefaults and podMetadata merged in.
Must not know: how references are found. Argo: workflow/util/merge.go, operator.go mergedTemplateDefaultsInto.
"""

from __future__ import annotations

from argo_yaml_provider.resolve.merge import merge_struct
from argo_yaml_provider.spec.resource import Json

TEMPLATE_TYPES = ("container", "containerSet", "steps", "script", "resource", "dag", "suspend", "data", "http", "plugin")
_POINTERS = tuple(name for name in TEMPLATE_TYPES if name != "steps")
_LOCATIONS = ("s3", "git", "http", "artifactory", "hdfs", "raw", "oss", "gcs", "azure", "plugin")


def join_specs(high: Json, low: Json) -> Json:
    """A workflow's spec over that of the WorkflowTemplate it refers to, which alone may have templates."""
    high = {name: value for name, value in high.items() if name != "templates"}
    merged = merge_struct(_without_keyed(low), _without_keyed(high), "WorkflowSpec")
    _join_keyed(merged, high, low)
    merged.pop("suspend", None)
    if "suspend" in high:
        merged["suspend"] = high["suspend"]
    arguments = merged.get("arguments") or {}
    if arguments.get("parameters"):
        arguments["parameters"] = [_whole_parameter(one, high, low) for one in arguments["parameters"]]
    if arguments.get("artifacts"):
        arguments["artifacts"] = [_whole_artifact(one, high, low) for one in arguments["artifacts"]]
    return merged


def _without_keyed(spec: Json) -> Json:
    """Without what merges by whole entries: hooks and labelsFrom."""
    spec = {name: value for name, value in spec.items() if name != "hooks"}
    if "workflowMetadata" in spec:
        spec["workflowMetadata"] = {name: value for name, value in spec["workflowMetadata"].items() if name != "labelsFrom"}
    return spec


def _join_keyed(merged: Json, high: Json, low: Json) -> None:
    hooks = {**(low.get("hooks") or {}), **(high.get("hooks") or {})}
    if hooks:
        merged["hooks"] = hooks
    labels = {**_labels_from(low), **_labels_from(high)}
    if labels:
        merged["workflowMetadata"] = {**(merged.get("workflowMetadata") or {}), "labelsFrom": labels}


def _labels_from(spec: Json) -> Json:
    return (spec.get("workflowMetadata") or {}).get("labelsFrom") or {}


def _named(spec: Json, what: str, name: str) -> Json | None:
    return next((one for one in (spec.get("arguments") or {}).get(what) or () if one.get("name") == name), None)


def _has_value(parameter: Json) -> bool:
    return any(parameter.get(name) is not None for name in ("value", "default", "valueFrom"))


def _whole_parameter(merged: Json, high: Json, low: Json) -> Json:
    """Value, default and valueFrom are never mixed from two places: the highest that has one gives the whole parameter."""
    for spec in (high, low):
        found = _named(spec, "parameters", merged.get("name", ""))
        if found is not None and _has_value(found):
            return found
    return merged


def _whole_artifact(merged: Json, high: Json, low: Json) -> Json:
    """The highest gives the artifact; of the same kind of storage, what it leaves open comes from below."""
    override = _named(high, "artifacts", merged.get("name", "")) or _named(low, "artifacts", merged.get("name", ""))
    if override is None:
        return merged
    kinds = {name for name in _LOCATIONS if name in override}
    if len(kinds) == 1 and kinds == {name for name in _LOCATIONS if name in merged}:
        return {**override, **{name: merged[name] for name in kinds}}
    return override


def with_template_defaults(template: Json, defaults: Json | None) -> Json:
    """A template over the workflow's templateDefaults; of those only the block of the template's own type counts."""
    if not defaults:
        return template
    kind = next((name for name in TEMPLATE_TYPES if template.get(name) is not None), "")
    applicable = {name: value for name, value in defaults.items() if name not in _POINTERS or name == kind}
    return merge_struct(applicable, template, "Template")


def with_pod_metadata(template: Json, metadata: Json | None) -> Json:
    """A template with what its owner's podMetadata says and it does not. Argo: addPodMetadata."""
    if not metadata:
        return template
    own = template.get("metadata") or {}
    merged = {name: {**(metadata.get(name) or {}), **(own.get(name) or {})} for name in ("annotations", "labels")}
    return {**template, "metadata": {name: value for name, value in merged.items() if value}}
