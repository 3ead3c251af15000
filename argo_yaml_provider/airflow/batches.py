"""What many lives ask of the database at one time, done for all of them in one transaction.

One by one, a step's beginning and end were a third of a runner's time. Nobody waits for others: while one batch is under way
the next comes together.
In: items of one kind, and what does many of them.  Out: each one's answer, or its own error.
Must not know: what is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
OfMany = Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]]
"""Does all or nothing, and answers in order."""
AT_ONCE = 100


class Batches(Generic[Item, Answer]):
    """Those that wait, in the order in which they came."""

    def __init__(self, do: OfMany[Item, Answer], *, gathered: float = 0.0) -> None:
        """`gathered`: seconds that the first waits for others."""
        self._do, self._gathered = do, gathered
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._doing: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> Answer:
        """Returns when it is done; raises what doing it alone raises."""
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._doing is None or self._doing.done():
            self._doing = asyncio.create_task(self._do_all())
        return await done

    async def _do_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._gathered)
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            await self._do_batch([one for one in batch if not one[1].done()])

    async def _do_batch(self, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._do([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - one that cannot be done must not keep the others from it
            if len(batch) > 1:
                await asyncio.gather(*(self._do_batch([one]) for one in batch))
            elif batch and not batch[0][1].done():
                batch[0][1].set_exception(error)
        else:
            for (_, done), answer in zip(batch, answers, strict=True):
                if not done.done():
                    done.set_result(answer)
