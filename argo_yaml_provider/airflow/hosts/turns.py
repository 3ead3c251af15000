"""Who may have a pod now, in a process that Airflow sets no bounds: the triggerer.

In: what each step needs a share of, and its priority.  Out: turns, by priority, then in the order they were asked for.
Must not know: Airflow, Kubernetes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

Limits = Mapping[str, int]
"""How many may have a turn at once, by what they share."""


@dataclass(kw_only=True)
class Turn:
    """One step's place, in the queue or past it."""

    limits: Limits
    priority: int
    number: int
    granted: asyncio.Event = field(default_factory=asyncio.Event)


class Turns:
    """All turns of a process; who waits costs nothing until somebody ends."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._waiting: list[Turn] = []
        self._asked = 0

    def ask(self, limits: Limits, *, priority: int = 0) -> Turn:
        """A turn, which is granted already where there is room."""
        self._asked += 1
        turn = Turn(limits=limits, priority=priority, number=self._asked)
        self._waiting.append(turn)
        self._waiting.sort(key=lambda one: (-one.priority, one.number))
        self._grant()
        return turn

    def force(self, turn: Turn) -> None:
        """Grant it now, over the limits: what it is for has begun already, before this process did."""
        if not turn.granted.is_set():
            self._waiting.remove(turn)
            self._take(turn)

    def end(self, turn: Turn) -> None:
        """It is over, or not wanted any more."""
        if turn.granted.is_set():
            self._taken.subtract(turn.limits.keys())
            self._taken += Counter()
        else:
            self._waiting.remove(turn)
        self._grant()

    def _grant(self) -> None:
        """One that waits for a share of its own does not hold up the others."""
        for turn in list(self._waiting):
            if all(self._taken[name] < limit for name, limit in turn.limits.items()):
                self._waiting.remove(turn)
                self._take(turn)

    def _take(self, turn: Turn) -> None:
        self._taken.update(turn.limits.keys())
        turn.granted.set()
