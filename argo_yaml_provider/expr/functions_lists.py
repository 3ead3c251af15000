"""expr-lang's functions of lists and maps.

In: values.  Out: a value; a Panic says what was wrong with the argument.
Must not know: syntax. expr-lang: builtin/builtin.go, builtin/lib.go.

Where Go would walk a map in random order, it is walked in the order of its keys.
"""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any

from argo_yaml_provider.expr import operators
from argo_yaml_provider.expr.clock import Duration, Month, Weekday
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.limits import Budget
from argo_yaml_provider.expr.loops import order, sort_order
from argo_yaml_provider.expr.values import AnyMap, GoObject, NilList, Pair, Pairs, SizedInt, any_key, go_kind, go_type, is_int


def length(value: Any) -> int:
    """Elements of a list or map; characters of a text."""
    if isinstance(value, (str, list, dict, bytes)):
        return len(value)
    raise Panic(f"invalid argument for len (type {go_type(value)})")


def type_name(value: Any) -> str:
    """nil, bool, int, uint, float, string, array, map, func, or a Go type such as time.Time."""
    if value is None:
        return "nil"
    name = go_type(value)
    if isinstance(value, GoObject):
        package, _, plain = name.removeprefix("*").rpartition(".")
        return f"{_PACKAGES.get(package, package)}.{plain}"
    kind = go_kind(value)
    return {"slice": "array", "float64": "float", "func": "func"}.get(kind, kind.rstrip("0123456789"))


_PACKAGES = {"semver": "github.com/Masterminds/semver/v3", "sprig": "github.com/Masterminds/sprig/v3"}


def _list(value: Any, message: str) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, bytes):
        return [operators.element(value, index) for index in range(len(value))]
    raise Panic(message.format(go_kind(value)))


def first(value: Any) -> Any:
    return _element(value, 0)


def last(value: Any) -> Any:
    return _element(value, -1)


def _element(value: Any, index: int) -> Any:
    try:
        return operators.fetch(value, index)
    except Panic:
        return None


def get(container: Any, key: Any) -> Any:
    """Like `container[key]`, but nil where that would be an error."""
    if isinstance(container, (list, str, bytes)):
        operators.to_int(key)
        return _element(container, key)
    if isinstance(container, AnyMap):
        return container.get(any_key(key))
    if isinstance(container, dict):
        return container.get("" if key is None else operators.string_key(key))
    if isinstance(container, GoObject) and isinstance(key, str):
        return container.methods.get(key)
    return None


def take(values: Any, count: Any) -> Any:
    if not isinstance(values, (list, bytes)):
        raise Panic(f"cannot take from {go_kind(values)}")
    if isinstance(count, (Duration, Month, Weekday)):
        count = count.order
    if not is_int(count) or (isinstance(count, SizedInt) and not count.signed):
        raise Panic(f"cannot take {go_kind(count)} elements")
    if count < 0:
        raise Panic("reflect.Value.Slice: slice index out of bounds")
    return operators.cut(values, 0, min(count, len(values)))


def items_of(value: dict[Any, Any]) -> list[tuple[Any, Any]]:
    """A map's keys and values, by key."""
    if isinstance(value, AnyMap):
        return sorted(((key[1], item) for key, item in value.items()), key=lambda pair: (go_type(pair[0]), str(pair[0])))
    return sorted(value.items())


def _map(value: Any, message: str) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return items_of(value)
    raise Panic(message.format(go_kind(value)))


def keys(value: Any) -> list[Any]:
    return [key for key, _ in _map(value, "cannot get keys from {}")]


def values(value: Any) -> list[Any]:
    return [item for _, item in _map(value, "cannot get values from {}")]


def to_pairs(value: Any) -> Pairs:
    return Pairs(Pair(pair) for pair in _map(value, "cannot transform {} to pairs"))


def from_pairs(pairs: Any) -> AnyMap:
    made = AnyMap()
    for pair in _list(pairs, "cannot transform {} from pairs"):
        if not isinstance(pair, list):
            raise Panic(f"invalid pair {operators.shown_key(pair)}")
        if len(pair) != 2:
            raise Panic(f"invalid pair length {operators.shown_key(pair)}")
        if isinstance(pair[0], (list, dict, bytes)):
            raise Panic(f"hash of unhashable type: {go_type(pair[0])}")
        made[any_key(pair[0])] = pair[1]
    return made


def reverse(budget: Budget, elements: Any) -> list[Any]:
    given = _list(elements, "cannot reverse {}")
    budget.allocate(len(given))
    return list(reversed(given))


def uniq(budget: Budget, elements: Any) -> list[Any]:
    """Each element once, in the order they first come."""
    found: list[Any] = []
    simple: set[Any] = set()
    for element in _list(elements, "cannot uniq {}"):
        if type(element) is str or type(element) is int:
            if element not in simple and (type(element) is str or not _among(budget, element, found, simple)):
                found.append(element)
            simple.add(element)
        elif not _among(budget, element, found, simple):
            found.append(element)
    return found


def _among(budget: Budget, element: Any, found: list[Any], simple: set[Any]) -> bool:
    if len(found) == len(simple) and type(element) is int:
        return False  # nothing but texts and ints so far, and it is not one of those
    budget.step(len(found))
    return any(operators.equal(element, other) for other in found)


def concat(budget: Budget, *lists: Any) -> list[Any]:
    parts = [_list(part, "cannot concat {}") for part in lists]
    budget.allocate(sum(map(len, parts)))
    return [item for part in parts for item in part] or NilList()


def flatten(budget: Budget, elements: Any) -> list[Any]:
    flat = list(_flat(_list(elements, "cannot flatten {}")))
    budget.allocate(len(flat))
    return flat


def _flat(elements: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for element in elements:
        if isinstance(element, (list, bytes)):
            flat += _flat(_list(element, ""))
        else:
            flat.append(element)
    return flat


def sort(budget: Budget, elements: Any, direction: Any = "asc") -> list[Any]:
    if not isinstance(direction, str):
        raise Panic(f"sort order argument must be a string (got {go_type(direction)})")
    descending = sort_order(direction)
    if go_type(elements) not in ("[]interface {}", "[]int", "[]string"):
        return NilList()
    budget.allocate(len(elements))
    if len({type(element) for element in elements}) <= 1 and elements and type(elements[0]) in (int, float):
        return sorted(elements, reverse=descending)
    budget.step(len(elements))
    return sorted(elements, key=cmp_to_key(order), reverse=descending)
