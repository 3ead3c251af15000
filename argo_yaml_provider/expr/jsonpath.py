"""Argo's `jsonpath(json, path)`: what a path finds in a JSON value.

In: a path such as `$.items[?(@.size > 3)].name`, and a value.  Out: what it finds; a Panic says why it finds nothing.
Must not know: expr-lang. Library: github.com/evilmonkeyinc/jsonpath 0.8.1, whose own dialect this is, not kubectl's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.jsonpath_text import Part, parse_part, split_path
from argo_yaml_provider.expr.limits import MAX_PATTERN, Budget
from argo_yaml_provider.expr.values import go_kind, wrap

_VISIT = 6
"""Steps that one visit of one value costs."""
_EVALUATION = 4 * _VISIT
"""Steps that one evaluation of a script costs."""


@dataclass(frozen=True, slots=True)
class Query:
    """One search: the whole value, and what it may still cost."""

    root: Any
    budget: Budget


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a path."""

    run: Callable[[Query, Any, tuple[Step, ...]], Any]
    """What it finds in a value, handed on to the rest of the path."""
    fits: Callable[[Any], bool] = lambda _value: True
    """Whether it may find anything in such a value: of most parts of a document no error is made only to be dropped."""
    is_index: bool = False


Script = Callable[[Query, Any], Any]


def query(path: str, value: Any, budget: Budget) -> Any:
    """What the path finds."""
    first, *rest = compiled(path)
    return first.run(Query(value, budget), value, tuple(rest))


@lru_cache(maxsize=256)
def compiled(path: str) -> tuple[Step, ...]:
    """The steps of a path."""
    if len(path) > MAX_PATTERN:
        raise Panic(f"this path has {len(path)} characters; {MAX_PATTERN} are the most")
    try:
        return tuple(_step(parse_part(text)) for text in split_path(path))
    except Panic as error:
        raise Panic(f"invalid JSONPath selector '{path}' {error.message}") from None


def _step(part: Part) -> Step:
    return _STEPS[part.kind](*part.arguments)


def _on(rest: tuple[Step, ...], query: Query, value: Any) -> Any:
    """The rest of the path, on what was found."""
    query.budget.step(_VISIT)
    return rest[0].run(query, value, rest[1:]) if rest else value


def _each(rest: tuple[Step, ...], query: Query, values: Iterable[Any]) -> list[Any]:
    """The rest of the path on every value; where it finds nothing, the value is left out."""
    found = []
    for value in values:
        result = _quiet(rest, query, value) if rest else value
        if result is not None or not rest:
            found.append(result)
    query.budget.allocate(len(found))
    return found


def _quiet(rest: tuple[Step, ...], query: Query, value: Any) -> Any:
    """Nothing where the path leads nowhere; but an exhausted budget stays an error."""
    if rest and not rest[0].fits(value):
        query.budget.step(_VISIT)
        return None
    try:
        return _on(rest, query, value)
    except Panic:
        if query.budget.exhausted:
            raise
        return None


def _wrong_target(kind: str, value: Any, expected: str) -> Panic:
    got = "nil" if value is None else go_kind(value)
    return Panic(f"{kind}: invalid token target. expected [{expected}] got [{got}]")


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _has_members(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _root() -> Step:
    return Step(lambda query, _current, rest: _on(rest, query, query.root))


def _current() -> Step:
    return Step(lambda query, current, rest: _on(rest, query, current))


def _key(name: str) -> Step:
    def key(query: Query, current: Any, rest: tuple[Step, ...]) -> Any:
        if not isinstance(current, dict):
            raise _wrong_target("key", current, "map")
        if name not in current:
            raise Panic(f"key: invalid token key '{name}' not found")
        return _on(rest, query, current[name])

    return Step(key, fits=lambda value: isinstance(value, dict) and name in value)


def _index(number: int) -> Step:
    def index(query: Query, current: Any, rest: tuple[Step, ...]) -> Any:
        if not isinstance(current, list):
            raise _wrong_target("index", current, "array slice")
        if not -len(current) <= number < len(current):
            raise Panic("index: invalid token out of range")
        return _on(rest, query, current[number])

    return Step(index, fits=_is_list, is_index=True)


def _length() -> Step:
    def length(query: Query, current: Any, rest: tuple[Step, ...]) -> Any:
        if not isinstance(current, (dict, list, str)):
            raise _wrong_target("length", current, "array map slice string")
        from argo_yaml_provider.expr.values import Int64

        size: Any = Int64(len(current.encode("utf-8", "surrogateescape") if isinstance(current, str) else current))
        if isinstance(current, dict):
            size = current.get("length", size)
        return _on(rest, query, size)

    return Step(length, fits=lambda value: isinstance(value, (dict, list, str)))


def _values(kind: str, value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    if isinstance(value, list):
        return value
    raise _wrong_target(kind, value, "array map slice")


def _wildcard() -> Step:
    return Step(lambda query, current, rest: _each(rest, query, _values("wildcard", current)), fits=_has_members)


def _recursive() -> Step:
    def recursive(query: Query, current: Any, rest: tuple[Step, ...]) -> list[Any]:
        if current is None:
            return []
        found: list[Any] = []
        result = _quiet(rest, query, current) if rest else current
        if isinstance(result, list) and rest:
            found += result
        elif result is not None:
            found.append(result)
        if isinstance(current, (dict, list)):
            for value in _values("recursive", current):
                found += recursive(query, value, rest)
        query.budget.allocate(len(found))
        return found

    return Step(recursive)


def _filter(text: str) -> Step:
    evaluate = _script_of(text)

    def pick(query: Query, current: Any, rest: tuple[Step, ...]) -> Any:
        if not text:
            raise Panic("invalid expression. is empty")
        found = [value for value in _values("filter", current) if _counts(_evaluated(evaluate, query, value))]
        if rest and rest[0].is_index:
            return _on(rest, query, found)
        return _each(rest, query, found)

    return Step(pick, fits=_has_members)


def _evaluated(evaluate: Script, query: Query, value: Any) -> Any:
    try:
        return evaluate(query, value)
    except Panic:
        if query.budget.exhausted:
            raise
        return None


def _counts(value: Any) -> bool:
    """Whether a filter's answer lets the value through."""
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return len(value) > 2
    return bool(value)


def _script(text: str) -> Step:
    evaluate = _script_of(text)

    def step(query: Query, current: Any, rest: tuple[Step, ...]) -> Any:
        value = evaluate(query, current)
        if isinstance(value, str):
            return _key(value).run(query, current, rest)
        number = whole(value)
        if number is None:
            got = "nil" if value is None else go_kind(value)
            raise Panic(f"unexpected expression result. expected [int string] got [{got}]")
        return _index(number).run(query, current, rest)

    return Step(step, fits=_has_members)


def _script_of(text: str) -> Script:
    from argo_yaml_provider.expr.jsonpath_script import compile_script

    script = compile_script(text)

    def evaluate(query: Query, current: Any) -> Any:
        query.budget.step(_EVALUATION)
        return script(query, current)

    return evaluate


def whole(value: Any) -> int | None:
    """The value as an int, if it is a whole number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return wrap(int(value)) if isinstance(value, float) and value.is_integer() else None


def _argument(argument: Any) -> Script:
    """A bound of a range or a member of a union: a number, a key, or a script."""
    if isinstance(argument, Part):
        return _script_of(argument.arguments[0])
    return lambda _query, _current: argument


def _range(*bounds: Any) -> Step:
    start, stop, step = (None if bound is None else _argument(bound) for bound in (*bounds, None)[:3])

    def cut(query: Query, current: Any, rest: tuple[Step, ...]) -> Any:
        if not isinstance(current, list):
            raise _wrong_target("range", current, "array slice")
        stride = _bound(step, query, current, 1)
        if stride == 0:
            raise Panic("range: invalid token out of range")
        low = _clamped(_bound(start, query, current, 0), len(current))
        high = _clamped(_bound(stop, query, current, len(current)), len(current))
        indexes = range(low, high, stride) if stride > 0 else range(high - 1, low - 1, stride)
        return _selected(rest, query, [current[index] for index in indexes])

    return Step(cut, fits=_is_list)


def _bound(script: Script | None, query: Query, current: Any, otherwise: int) -> int:
    if script is None:
        return otherwise
    number = whole(script(query, current))
    if number is None:
        raise Panic("range: invalid token argument. expected [int]")
    return number


def _clamped(index: int, length: int) -> int:
    return max(0, min(length, index + length if index < 0 else index))


def _selected(rest: tuple[Step, ...], query: Query, found: list[Any]) -> Any:
    """An index behind a range or union means one of what was found; anything else, each of them."""
    if rest and rest[0].is_index:
        return _on(rest, query, found)
    return _each(rest, query, found)


def _union(*members: Any) -> Step:
    scripts = [_argument(member) for member in members]

    def union(query: Query, current: Any, rest: tuple[Step, ...]) -> Any:
        names = [_member(script(query, current)) for script in scripts]
        if len({type(name) for name in names}) > 1:
            raise Panic("union: invalid token argument. expected all [int] or all [string]")
        if isinstance(names[0], str):
            if not isinstance(current, dict):
                raise _wrong_target("union", current, "map")
            return _selected(rest, query, [current[name] for name in names if name in current])
        if not isinstance(current, list):
            raise _wrong_target("union", current, "array slice")
        return _selected(rest, query, [current[name] for name in names if -len(current) <= name < len(current)])

    return Step(union, fits=_has_members)


def _member(value: Any) -> Any:
    if isinstance(value, str):
        return value
    number = whole(value)
    if number is None:
        raise Panic("union: invalid token argument. expected [int string]")
    return number


_STEPS: dict[str, Callable[..., Step]] = {
    "root": _root,
    "current": _current,
    "key": _key,
    "index": _index,
    "length": _length,
    "wildcard": _wildcard,
    "recursive": _recursive,
    "filter": _filter,
    "script": _script,
    "range": _range,
    "union": _union,
}
