"""What containers write, line by line, with the time of each line.

In: a pipe.  Out: a file of `TIME FLAG text` lines, and whoever reads or follows it.
Must not know: pods, HTTP.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

_LONGEST = 16 * 1024
"""A line is cut here into parts that are put together again when read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    follow: bool = False
    tail: int | None = None
    timestamps: bool = False
    since: str = ""
    """The time, as in the file, before which lines are left out."""
    limit: int | None = None


def stamp() -> str:
    """The present in UTC with nanoseconds, in a form that sorts."""
    seconds, nanos = divmod(time.time_ns(), 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanos:09d}Z"


class Log:
    """The output of one container's one life."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab", buffering=0)
        self._rest = b""
        self._grown = asyncio.Event()
        self.closed = asyncio.Event()

    def attach(self) -> int:
        """Open a pipe whose content becomes the log; returns the end to write to, for the caller to close."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        asyncio.get_running_loop().add_reader(reading, self._read, reading)
        self._reading = reading
        return writing

    def _read(self, fd: int) -> None:
        try:
            data = os.read(fd, 1 << 16)
        except BlockingIOError:
            return
        if data:
            self._append(data)
        else:
            self.close()

    def _append(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        at = stamp().encode()
        out = [part for line in lines for part in _parts(at, line, b"F")]
        if len(self._rest) > _LONGEST:
            out += _parts(at, self._rest, b"P")
            self._rest = b""
        if out:
            self._file.write(b"".join(out))
            self._wake()

    def write(self, text: str) -> None:
        """Say something in the container's place."""
        self._append(text.encode() + b"\n")

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    def close(self) -> None:
        """Nothing more will come."""
        if self.closed.is_set():
            return
        asyncio.get_running_loop().remove_reader(self._reading)
        os.close(self._reading)
        if self._rest:
            self._file.write(b"".join(_parts(stamp().encode(), self._rest, b"P")))
        self._file.close()
        self.closed.set()
        self._wake()

    async def read(self, options: LogOptions) -> AsyncIterator[bytes]:
        """The lines asked for; with `follow`, also those to come."""
        left = options.limit
        at_start = True
        with self.path.open("rb") as file:
            _seek_tail(file.fileno(), options.tail)
            while True:
                grown, closed = self._grown, self.closed.is_set()
                chunk, at_start = _render(file.read(), options, at_start=at_start)
                if left is not None:
                    chunk, left = chunk[:left], left - len(chunk[:left])
                if chunk:
                    yield chunk
                if left == 0 or closed or not options.follow:
                    return
                await grown.wait()

    def last(self, lines: int, size: int) -> str:
        """The end of the log, for termination messages."""
        text, _ = _render(self.path.read_bytes(), LogOptions(), at_start=True)
        kept = b"".join(text.splitlines(keepends=True)[-lines:])
        return kept[-size:].decode(errors="replace")


def _parts(at: bytes, line: bytes, flag: bytes) -> list[bytes]:
    """A line, in parts where it is long; F ends a line, P does not."""
    cuts = range(0, max(1, len(line)), _LONGEST)
    pieces = [line[cut : cut + _LONGEST] for cut in cuts]
    return [b"%s %s %s\n" % (at, flag if i == len(pieces) - 1 else b"P", piece) for i, piece in enumerate(pieces)]


def _render(data: bytes, options: LogOptions, *, at_start: bool) -> tuple[bytes, bool]:
    """Stored lines as the client wants them; also whether the next part starts a line."""
    out = []
    for stored in data.split(b"\n")[:-1]:
        at, flag, text = stored.split(b" ", 2)
        if options.since and at.decode() < options.since:
            continue
        if options.timestamps and at_start:
            out.append(at + b" ")
        out.append(text)
        at_start = flag == b"F"
        if at_start:
            out.append(b"\n")
    return b"".join(out), at_start


def _seek_tail(fd: int, tail: int | None) -> None:
    """Put the file where its last `tail` lines begin."""
    if tail is None:
        return
    data = os.pread(fd, os.fstat(fd).st_size, 0)
    starts, offset, fresh = [], 0, True
    for stored in data.split(b"\n")[:-1]:
        if fresh:
            starts.append(offset)
        offset += len(stored) + 1
        fresh = stored.split(b" ", 2)[1] == b"F"
    os.lseek(fd, starts[-tail] if 0 < tail <= len(starts) else offset if tail == 0 else 0, os.SEEK_SET)
