"""sprig's functions of lists and maps, of emptiness and of types.

In: values whose types are checked already.  Out: values.
Must not know: syntax. Library: github.com/Masterminds/sprig v3.3.

`set` and `unset` change the map they are given, as sprig's do; but never a variable, which is copied first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from argo_yaml_provider.expr import functions_json as json
from argo_yaml_provider.expr.clock import Duration, Location, Month, Time, Weekday
from argo_yaml_provider.expr.errors import ExprError, Panic
from argo_yaml_provider.expr.functions_lists import items_of
from argo_yaml_provider.expr.limits import Budget
from argo_yaml_provider.expr.operators import as_string, conversion, cut, deep_equal, element
from argo_yaml_provider.expr.rendering import render_json_text
from argo_yaml_provider.expr.sprig_numbers import to_int
from argo_yaml_provider.expr.sprig_strings import text_of
from argo_yaml_provider.expr.values import GoFunction, Lists, NilList, NilMap, Strings, go_kind, go_type, is_nil, is_number


def elements(value: Any, message: str) -> list[Any]:
    """The elements of a list; a Panic that names the kind of what is none."""
    if isinstance(value, list):
        return value
    if isinstance(value, bytes):
        return [element(value, index) for index in range(len(value))]
    if value is None:
        raise Panic("runtime error: invalid memory address or nil pointer dereference: nil is no list")
    raise Panic(message.format(go_kind(value)))


def make_list(*values: Any) -> list[Any]:
    return list(values)


def append(budget: Budget, values: Any, value: Any) -> list[Any]:
    return _made(budget, [*elements(values, "Cannot push on type {}"), value])


def prepend(budget: Budget, values: Any, value: Any) -> list[Any]:
    return _made(budget, [value, *elements(values, "Cannot prepend on type {}")])


def _made(budget: Budget, values: list[Any]) -> list[Any]:
    budget.allocate(len(values))
    return values


def chunk(budget: Budget, size: int, values: Any) -> Lists:
    given = elements(values, "Cannot chunk type {}")
    budget.allocate(len(given))
    if size <= 0 and (size == 0 or (len(given) - 1) // size != -1):
        raise Panic("runtime error: makeslice: len out of range")
    return Lists(given[start : start + size] for start in range(0, len(given), size))


def first(values: Any) -> Any:
    given = elements(values, "Cannot find first on type {}")
    return given[0] if given else None


def last(values: Any) -> Any:
    given = elements(values, "Cannot find last on type {}")
    return given[-1] if given else None


def rest(budget: Budget, values: Any) -> list[Any]:
    given = elements(values, "Cannot find rest on type {}")
    return _made(budget, list(given[1:])) if given else NilList()


def initial(budget: Budget, values: Any) -> list[Any]:
    given = elements(values, "Cannot find initial on type {}")
    return _made(budget, list(given[:-1])) if given else NilList()


def reverse(budget: Budget, values: Any) -> list[Any]:
    return _made(budget, list(reversed(elements(values, "Cannot find reverse on type {}"))))


def compact(budget: Budget, values: Any) -> list[Any]:
    return _made(budget, [item for item in elements(values, "Cannot compact on type {}") if not empty(item)])


def uniq(budget: Budget, values: Any) -> list[Any]:
    found: list[Any] = []
    simple: set[tuple[type, Any]] = set()
    for item in elements(values, "Cannot find uniq on type {}"):
        if type(item) in (str, int, float, bool):
            if (type(item), item) not in simple:
                simple.add((type(item), item))
                found.append(item)
        elif not _in_list(budget, item, found):
            found.append(item)
    return _made(budget, found)


def _in_list(budget: Budget, item: Any, others: list[Any] | tuple[Any, ...]) -> bool:
    budget.step(len(others))
    return any(deep_equal(item, other) for other in others)


def without(budget: Budget, values: Any, *omitted: Any) -> list[Any]:
    given = elements(values, "Cannot find without on type {}")
    return _made(budget, [item for item in given if not _in_list(budget, item, omitted)])


def has(budget: Budget, needle: Any, haystack: Any) -> bool:
    return haystack is not None and _in_list(budget, needle, elements(haystack, "Cannot find has on type {}"))


def part(values: Any, *bounds: Any) -> Any:
    """The function sprig calls slice."""
    given = elements(values, "list should be type of slice or array but {}")
    if not given:
        return None
    start = to_int(bounds[0]) if bounds else 0
    end = to_int(bounds[1]) if len(bounds) > 1 else len(given)
    if not 0 <= start <= end <= len(given):
        raise Panic(f"reflect.Value.Slice: slice index out of bounds [{start}:{end}] of {len(given)}")
    return cut(values, start, end)


def concat(budget: Budget, *lists: Any) -> list[Any]:
    joined: list[Any] = []
    for values in lists:
        joined += elements(values, "Cannot concat type {} as list")
        budget.allocate(len(joined))
    return joined or NilList()


def make_dict(*pairs: Any) -> dict[str, Any]:
    """Keys and values in turns; a key without a value has an empty text."""
    return {text_of(key): pairs[2 * index + 1] if 2 * index + 1 < len(pairs) else "" for index, key in enumerate(pairs[::2])}


def get(given: dict[str, Any], key: str) -> Any:
    return given.get(key, "")


def put(given: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    if isinstance(given, NilMap):
        raise Panic("assignment to entry in nil map")
    given[key] = value
    return given


def unset(given: dict[str, Any], key: str) -> dict[str, Any]:
    given.pop(key, None)
    return given


def has_key(given: dict[str, Any], key: str) -> bool:
    return key in given


def pluck(key: str, *given: dict[str, Any]) -> list[Any]:
    return [each[key] for each in given if key in each]


def keys(*given: dict[str, Any]) -> Strings:
    return Strings(key for each in given for key, _ in items_of(each))


def values(given: dict[str, Any]) -> list[Any]:
    return [item for _, item in items_of(given)]


def pick(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}


def omit(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: item for name, item in given.items() if name not in names}


def merge(target: dict[str, Any], *sources: dict[str, Any]) -> dict[str, Any]:
    """What the target has wins; maps are merged all the way down. An empty value counts as none. Library: mergo."""
    return _merged(target, sources, overwrite=False)


def merge_overwrite(target: dict[str, Any], *sources: dict[str, Any]) -> dict[str, Any]:
    """What the last source has wins."""
    return _merged(target, sources, overwrite=True)


def _merged(target: dict[str, Any], sources: tuple[dict[str, Any], ...], *, overwrite: bool) -> dict[str, Any]:
    made = {} if isinstance(target, NilMap) and sources else target
    for source in sources:
        _merge(made, source, overwrite=overwrite)
    return made


def _merge(target: dict[str, Any], source: dict[str, Any], *, overwrite: bool) -> None:
    for key, item in source.items():
        held = target.get(key)
        if type(item) is dict and type(held) is dict:
            _merge(held, item, overwrite=overwrite)
        elif overwrite or (item is not None and empty(held)):
            target[key] = item


def deep_copy(budget: Budget, value: Any) -> Any:
    """A copy all the way down. sprig has none of nil itself."""
    if value is None:
        raise Panic("reflect: call of reflect.Value.Type on zero Value")
    return _copied(budget, value)


def _copied(budget: Budget, value: Any) -> Any:
    budget.step(1)
    if isinstance(value, list):
        return type(value)(_copied(budget, item) for item in value)
    if isinstance(value, dict):
        return type(value)({key: _copied(budget, item) for key, item in value.items()})
    return value


def dig(*path: Any) -> Any:
    """`dig(key, …, default, map)`."""
    if len(path) < 3:
        raise Panic("dig needs at least three arguments")
    *names, default, given = path
    for name in names:
        if type(given) is not dict:
            raise conversion(given, "map[string]interface {}")
        if as_string(name) not in given:
            return default
        given = given[name]
    return given


def empty(value: Any) -> bool:
    """nil, false, 0, an empty text, list or map."""
    if is_nil(value):
        return True
    if isinstance(value, (str, list, dict, bytes)):
        return len(value) == 0
    if isinstance(value, bool) or is_number(value):
        return not value
    return isinstance(value, (Duration, Month, Weekday)) and value.order == 0


def default(fallback: Any, *given: Any) -> Any:
    return fallback if not given or empty(given[0]) else given[0]


def coalesce(*given: Any) -> Any:
    return next((value for value in given if not empty(value)), None)


def every(*given: Any) -> bool:
    return not any(map(empty, given))


def some(*given: Any) -> bool:
    return not all(map(empty, given))


def ternary(yes: Any, no: Any, test: bool) -> Any:
    return yes if test else no


def from_json(text: str) -> Any:
    """Nothing for what is no JSON."""
    try:
        return json.from_json(text)
    except Panic:
        return None


def _or_nothing(write: Callable[[Any], str]) -> Callable[[Any], str]:
    """The text, or nothing where JSON has no word for the value."""

    def written(value: Any) -> str:
        try:
            return write(value)
        except ExprError as error:
            if error.message.startswith("json: "):
                return ""
            raise

    return written


to_json = _or_nothing(render_json_text)
to_pretty_json = _or_nothing(json.to_json_indented)


def to_raw_json(value: Any) -> str:
    """Without the escapes for HTML."""
    return _ESCAPE.sub(lambda match: _RAW.get(match[1], match[0]), render_json_text(value))


_ESCAPE = re.compile(r"\\(u[0-9a-f]{4}|.)")
_RAW = {"u003c": "<", "u003e": ">", "u0026": "&"}


def type_of(value: Any) -> str:
    return f"func({', '.join(value.parameters)}) {value.result}" if isinstance(value, GoFunction) else go_type(value)


def type_is(target: str, value: Any) -> bool:
    return target == type_of(value)


def type_is_like(target: str, value: Any) -> bool:
    return type_of(value) in (target, f"*{target}")


def kind_of(value: Any) -> str:
    return "func" if isinstance(value, GoFunction) else "ptr" if isinstance(value, Location) else _kind(value)


def _kind(value: Any) -> str:
    return "struct" if isinstance(value, Time) else go_kind(value)


def kind_is(target: str, value: Any) -> bool:
    return target == kind_of(value)
