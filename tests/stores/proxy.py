"""A proxy before an HTTP store that interferes: it holds a transfer half-way, or breaks it off and refuses for a while, or
breaks off answers again and again."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_HALF = 1 << 20
"""Bytes of a body after which a transfer counts as half-way."""
_CHUNK = 1 << 16


@dataclass
class Hold:
    """One transfer that stops half-way until it is released, or its client is gone."""

    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


@dataclass
class Proxy:
    """Its rules go by a word in the path."""

    target: int
    port: int = 0
    holds: dict[str, Hold] = field(default_factory=dict)
    refusals: dict[str, float] = field(default_factory=dict)
    """Seconds for which the store refuses, counted from when it broke off the first transfer."""
    refused: dict[str, int] = field(default_factory=dict)
    """How many requests were broken off or refused."""
    cuts: dict[str, int] = field(default_factory=dict)
    """How many more answers are broken off half-way."""
    asked: list[str] = field(default_factory=list)
    """Method and path of every request."""
    _until: dict[str, float] = field(default_factory=dict)

    async def handle(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One request: each connection carries one, for the store is told to close it."""
        # Cancelled only at the proxy's end.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await client.readuntil(b"\r\n\r\n")
            line, _, rest = head.partition(b"\r\n")
            method, path = line.decode().split(" ")[:2]
            self.asked.append(f"{method} {path.partition('?')[0]}")
            if not self._is_refused(path):
                store, forth = await asyncio.open_connection("127.0.0.1", self.target)
                forth.write(line + b"\r\nConnection: close\r\n" + rest)
                down, up = (path if method == verb else "" for verb in ("GET", "PUT"))
                answer = asyncio.create_task(self._pass(store, back, client, down, self._most(path)))
                sending = asyncio.create_task(self._pass(client, forth, client, up))
                await asyncio.wait({answer, sending}, return_when=asyncio.FIRST_COMPLETED)
                if not sending.done() or sending.result():
                    await answer
                answer.cancel()
                sending.cancel()
                forth.close()
        back.close()

    def _most(self, path: str) -> float:
        """Bytes of the answer that are passed on."""
        for word, left in self.cuts.items():
            if word in path and left > 0:
                self.cuts[word] -= 1
                return _HALF
        return float("inf")

    async def _pass(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        client: asyncio.StreamReader,
        path: str,
        most: float = float("inf"),
    ) -> bool:
        """Whether all went through."""
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < most and (piece := await source.read(_CHUNK)):
                sent += len(piece)
                if sent >= _HALF > sent - len(piece) and not await self._goes_on(client, path):
                    return False
                sink.write(piece)
                await sink.drain()
            return True
        return False

    async def _goes_on(self, client: asyncio.StreamReader, path: str) -> bool:
        """Whether the second half may follow the first."""
        for word, hold in self.holds.items():
            if word in path and not hold.reached.is_set():
                hold.reached.set()
                # Set by another thread, or never: the client may go.
                while not hold.released.is_set() and not client.at_eof() and client.exception() is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                return hold.released.is_set()
        for word, seconds in self.refusals.items():
            if word in path and word not in self._until:
                self._until[word] = time.monotonic() + seconds
                self.refused[word] = 1
                return False
        return True

    def _is_refused(self, path: str) -> bool:
        for word, end in self._until.items():
            if word in path and time.monotonic() < end:
                self.refused[word] += 1
                return True
        return False


async def _end(server: asyncio.Server) -> None:
    server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def interfering(target: int, *, holds: Iterable[str] = (), refusals: dict[str, float] | None = None) -> Iterator[Proxy]:
    """A proxy before the store at that port, at every address of this machine."""
    proxy = Proxy(target=target, holds={word: Hold() for word in holds}, refusals=refusals or {})
    loop = asyncio.new_event_loop()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(proxy.handle, "0.0.0.0", 0)

    server = loop.run_until_complete(start())
    proxy.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        for hold in proxy.holds.values():
            hold.released.set()
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
