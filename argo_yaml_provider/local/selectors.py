"""Label and field selectors.

In: the text of `labelSelector=` or `fieldSelector=`.  Out: a predicate over objects.
Must not know: HTTP, the store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from argo_yaml_provider.local.errors import ApiError
from argo_yaml_provider.local.resources import Json

Predicate = Callable[[Json], bool]
_Test = Callable[[Mapping[str, str]], bool]

_PARTS = re.compile(r",(?![^(]*\))")
_SET = re.compile(r"^\s*(?P<key>[^\s!=(),]+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*(?P<key>[^\s!=(),]+)\s*(?P<op>!=|==?)\s*(?P<value>[^\s!=(),]*)\s*$")
_EXISTS = re.compile(r"^\s*(?P<not>!?)\s*(?P<key>[^\s!=(),]+)\s*$")


def _label_test(part: str) -> _Test:
    """Requirement = ["!"] key | key ("=" | "==" | "!=") value | key ("in" | "notin") "(" values ")"."""
    if found := _SET.match(part):
        key, values = found["key"], {v.strip() for v in found["values"].split(",")}
        if found["op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.match(part):
        key, value = found["key"], found["value"]
        if found["op"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _EXISTS.match(part):
        key, present = found["key"], not found["not"]
        return lambda labels: (key in labels) is present
    raise ApiError("BadRequest", f"unable to parse requirement: {part!r} is no label requirement")


@lru_cache(maxsize=512)
def label_selector(text: str) -> Predicate:
    """The predicate for `labelSelector=text`; all of its requirements must hold."""
    tests = tuple(_label_test(part) for part in _PARTS.split(text) if part.strip())
    if not tests:
        return lambda _: True

    def matches(obj: Json) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(test(labels) for test in tests)

    return matches


def value_at(obj: Json, path: str) -> str:
    """The text at a dotted path; nothing there is the empty string, as in field selectors."""
    value: Any = obj
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


@lru_cache(maxsize=512)
def field_selector(text: str) -> Predicate:
    """The predicate for `fieldSelector=text`; any scalar field may be named."""
    wanted = []
    for part in filter(None, text.split(",")):
        found = _EQUAL.match(part)
        if not found:
            raise ApiError("BadRequest", f"invalid field selector: {part!r} is not field=value or field!=value")
        wanted.append((found["key"], found["value"], found["op"] != "!="))
    requirements = tuple(wanted)
    return lambda obj: all((value_at(obj, key) == value) is equal for key, value, equal in requirements)


def selector(labels: str, fields: str) -> Predicate | None:
    """Both selectors as one predicate, or None where neither is given."""
    tests = [test(text) for test, text in ((label_selector, labels), (field_selector, fields)) if text]
    if not tests:
        return None
    return lambda obj: all(test(obj) for test in tests)
