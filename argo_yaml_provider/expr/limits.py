"""How much an expression may cost: the bounds that make any input end soon.

In: nothing.  Out: the bounds, and `Budget`, which counts what one evaluation has used up.
Must not know: the syntax tree, the functions.
"""

from __future__ import annotations

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
"""Turns of all loops of one evaluation, each weighed with the size of what is done in it."""
MAX_PATTERN = 4_096
"""Characters of one regular expression."""
PATTERN_MEMORY = 8 << 20
"""Bytes that one compiled regular expression may take."""
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


def check_length(length: int) -> None:
    """A string of this length is about to be made."""
    if length > MAX_STRING:
        raise Panic(f"the text would have {length} characters; {MAX_STRING} are the most")
