"""What a text says once the tags whose values the file itself gives are replaced.

In: `Resolved`, a template's key, a text of that template.  Out: the text.
Must not know: what it is for. Argo validates a template with the workflow's parameters in place; inputs are known of
the entrypoint alone, whose arguments are the workflow's: validate.go Workflow, validateTemplate.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.template import replace_json
from argo_yaml_provider.resolve.resolved import Resolved
from argo_yaml_provider.spec.resource import Json

_WAITING = ("depends", "dependencies")


def with_known_values(resolved: Resolved, key: str, text: str) -> str:
    """The text; a tag whose value the file does not give stays."""
    spec: Json = resolved.workflow.get("spec") or {}
    given = _values((spec.get("arguments") or {}).get("parameters") or ())
    known = {f"workflow.parameters.{name}": value for name, value in given.items()}
    if key == resolved.entrypoint:
        inputs = (resolved.templates[key].get("inputs") or {}).get("parameters") or ()
        known |= {f"inputs.parameters.{name}": value for name, value in (_values(inputs) | _chosen(inputs, given)).items()}
    try:
        return str(replace_json(text, known))
    except ExprError:
        return text


def with_known_waiting(resolved: Resolved, key: str, template: Json) -> Json:
    """A template whose tasks wait for whom they do by the file's own values."""
    tasks = (template.get("dag") or {}).get("tasks") or []
    if not any("{{" in str(task.get(field) or "") for task in tasks for field in _WAITING):
        return template
    return {**template, "dag": {**template["dag"], "tasks": [_known_task(resolved, key, task) for task in tasks]}}


def _known_task(resolved: Resolved, key: str, task: Json) -> Json:
    known = dict(task)
    if task.get("depends"):
        known["depends"] = with_known_values(resolved, key, task["depends"])
    if task.get("dependencies"):
        known["dependencies"] = [with_known_values(resolved, key, name) for name in task["dependencies"]]
    return known


def _values(parameters: Iterable[Json]) -> dict[str, str]:
    found: dict[str, Any] = {one.get("name", ""): one.get("value", one.get("default")) for one in parameters}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _chosen(inputs: Iterable[Json], given: dict[str, str]) -> dict[str, str]:
    return {one["name"]: given[one["name"]] for one in inputs if one.get("name") in given}
