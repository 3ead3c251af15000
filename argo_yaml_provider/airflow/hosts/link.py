"""The wire between a scheduler and the process that runs its steps: JSON lines over a socket pair.

In: messages of the scheduler's executor.  Out: the runner's events. The runner dies with its scheduler: its line ends.
Must not know: Airflow, steps.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import select
import socket
import time
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]
_CHUNK = 1 << 20


def encode(message: Message) -> bytes:
    """One line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Link:
    """The scheduler's end: starts the runner, sends it messages, reads its events."""

    def __init__(self, target: Callable[[socket.socket], None]) -> None:
        self._ours, theirs = socket.socketpair()
        inherited = self._ours.fileno() if multiprocessing.get_start_method() == "fork" else -1
        self._process = multiprocessing.Process(target=_enter, args=(target, theirs, inherited), daemon=True)
        self._process.start()
        theirs.close()
        self._rest = b""
        self.ended = False
        self.heard = time.monotonic()
        """When the runner last said something."""
        self._first: float | None = None
        """When it first did: its imports were done."""

    def at_work(self, now: float) -> float:
        """Seconds since the runner said its first word; 0 if it never said one."""
        return 0.0 if self._first is None else now - self._first

    @property
    def pid(self) -> int:
        """The runner's process."""
        return self._process.pid or 0

    @property
    def exit_code(self) -> int | None:
        """Of a runner that has ended; a signal's is negative."""
        return self._process.exitcode

    def send(self, message: Message) -> None:
        """To the runner; lost if it is dead, which `receive` finds out."""
        try:
            self._ours.sendall(encode(message))
        except OSError:
            self.ended = True

    def receive(self, wait: float = 0.0) -> list[Message]:
        """What the runner has said; waits at most so many seconds for the first event."""
        lines: list[bytes] = []
        while not self.ended and select.select([self._ours], [], [], 0 if lines else wait)[0]:
            lines += self._read()
            wait = 0
        if lines:
            self.heard = time.monotonic()
            self._first = self._first or self.heard
        return [json.loads(line) for line in lines]

    def _read(self) -> list[bytes]:
        try:
            data = self._ours.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self.ended = True
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

    def close(self, wait: float) -> None:
        """Hang up, give the runner some seconds to let go of its steps, then end it."""
        self._ours.close()
        self.ended = True
        self._process.join(wait)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _enter(target: Callable[[socket.socket], None], line: socket.socket, inherited: int) -> None:
    """In the new process. A forked one holds the scheduler's end as well, and would never see it close."""
    if inherited >= 0:
        os.close(inherited)
    target(line)
