"""Turn a looped step or task into one step per item.

In: a step or DAG task as Argo's JSON (its references to earlier steps already replaced), the scope.  Out: the steps, named.
Must not know: whether the items came from the file or from a run. Argo: steps.go expandStep, dag.go expandTask.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.tags import find_tags
from argo_yaml_provider.expr.template import GO_SPACE, LARGEST, substitute
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.plan.sequence import MOST_ITEMS, sequence

LOOP_FIELDS = ("withItems", "withParam", "withSequence")
_SHORT = 4096
_MOST_WORK, _EXPRESSION_WORK = 2_000_000, 20
"""Tags that one loop may replace in all, some seconds of work; an expression counts for twenty."""


_LOOPS_KEPT = 8
"""Loops whose items are kept in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One step of a loop."""

    name: str
    """`step(0:item)`."""
    index: int
    step: Json
    """The step with its item put in; without the loop."""


def loops(step: Json) -> bool:
    """Whether a step has a loop at all; an empty withItems or withParam is none. Argo: ShouldExpand."""
    return bool(step.get("withItems") or step.get("withParam")) or step.get("withSequence") is not None


def items_of(step: Json) -> list[str]:
    """The items of a loop, each as JSON text: a number keeps the digits it was written with.

    Items that cannot be read are none if `when` is false already, else an error.
    """
    try:
        return _items(step)
    except ExprError:
        if _surely_not(step.get("when") or ""):
            return []
        raise


def expand(step: Json, scope: Mapping[str, Any], *, dag: bool) -> list[Turn]:
    """The step once per item, in order; itself, as it is, if it does not loop."""
    if not loops(step):
        return [Turn(name=step["name"], index=0, step=step)]
    items = items_of(step)
    text = _text(step, dag=dag)
    work = len(items) * sum(_EXPRESSION_WORK if tag.expression else 1 for tag in find_tags(text))
    if work > _MOST_WORK:
        raise ExprError(f"the loop {step['name']} has too many tags for {len(items)} items")
    return list(_turns(step, items, text, scope, lenient=_surely_not(step.get("when") or "")))


def expand_one(step: Json, scope: Mapping[str, Any], index: int, *, dag: bool) -> Turn | None:
    """The turn of that index alone, as `expand` gives it; None where there are not so many items."""
    if not loops(step):
        return Turn(name=step["name"], index=0, step=step) if index == 0 else None
    items = items_of(step)[index : index + 1]
    lenient = _surely_not(step.get("when") or "")
    return next(_turns(step, items, _text(step, dag=dag), scope, lenient=lenient, start=index), None)


def _turns(
    step: Json, items: list[str], text: str, scope: Mapping[str, Any], *, lenient: bool, start: int = 0
) -> Iterator[Turn]:
    if items and ("(" in step["name"] or ":" in step["name"]):
        raise ExprError(f"the name {step['name']} cannot be that of a loop: an item's index is read back from `name(0:item)`")
    size = 0
    for index, item in enumerate(items, start):
        variables, shown = _variables(item)
        params = {**scope, **variables}
        if lenient:  # it will never run: an output that is absent does no harm
            params = {name: value for name, value in params.items() if value is not None}
        strict = None if lenient else (lambda _: True)
        replaced = substitute(text, params, strict=strict, artifacts_may_stay=lenient)
        size += len(replaced)
        if size > LARGEST:
            raise ExprError(f"the items of {step['name']} grow beyond {LARGEST >> 20} MiB of text")
        name = f"{step['name']}({index}:{shown.replace('(', '').replace(')', '')})"
        yield Turn(name=name, index=index, step=_named(replaced, name, step))


def _named(text: str, name: str, step: Json) -> Json:
    """The step that the text describes; its template's name is never templated. Argo: newStep.Template = step.Template."""
    try:
        turn = gojson.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExprError(f"{name} is no JSON once its item is in place: {error}") from error
    turn = {field: value for field, value in turn.items() if field not in LOOP_FIELDS} | {"name": name}
    return turn | ({"template": step["template"]} if "template" in step else {})


def _text(step: Json, *, dag: bool) -> str:
    """The text that items are put into. In a DAG the loop is part of it, so a tag in an item must resolve as well.

    A long loop without braces is left out: it would be gone through once per item, and no tag depends on it.
    """
    bare = {field: value for field, value in step.items() if field not in LOOP_FIELDS}
    if not dag:
        return gojson.dumps(bare)
    loop = gojson.dumps([step.get(field) for field in LOOP_FIELDS])
    matters = len(loop) < _SHORT or "{{" in loop or "}}" in loop
    return gojson.dumps(step if matters else bare)


def _surely_not(when: str) -> bool:
    """Whether `when` is false already, before any item is put in."""
    if not when:
        return False
    from argo_yaml_provider.expr.when import evaluate_when

    try:
        return not evaluate_when(when)
    except ExprError:
        return False


def _items(step: Json) -> list[str]:
    if step.get("withItems"):
        items = [gojson.dumps(item, sort_keys=True) for item in step["withItems"]]  # as the API server keeps them
    elif step.get("withParam"):
        items = list(_param_items(step["withParam"]))
    else:
        items = list(_sequence_items(gojson.dumps(step["withSequence"])))
    if len(items) > MOST_ITEMS:
        raise ExprError(f"{step['name']} has {len(items)} items; {MOST_ITEMS} are the most that one loop may have")
    return items


@lru_cache(maxsize=_LOOPS_KEPT)
def _sequence_items(spec: str) -> tuple[str, ...]:
    """Kept: each turn of a loop asks for its own item, in the same process as a thousand others."""
    items = tuple(f'"{inside}"' for inside in sequence(gojson.loads(spec)))
    for item in items:
        if not gojson.is_json(item):
            raise ExprError(f"withSequence.format gives {item}, which is not a JSON string")
    return items


@lru_cache(maxsize=_LOOPS_KEPT)
def _param_items(text: str) -> tuple[str, ...]:
    problem = f"withParam value could not be parsed as a JSON list: {text.strip(GO_SPACE)[:1000]}"
    try:
        gojson.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExprError(f"{problem}: {error}") from error
    text = text.strip(" \t\r\n")
    if text.startswith("["):
        return tuple(gojson.elements(text))
    if text == "null":
        return ()
    raise ExprError(f"{problem}: it is not a list")


def _variables(item: str) -> tuple[dict[str, Any], str]:
    """`item`, and `item.key` for a map; and the item as a node's name shows it. Argo: processItem."""
    kind = item_type(item)
    if kind == "Map":
        members = gojson.members(item)
        variables: dict[str, Any] = {f"item.{key}": item_string(value) for key, value in members.items()}
        compact = ",".join(f"{gojson.dump_text(key)}:{gojson.compact(members[key])}" for key in sorted(members))
        return {**variables, "item": "{" + compact + "}"}, ",".join(sorted(f"{k}:{item_string(v)}" for k, v in members.items()))
    if kind == "List":
        elements = [] if item == "null" else list(gojson.elements(item))
        shown = "[" + " ".join(item_string(element) for element in elements) + "]"
        return {"item": gojson.compact(item)}, shown
    shown = item_string(item)
    if kind == "String":
        return {"item": gojson.loads(item) if item.startswith('"') else ""}, shown
    return {"item": shown}, shown


def item_type(item: str) -> str:
    """Number, String, Bool, Map or List. Argo: Item.GetType, for which null is a list and a number beyond float64 a string."""
    first = item[0]
    if first in "tf":
        return "Bool"
    if first == '"':
        return "String"
    try:
        _FINITE.decode(item)
    except ValueError:
        return "String"
    return "Map" if first == "{" else "List" if first in "[n" else "Number"


def item_string(item: str) -> str:
    """Compact JSON; a string without its quotation marks, but with its escapes. Argo: Item.String."""
    text = gojson.compact(item)
    text = text[1:-1] if text.startswith('"') else text
    return text.replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0026", "&")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{digits} is beyond a float64")
    return number


_FINITE = json.JSONDecoder(parse_int=_finite, parse_float=_finite)
