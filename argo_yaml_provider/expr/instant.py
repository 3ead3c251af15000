"""The one thing that is not a function of the text and its variables: the clock and the dice.

In: an instant and a seed, set by whoever evaluates.  Out: what `now` and the random functions use; without one, the system's.
Must not know: workflows.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_FIXED: ContextVar[tuple[int, random.Random] | None] = ContextVar("fixed", default=None)


@contextmanager
def fixed(nanoseconds: int, seed: str) -> Iterator[None]:
    """Inside, time stands still and the dice fall the same way for the same seed."""
    token = _FIXED.set((nanoseconds, random.Random(seed)))  # noqa: S311 - the same value for all who ask, not a secret
    try:
        yield
    finally:
        _FIXED.reset(token)


def now() -> int:
    """Nanoseconds since 1970."""
    current = _FIXED.get()
    return time.time_ns() if current is None else current[0]


def dice() -> random.Random:
    """A source of random numbers."""
    current = _FIXED.get()
    return random.SystemRandom() if current is None else current[1]
