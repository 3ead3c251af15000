"""How much an expression may cost: the bounds that make any input end soon.

In: nothing.  Out: the bounds, and `Budget`, which counts what one evaluation has used up.
Must not know: the syntax tree, the functions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from argo_yaml_provider.expr.errors import Panic

MAX_TEXT = 1 << 18
"""Characters of one expression."""
MAX_TOKENS = 5_000
"""Words and signs of one expression."""
MAX_NESTING = 150
"""Brackets within brackets, and operators within operators."""
MAX_STRING = 1 << 20
"""Characters of one string that an expression makes."""
MEMORY = 1_000_000
"""Elements of all lists and maps that one evaluation makes; expr-lang's own bound."""
STEPS = 100_000
"""Work of one evaluation: the turns of its loops, each as heavy as what is done in it, and the sizes of what functions read."""
CHARACTERS_A_STEP = 16
HEAVY = 16
"""How much more a function costs that looks at every character by itself."""
SLOW = 32
"""What a call costs that takes tens of microseconds whatever it is given: times and versions are read and written so."""
SLOWER = 8 * SLOW
MAX_PATTERN = 4_096
"""Characters of one regular expression."""
PATTERN_MEMORY = 2 << 20
"""Bytes that one compiled regular expression may take."""
MAX_MATCHES = 10_000
"""Matches of one regular expression in one text."""
MAX_FORMAT = 1_000
"""Characters of a layout, of a time, a duration or a version."""
MAX_RESULT = 150_000
"""Elements of the value of an expression, all the way down."""
COSTLY_CALLS = 2
"""Calls of functions that are slow on purpose (keys, certificates, password hashes)."""


class Budget:
    """What one evaluation may still use."""

    __slots__ = ("costly", "memory", "steps")

    def __init__(self) -> None:
        self.memory, self.steps, self.costly = MEMORY, STEPS, COSTLY_CALLS

    @property
    def exhausted(self) -> bool:
        return self.memory <= 0 or self.steps < 0

    def allocate(self, size: int) -> None:
        """A list or map of this many elements is about to be made."""
        self.memory -= size
        if self.memory <= 0:
            raise Panic(f"memory budget exceeded: an expression may make {MEMORY} list elements in all")

    def step(self, weight: int) -> None:
        """Work of this weight is about to be done."""
        self.steps -= weight
        if self.steps < 0:
            raise Panic(f"too many steps: an expression may take {STEPS} in all")

    def weigh_pair(self, left: Any, right: Any) -> None:
        """Two values are about to be read; short texts, as most are, for nothing."""
        if not (type(left) is str and type(right) is str and len(left) + len(right) < CHARACTERS_A_STEP):
            self.weigh((left, right))

    def weigh(self, values: Iterable[Any], factor: int = 1) -> None:
        """These values are about to be read, all the way down."""
        self.step(factor * weight(values, self.steps // factor))


def weight(values: Iterable[Any], most: int) -> int:
    """How many elements, and how much text, there is in these values; a little above `most` if it is more."""
    total, waiting = 0, list(values)
    while waiting and total <= most:
        value = waiting.pop()
        if isinstance(value, (str, bytes)):
            total += len(value) // CHARACTERS_A_STEP
        elif isinstance(value, (list, dict)):
            total += len(value)
            if total <= most:
                waiting += [item for item in (value.values() if isinstance(value, dict) else value) if type(item) not in _SMALL]
    return total


_SMALL = frozenset({int, float, bool, type(None)})


def check_length(length: int) -> None:
    """A string of this length is about to be made."""
    if length > MAX_STRING:
        raise Panic(f"the text would have {length} characters; {MAX_STRING} are the most")
