"""What the UI shows of steps that last, written for many at once: one by one it took a seventh of a runner's time.

In: what to show of a task.  Out: its rows.
Must not know: what is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argo_yaml_provider.airflow.api import ExecutionApi, Shown, TaskRef

Waiting = dict["TaskRef", tuple[Callable[[], "Shown"], asyncio.Future[None]]]

GATHERED = 0.2
"""Seconds that the first waits for others."""
AT_ONCE = 100


class Shows:
    """Those that wait to be written."""

    def __init__(self, api: ExecutionApi) -> None:
        self._api = api
        self._waiting: Waiting = {}
        self._writing: asyncio.Task[None] | None = None

    async def write(self, ti: TaskRef, shown: Callable[[], Shown]) -> None:
        """Returns when it is written; `shown` is called in a thread. Raises what the database raises."""
        done = asyncio.get_running_loop().create_future()
        self._waiting[ti] = shown, done
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        try:
            await done
        finally:
            self._waiting.pop(ti, None)

    async def _write_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHERED)
            batch = dict(islice(self._waiting.items(), AT_ONCE))
            for ti in batch:
                del self._waiting[ti]
            await self._write(batch)

    async def _write(self, batch: Waiting) -> None:
        try:
            await self._api.show([(ti, shown) for ti, (shown, _) in batch.items()])
        except Exception as error:  # noqa: BLE001 - one whose row is gone must not keep the others'
            if len(batch) == 1:
                _settle(batch, error)
            else:
                for ti, one in batch.items():
                    await self._write({ti: one})
        else:
            _settle(batch)


def _settle(batch: Waiting, error: Exception | None = None) -> None:
    for _, done in batch.values():
        if not done.done():
            done.set_exception(error) if error else done.set_result(None)
