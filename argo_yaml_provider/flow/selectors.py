"""`--node-field-selector`: which nodes a command means.

In: a text such as `displayName=approve,inputs.parameters.x.value!=1`, a node of the tree.  Out: whether all of it holds.
Must not know: commands. Argo: workflow/util/util.go, SelectorMatchesNode; Kubernetes' field selectors.
"""

from __future__ import annotations

import re

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.plan.nodes import Json

Terms = tuple[tuple[str, bool, str], ...]
"""Field, whether it must be equal, value."""
_FIELDS = ("displayName", "templateName", "phase", "name", "id")


def read_selector(text: str) -> Terms:
    """Every term holds for a node that is meant; an empty text means all."""
    return tuple(_term(part, text) for part in re.split(r"(?<!\\),", text) if part)


def _term(part: str, text: str) -> tuple[str, bool, str]:
    found = re.fullmatch(r"([^=!]+?)(!=|==|=)(.*)", part)
    if found is None:
        raise RunError(f"the selector {text!r} cannot be read at {part!r}", help="write field=value, field!=value, with commas")
    field, how, value = found.groups()
    if field not in _FIELDS and not re.fullmatch(r"inputs\.parameters\..+\.value", field):
        raise RunError(f"nodes have no field {field!r}", help=f"{', '.join(_FIELDS)}, inputs.parameters.NAME.value")
    return field, how != "!=", re.sub(r"\\(.)", r"\1", value)


def selects(terms: Terms, node: Json) -> bool:
    """Whether the node is meant."""
    return all((_value(node, field) == value) is equal for field, equal, value in terms)


def _value(node: Json, field: str) -> str:
    if field.startswith("inputs."):
        name = field.removeprefix("inputs.parameters.").removesuffix(".value")
        return str(((node.get("inputs") or {}).get("parameters") or {}).get(name, ""))
    return str(node.get("template" if field == "templateName" else field) or "")
