"""What Kubernetes makes of a text that stands in an environment variable.

In: a text.  Out: the same, each `$$` one dollar; a `$(NAME)` stays, for nobody declares that name.
Argo hands a template to its executor in the variable ARGO_TEMPLATE, so scripts, manifests and raw artifacts go through
this too, and workflows are written for it. Of a template beyond 128 KiB they do not: Argo keeps that one in a file.
Argo: workflowpod.go, MaxEnvVarLen; Kubernetes: third_party/forked/golang/expansion.
Must not know: pods.
"""

from __future__ import annotations

import re
from typing import Any

from argo_yaml_provider.expr import gojson

_OPERATOR = re.compile(r"\$(?:\$|\([^)]*\)|.)", re.DOTALL)
_LONGEST = 131_072


def expanded(text: str, template: dict[str, Any]) -> str:
    """The text of a field of this template, as Argo's executor gets it."""
    if "$$" not in text or len(gojson.dumps(template)) > _LONGEST:
        return text
    return _OPERATOR.sub(lambda found: "$" if found[0] == "$$" else found[0], text)
