"""The name that a template's annotation gives its nodes.

In: a filled-in template.  Out: the name, or what is wrong with it.
Must not know: nodes. Argo: operator.go executeTemplate, displayNameRegex.
"""

from __future__ import annotations

import re

from argo_yaml_provider.plan.nodes import Json

_ANNOTATION = "workflows.argoproj.io/display-name"
_RULE = "^[a-zA-Z0-9][a-zA-Z0-9-.]{0,61}[a-zA-Z0-9]$"


def display_name(template: Json) -> str:
    """The name; '' if it gives none."""
    return str((template.get("annotations") or {}).get(_ANNOTATION) or "")


def wrong_display_name(template: Json) -> str:
    """Why that is no name; '' if it is one, or none is given."""
    name = display_name(template)
    return f"displayName must match the regex {_RULE}" if name and not re.fullmatch(_RULE, name) else ""
