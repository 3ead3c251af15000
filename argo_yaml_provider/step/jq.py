"""What a jq program makes of an object, as Argo writes it down.

Argo: workflow/executor/resource.go, jqFilter: strings as they are, all else as JSON with sorted keys, a line each. Its jq is
github.com/itchyny/gojq, which goes through objects by the order of their keys, has floats alone, and shows no environment.
Must not know: HTTP.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.expr import gojson

_NO_ENVIRONMENT = "{} as $ENV | def env: {}; "
_EXACT = 1 << 53
"""Up to here a float holds every whole number."""


def run_jq(program: str, value: Any) -> str:
    """The program's results, a line each."""
    import jq

    try:
        results = jq.compile(_NO_ENVIRONMENT + program).input_value(_ordered(value)).all()
    except ValueError as error:
        raise RunError(f"the jqFilter {program!r} failed: {error}", help="try it: kubectl get … -o json | jq …") from error
    return "\n".join(map(_line, results)).strip()


def _ordered(value: Any) -> Any:
    """The same value, its objects' members by key, whole floats as ints: jq shows 3.0 as it was written."""
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT else value


def _line(result: Any) -> str:
    return result if isinstance(result, str) else gojson.dumps(_as_floats(result), sort_keys=True)


def _as_floats(value: Any) -> Any:
    """Numbers beyond what a float holds exactly, as that float: Go writes fewer digits of it."""
    if isinstance(value, dict):
        return {key: _as_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_floats(item) for item in value]
    return float(value) if type(value) is int and abs(value) > _EXACT else value
