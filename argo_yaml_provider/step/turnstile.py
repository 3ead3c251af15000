"""Lets through one at a time, one in a turn of the event loop.

Thousands that waited for the same thing would else all go on in one turn, and nothing else of the process meanwhile.
Must not know: what was waited for.
"""

from __future__ import annotations

import asyncio
from typing import TypeVar

T = TypeVar("T")


class Turnstile:
    """First come, first through."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def after(self, awaited: asyncio.Future[T]) -> T:
        """What was waited for, also by others; whoever finds it there already goes straight on."""
        if not awaited.done():
            await asyncio.shield(awaited)
            await self.one_by_one()
        return awaited.result()

    async def one_by_one(self) -> None:
        """Before much is done at once."""
        async with self._lock:
            await asyncio.sleep(0)
