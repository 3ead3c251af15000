"""A template's `parallelism`: its members take turns in so many slots.

In: how many slots, members in order.  Out: what each member must wait for beside its own dependencies.
Must not know: templates. Argo starts whoever comes first; here who follows whom is settled when the plan is built.
"""

from __future__ import annotations

from collections import deque
from itertools import chain

Sinks = tuple[str, ...]


class Slots:
    """As many as members may run at a time; None: there is no limit."""

    def __init__(self, count: int | None) -> None:
        self._slots: deque[Sinks] | None = None if count is None else deque([()] * max(count, 1))

    def before(self, width: int) -> Sinks:
        """The tasks that must end before a member that takes up `width` slots begins."""
        if self._slots is None:
            return ()
        taken = list(self._slots)[: min(width, len(self._slots))]
        return tuple(dict.fromkeys(chain.from_iterable(taken)))

    def take(self, width: int, sinks: Sinks) -> None:
        """The member takes the slots that have been free the longest, until its last tasks have ended."""
        if self._slots is None:
            return
        for _ in range(min(width, len(self._slots))):
            self._slots.popleft()
            self._slots.append(sinks)
