"""What only the one who runs a workflow can say: values for parameters that have none in the file.

In: a workflow's JSON, the names of the values given.  Out: the names that are missing.
Must not know: files, command lines. Argo: validateArgumentsValues, at submission.
"""

from __future__ import annotations

from collections.abc import Collection

from argo_yaml_provider.spec.resource import Json

_SOURCES = ("value", "default", "valueFrom")


def missing_values(workflow: Json, given: Collection[str]) -> tuple[str, ...]:
    """The parameters that have neither a value in the file nor one given."""
    parameters = ((workflow.get("spec") or {}).get("arguments") or {}).get("parameters") or ()
    names = (one.get("name", "") for one in parameters if all(one.get(source) is None for source in _SOURCES))
    return tuple(name for name in names if name not in given)
