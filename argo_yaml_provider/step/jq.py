"""What a jq program makes of an object, as Argo writes it down.

Argo: workflow/executor/resource.go, jqFilter: strings as they are, all else as JSON with sorted keys, a line each.
Must not know: HTTP.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.expr import gojson


def run_jq(program: str, value: Any) -> str:
    """The program's results, a line each."""
    import jq

    try:
        results = jq.compile(program).input_value(value).all()
    except ValueError as error:
        raise RunError(f"the jqFilter {program!r} failed: {error}", help="try it: kubectl get … -o json | jq …") from error
    return "\n".join(one if isinstance(one, str) else gojson.dumps(one, sort_keys=True) for one in results).strip()
