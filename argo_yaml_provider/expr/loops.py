"""The functions of expr-lang that take a predicate: `filter`, `map`, `reduce`, …

In: the closures of the collection and of the predicate.  Out: a closure that runs the loop.
Must not know: syntax. expr-lang: compiler/compiler.go, BuiltinNode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.expr import operators
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.values import Groups, Uint8, any_key, go_type

if TYPE_CHECKING:
    from argo_yaml_provider.expr.compiler import Code, Frame

Loop = Callable[["Turns", Sequence["Code"]], Any]
"""What a loop does, given its turns and the closures of its other arguments."""


class Turns:
    """The elements a loop goes over; each turn sets `#` and `#index` and is paid for."""

    __slots__ = ("cost", "elements", "frame")

    def __init__(self, frame: Frame, collection: Any, cost: int) -> None:
        self.frame, self.cost = frame, cost
        self.elements = _elements(collection)

    def __iter__(self) -> Iterator[Any]:
        return self.from_index(0)

    def from_index(self, first: int) -> Iterator[Any]:
        return self._along(range(first, len(self.elements)))

    def backwards(self) -> Iterator[Any]:
        return self._along(range(len(self.elements) - 1, -1, -1))

    def found(self, predicate: Code, *, backwards: bool = False) -> Iterator[Any]:
        """The elements for which the predicate is true."""
        return (item for item in (self.backwards() if backwards else self) if truth(predicate(self.frame)))

    def _along(self, indexes: range) -> Iterator[Any]:
        frame, elements, cost, step = self.frame, self.elements, self.cost, self.frame.budget.step
        for index in indexes:
            step(cost)
            item = frame.item = elements[index]
            frame.index = index
            yield item


def _elements(collection: Any) -> Sequence[Any]:
    """What a loop goes over; of a text, its bytes."""
    if isinstance(collection, list):
        return collection
    if isinstance(collection, (str, bytes)):
        return [Uint8(byte) for byte in (operators.to_bytes(collection) if isinstance(collection, str) else collection)]
    if isinstance(collection, dict) and not collection:
        return []
    raise Panic(f"reflect: call of reflect.Value.Index on {go_type(collection)}, which is no list")


def loop_code(name: str, collection: Code, rest: Sequence[Code], cost: int) -> Code:
    """The closure of one call; it leaves the loop around it as it found it."""
    loop = LOOPS[name]

    def run(frame: Frame) -> Any:
        turns = Turns(frame, collection(frame), cost)
        saved = frame.item, frame.index, frame.acc
        frame.depth += 1
        try:
            return loop(turns, rest)
        finally:
            frame.depth -= 1
            frame.item, frame.index, frame.acc = saved

    return run


def truth(value: Any) -> bool:
    """The value, which must be true or false."""
    if value is True or value is False:
        return value
    raise operators.conversion(value, "bool")


def _all(turns: Turns, rest: Sequence[Code]) -> bool:
    return all(truth(rest[0](turns.frame)) for _ in turns)


def _none(turns: Turns, rest: Sequence[Code]) -> bool:
    return not _any(turns, rest)


def _any(turns: Turns, rest: Sequence[Code]) -> bool:
    return any(truth(rest[0](turns.frame)) for _ in turns)


def _one(turns: Turns, rest: Sequence[Code]) -> bool:
    return _count(turns, rest) == 1


def _count(turns: Turns, rest: Sequence[Code]) -> int:
    if not rest:
        return sum(truth(item) for item in turns)
    return sum(truth(rest[0](turns.frame)) for _ in turns)


def _filter(turns: Turns, rest: Sequence[Code]) -> list[Any]:
    found = list(turns.found(rest[0]))
    turns.frame.budget.allocate(len(found))
    return found


def _map(turns: Turns, rest: Sequence[Code]) -> list[Any]:
    turns.frame.budget.allocate(len(turns.elements))
    return [rest[0](turns.frame) for _ in turns]


def _find(turns: Turns, rest: Sequence[Code]) -> Any:
    return next(turns.found(rest[0]), None)


def _find_last(turns: Turns, rest: Sequence[Code]) -> Any:
    return next(turns.found(rest[0], backwards=True), None)


def _or_fail(*, backwards: bool) -> Loop:
    """What became of `filter(…)[0]`: an error where there is none."""

    def loop(turns: Turns, rest: Sequence[Code]) -> Any:
        for item in turns.found(rest[0], backwards=backwards):
            return item
        raise Panic("reflect: slice index out of range")

    return loop


def _find_index(turns: Turns, rest: Sequence[Code]) -> int | None:
    return next((turns.frame.index for _ in turns.found(rest[0])), None)


def _find_last_index(turns: Turns, rest: Sequence[Code]) -> int | None:
    return next((turns.frame.index for _ in turns.found(rest[0], backwards=True)), None)


def _sum(turns: Turns, rest: Sequence[Code]) -> Any:
    total: Any = 0
    for item in turns:
        total = operators.add(rest[0](turns.frame) if rest else item, total)
    return total


def _group_by(turns: Turns, rest: Sequence[Code]) -> Groups:
    groups = Groups()
    for item in turns:
        key = rest[0](turns.frame)
        turns.frame.budget.step(3)
        if isinstance(key, (list, dict, bytes)):
            raise Panic(f"hash of unhashable type: {go_type(key)}")
        groups.setdefault(any_key(key), []).append(item)
    return groups


def _sort_by(turns: Turns, rest: Sequence[Code]) -> list[Any]:
    descending = sort_order(rest[1](turns.frame)) if len(rest) > 1 else False
    values = [(rest[0](turns.frame), item) for item in turns]
    turns.frame.budget.step(4 * len(values))
    turns.frame.budget.allocate(len(values))
    return [item for _, item in sorted(values, key=cmp_to_key(_pair_order), reverse=descending)]


def sort_order(order: Any) -> bool:
    """Whether `asc` or `desc` was said."""
    if order in ("asc", "desc"):
        return bool(order == "desc")
    raise Panic(f"invalid order {operators.shown_key(order)}, expected asc or desc")


def _pair_order(left: tuple[Any, Any], right: tuple[Any, Any]) -> int:
    return order(left[0], right[0])


def order(left: Any, right: Any) -> int:
    """How two values sort; a Panic if they cannot be compared."""
    return -1 if operators.less(left, right) else operators.less(right, left)


def _reduce(turns: Turns, rest: Sequence[Code]) -> Any:
    frame = turns.frame
    if len(rest) > 1:
        frame.acc, first = rest[1](frame), 0
    elif turns.elements:
        frame.acc, first = turns.elements[0], 1
    else:
        raise Panic("reduce of empty array with no initial value")
    for _ in turns.from_index(first):
        frame.acc = rest[0](frame)
    return frame.acc


LOOPS: dict[str, Loop] = {
    "all": _all,
    "none": _none,
    "any": _any,
    "one": _one,
    "count": _count,
    "filter": _filter,
    "map": _map,
    "find": _find,
    "findLast": _find_last,
    "findOrFail": _or_fail(backwards=False),
    "findLastOrFail": _or_fail(backwards=True),
    "findIndex": _find_index,
    "findLastIndex": _find_last_index,
    "sum": _sum,
    "groupBy": _group_by,
    "sortBy": _sort_by,
    "reduce": _reduce,
}
