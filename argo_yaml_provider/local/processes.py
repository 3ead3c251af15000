"""The server's side of the launcher: start processes, signal them, learn how they ended.

In: a sandbox spec and file descriptors.  Out: `Process`.
Must not know: pods, the API.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from argo_yaml_provider.local.state import begun_at

Json = dict[str, Any]


class LaunchError(Exception):
    """A process did not come to be."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind, self.message = kind, message
        super().__init__(message)

    def __reduce__(self) -> tuple[type[LaunchError], tuple[str, str]]:
        return type(self), (self.kind, self.message)


class Process:
    """One container's first process, or one command executed in a container."""

    def __init__(self, owner: Processes, name: str) -> None:
        self._owner, self.name = owner, name
        self.started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """The status as `waitpid` gives it."""

    @property
    def pid(self) -> int:
        return self.started.result()

    @property
    def running(self) -> bool:
        return not self.ended.done()

    def signal(self, number: int, *, group: bool = False) -> None:
        if self.running:
            self._owner.say({"id": self.name, "signal": int(number), "group": group})

    def kill(self) -> None:
        self.signal(signal.SIGKILL, group=True)


class Processes:
    """The launcher and all that it runs."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._groups = folder, folder.parent / "groups"
        self._running: dict[str, Process] = {}
        self._numbers = itertools.count(1)
        self.mode = "plain"

    async def start(self, layer: Path) -> None:
        """Start the launcher; `layer` is what containers see on top of the host's files."""
        ours, theirs = socket.socketpair()
        self._socket = ours
        arguments = [str(layer), str(self._folder / "probe"), str(theirs.fileno())]
        self._launcher = subprocess.Popen(  # noqa: ASYNC220 - it takes a millisecond, once
            [sys.executable, "-P", "-m", "argo_yaml_provider.local.launcher", *arguments],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        reader, self._writer = await asyncio.open_connection(sock=ours.dup())
        self.mode = json.loads(await reader.readline())["mode"]
        self._reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            message = json.loads(line)
            if process := self._running.get(message["id"]):
                self._note(process, message)

    def _note(self, process: Process, message: Json) -> None:
        if "started" in message:
            process.started.set_result(message["started"])
            self._remember(message["started"])
            return
        del self._running[process.name]
        if "failed" in message:
            process.started.set_exception(LaunchError(message["failed"]["kind"], message["failed"]["message"]))
            process.started.exception()  # whoever waited for it may be gone, and then nobody wants to know
            process.ended.cancel()
        else:
            process.ended.set_result(message["ended"])
            if self.mode == "plain":
                (self._groups / str(process.pid)).unlink(missing_ok=True)

    def _remember(self, pid: int) -> None:
        """Without a namespace nothing ends a process's descendants if we are killed: the next server does."""
        if self.mode == "plain":
            (self._groups / str(pid)).write_text(begun_at(pid))

    def say(self, message: Json) -> None:
        self._send(message, [])

    def _send(self, message: Json, fds: list[int]) -> None:
        data = json.dumps(message).encode() + b"\n"
        self._socket.setblocking(True)  # a few hundred bytes to a process that always reads
        socket.send_fds(self._socket, [data], fds)

    async def launch(self, spec: Json, fds: tuple[int, int, int]) -> Process:
        """Start a process; stdin, stdout and stderr are handed over and remain the caller's to close."""
        process = Process(self, str(next(self._numbers)))
        file = self._folder / f"{process.name}.json"
        file.touch(mode=0o600)  # before there is anything to read: a container's environment holds secrets
        file.write_text(json.dumps(spec))
        self._running[process.name] = process
        try:
            self._send({"id": process.name, "file": str(file)}, list(fds))
            await asyncio.shield(process.started)
        finally:
            if process.started.done():
                file.unlink(missing_ok=True)
        return process

    def stop(self) -> None:
        """End the launcher, and with it all that it runs."""
        self._reading.cancel()
        self._socket.shutdown(socket.SHUT_RDWR)  # the launcher's sign to end everything
        self._writer.close()
        self._socket.close()
        try:
            self._launcher.wait(5)
        except subprocess.TimeoutExpired:
            self._launcher.kill()


def exit_code(status: int) -> tuple[int, int]:
    """Exit code and signal, as a container runtime reports them: 128 + signal."""
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status), os.WTERMSIG(status)
    return os.WEXITSTATUS(status), 0
