"""`kubectl exec`: a command in a running container, over a websocket.

In: a websocket that speaks v4 or v5.channel.k8s.io.  Out: the command's output and its exit status, by channel.
Must not know: the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass

from argo_yaml_provider.local.container import Life
from argo_yaml_provider.local.hooks import exec_spec
from argo_yaml_provider.local.http import Message, Receive, Send, dump
from argo_yaml_provider.local.processes import LaunchError, Process, Processes, exit_code
from argo_yaml_provider.local.resources import Json

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE, _CLOSE = 0, 1, 2, 3, 4, 255


def _true(query: dict[str, list[str]], name: str) -> bool:
    return query.get(name, ["false"])[0].lower() in {"1", "true"}


def _success(status: int) -> Json:
    code, _ = exit_code(status)
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def _failure(message: str) -> Json:
    return {"metadata": {}, "status": "Failure", "reason": "InternalError", "message": message, "code": 500}


@dataclass(slots=True)
class _Streams:
    """Our ends of the command's stdin, stdout and stderr; -1 where there is none."""

    stdin: int
    stdout: int
    stderr: int


def _open(query: dict[str, list[str]]) -> tuple[_Streams, tuple[int, int, int]]:
    """Our ends, and the ends to hand over."""
    if _true(query, "tty"):
        ours, theirs = os.openpty()
        return _Streams(ours, os.dup(ours), -1), (theirs, theirs, theirs)
    if _true(query, "stdin"):
        child_in, our_in = os.pipe()
    else:
        child_in, our_in = os.open(os.devnull, os.O_RDONLY), -1
    our_out, child_out = os.pipe()
    our_err, child_err = os.pipe()
    return _Streams(our_in, our_out, our_err), (child_in, child_out, child_err)


async def serve(
    life: Life, processes: Processes, sub: str, query: dict[str, list[str]], socket: tuple[Message, Receive, Send]
) -> None:
    """Run the command to its end, or until the client is gone."""
    scope, receive, send = socket
    offered = scope.get("subprotocols") or []
    protocol = next((p for p in _PROTOCOLS if p in offered), None)
    await receive()
    await send({"type": "websocket.accept", "subprotocol": protocol})
    if sub == "attach":
        await _attach(life, send)
        return
    streams, handed = _open(query)
    spec = exec_spec(life, query.get("command", [])) | {"tty": _true(query, "tty")}
    if spec["tty"]:
        spec["env"] = {"TERM": "xterm", **spec["env"]}
    try:
        process = await processes.launch(spec, handed)
    except LaunchError as error:
        await _finish(send, _failure(f"error executing command in container: {error.message}"))
        return
    finally:
        for fd in set(handed):
            os.close(fd)
    await _run(process, streams, receive, send)


async def _attach(life: Life, send: Send) -> None:
    from argo_yaml_provider.local.logs import LogOptions

    async for chunk in life.log.read(LogOptions(follow=True, tail=0)):
        await _put(send, _STDOUT, chunk)
    await _finish(send, {"metadata": {}, "status": "Success"})


async def _run(process: Process, streams: _Streams, receive: Receive, send: Send) -> None:
    ends = ((_STDOUT, streams.stdout), (_STDERR, streams.stderr))
    outputs = [asyncio.create_task(_pump(fd, channel, send)) for channel, fd in ends if fd >= 0]
    inputs = asyncio.create_task(_feed(streams, receive, process))
    try:
        status = await asyncio.shield(process.ended)
        await asyncio.wait(outputs, timeout=1)
        await _finish(send, _success(status))
    finally:
        for task in (*outputs, inputs):
            task.cancel()
        await asyncio.gather(*outputs, inputs, return_exceptions=True)
        if streams.stdin >= 0:
            os.close(streams.stdin)


async def _pump(fd: int, channel: int, send: Send) -> None:
    """Copy what the command writes; a terminal ends with an error, a pipe with nothing."""
    loop = asyncio.get_running_loop()
    os.set_blocking(fd, False)
    try:
        while True:
            readable = asyncio.Event()
            loop.add_reader(fd, readable.set)
            try:
                await readable.wait()
                data = os.read(fd, 1 << 16)
            except OSError:
                return
            finally:
                loop.remove_reader(fd)
            if not data:
                return
            await _put(send, channel, data)
    finally:
        os.close(fd)


async def _feed(streams: _Streams, receive: Receive, process: Process) -> None:
    """Hand over what the client sends: input, window sizes, the end of input, its going away."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            process.signal(signal.SIGKILL, group=True)
            return
        data: bytes = message.get("bytes") or (message.get("text") or "").encode()
        if not data:
            continue
        channel, rest = data[0], data[1:]
        if channel == _STDIN and streams.stdin >= 0 and rest:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(_write_all, streams.stdin, rest)
        elif channel == _RESIZE:
            _resize(streams.stdin, rest)
        elif channel == _CLOSE and rest[:1] == b"\0" and streams.stdin >= 0:
            os.close(streams.stdin)
            streams.stdin = -1


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _resize(fd: int, data: bytes) -> None:
    import fcntl
    import json
    import struct
    import termios

    size = json.loads(data)
    with contextlib.suppress(OSError):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", size["Height"], size["Width"], 0, 0))


async def _put(send: Send, channel: int, data: bytes) -> None:
    await send({"type": "websocket.send", "bytes": bytes([channel]) + data})


async def _finish(send: Send, status: Json) -> None:
    await _put(send, _ERROR, dump(status))
    await send({"type": "websocket.close", "code": 1000})
