"""How a loop becomes tasks: unrolled while its items stand in the file, else mapped at run time.

In: a step or DAG task as Argo's JSON.  Out: how many items it surely has, or None.
Must not know: task ids.
"""

from __future__ import annotations

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.plan.items import LOOP_FIELDS, expand, items_of, loops
from argo_yaml_provider.plan.nodes import Json

MOST_UNROLLED = 100
"""Tasks that one loop may be unrolled to; a longer one is mapped."""


def literal_count(source: Json) -> int | None:
    """How many items a loop has in every run; None: that is known only at run time, or it is an error."""
    if source.get("withItems"):
        return len(source["withItems"])
    if "{{" in gojson.dumps([source.get("withParam"), source.get("withSequence")]):
        return None
    try:
        return len(items_of({**source, "when": ""}))
    except ExprError:
        return None


def turn_names(source: Json) -> list[str]:
    """What the turns of a literal loop are called: `step(0:item)`."""
    bare = {field: source[field] for field in LOOP_FIELDS if source.get(field)}
    return [source["name"] + turn.name for turn in expand({**bare, "name": ""}, {}, dag=False)]


def is_unrolled(source: Json, size: int) -> bool:
    """Whether a loop over a template of `size` tasks is written out."""
    count = literal_count(source)
    return count is not None and count * max(size, 1) <= MOST_UNROLLED


def is_mapped(source: Json, size: int) -> bool:
    """Whether a step loops over what is known only at run time, or over too much."""
    return loops(source) and not is_unrolled(source, size)
