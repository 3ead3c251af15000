"""What a text says once the tags whose values the file itself gives are replaced.

In: `View`, a template's key, a text of that template.  Out: the text.
Must not know: what it is checked for. Argo validates a template with the workflow's parameters in place; inputs are known of
the entrypoint alone, whose arguments are the workflow's: validate.go Workflow, validateTemplate.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.template import replace_json
from argo_yaml_provider.resolve.checks.view import View
from argo_yaml_provider.resolve.references import is_dynamic, key_of
from argo_yaml_provider.spec.resource import Json


def with_known_values(view: View, key: str, text: str) -> str:
    """The text; a tag whose value the file does not give stays."""
    given = _values((view.spec.get("arguments") or {}).get("parameters") or ())
    known = {f"workflow.parameters.{name}": value for name, value in given.items()}
    if key == view.resolved.entrypoint:
        inputs = (view.raw(key).get("inputs") or {}).get("parameters") or ()
        known |= {f"inputs.parameters.{name}": value for name, value in (_values(inputs) | _chosen(inputs, given)).items()}
    try:
        return str(replace_json(text, known))
    except ExprError:
        return text


def name_of(view: View, key: str, call: Json) -> str:
    """The name of a step or task, as far as the file tells."""
    name = str(call.get("name") or "")
    return with_known_values(view, key, name) if "{{" in name else name


def called(view: View, key: str, call: Json) -> str:
    """The key of the template that a step, task or hook calls, as far as the file tells."""
    target = key_of(key, call)
    if not is_dynamic(target) or not call.get("template"):
        return target
    return key_of(key, {**call, "template": with_known_values(view, key, call["template"])})


def _values(parameters: Iterable[Json]) -> dict[str, str]:
    found: dict[str, Any] = {one.get("name", ""): one.get("value", one.get("default")) for one in parameters}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _chosen(inputs: Iterable[Json], given: dict[str, str]) -> dict[str, str]:
    return {one["name"]: given[one["name"]] for one in inputs if one.get("name") in given}
