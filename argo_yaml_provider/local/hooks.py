"""Handlers that a pod names for its containers: lifecycle hooks and probes.

In: a handler (exec, httpGet, tcpSocket, sleep) and a container's life.  Out: why it failed; a probed record.
Must not know: the pod's other containers, the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine
from typing import Any

from argo_yaml_provider.local.container import Life
from argo_yaml_provider.local.podstatus import Record
from argo_yaml_provider.local.processes import LaunchError, Processes, exit_code
from argo_yaml_provider.local.resources import Json

_IP = "127.0.0.1"


def exec_spec(life: Life, command: list[str]) -> Json:
    """The launcher's request for a command in a running container."""
    uid, gid = life.user
    return {"argv": command, "env": life.env, "cwd": life.cwd, "join": life.process.pid, "uid": uid, "gid": gid, "groups": []}


async def run_handler(handler: Json, life: Life, processes: Processes, *, timeout: float | None) -> str:  # noqa: ASYNC109 - a handler's own limit
    """Run one handler; the text says why it failed."""
    kind = next((kind for kind in _HANDLERS if handler.get(kind) is not None), None)
    if kind is None:
        return f"unknown handler: {', '.join(handler) or 'empty'}"
    try:
        return await asyncio.wait_for(_HANDLERS[kind](handler[kind], life, processes), timeout)
    except TimeoutError:
        return f"timed out after {timeout:g}s" if timeout else "timed out"


async def _exec(action: Json, life: Life, processes: Processes) -> str:
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        process = await processes.launch(exec_spec(life, action.get("command") or []), (nothing, nothing, nothing))
    except LaunchError as error:
        return error.message
    finally:
        os.close(nothing)
    try:
        code, _ = exit_code(await asyncio.shield(process.ended))
    except asyncio.CancelledError:
        process.signal(signal.SIGKILL, group=True)
        raise
    return f"command exited with {code}" if code else ""


def _port(value: int | str, life: Life) -> int:
    if isinstance(value, int) or value.isdigit():
        return int(value)
    ports = {p.get("name"): p["containerPort"] for p in life.spec.get("ports") or ()}
    return int(ports[value])


async def _http(action: Json, life: Life, _: Processes) -> str:
    scheme = (action.get("scheme") or "HTTP").lower()
    host = action.get("host") or _IP
    path = action.get("path") or "/"
    url = f"{scheme}://{host}:{_port(action['port'], life)}/{path.removeprefix('/')}"
    headers = {h["name"]: h["value"] for h in action.get("httpHeaders") or ()}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http or https, as the pod says
    return await asyncio.to_thread(_get, request)


def _get(request: urllib.request.Request) -> str:
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            return ""
    except urllib.error.HTTPError as error:
        return f"HTTP probe failed with statuscode: {error.code}"
    except OSError as error:
        return f"Get {request.full_url}: {error}"


async def _tcp(action: Json, life: Life, _processes: Processes) -> str:
    try:
        _, writer = await asyncio.open_connection(action.get("host") or _IP, _port(action["port"], life))
    except OSError as error:
        return f"dial tcp: {error}"
    writer.close()
    return ""


async def _sleep(action: Json, life: Life, _: Processes) -> str:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(life.process.ended), float(action["seconds"]))
    return ""


_Handler = Callable[[Any, Life, Processes], Coroutine[Any, Any, str]]
_HANDLERS: dict[str, _Handler] = {"exec": _exec, "httpGet": _http, "tcpSocket": _tcp, "sleep": _sleep}


class Probes:
    """Startup, then readiness and liveness, of one life of a container."""

    def __init__(self, record: Record, life: Life, processes: Processes, publish: Callable[[], None]) -> None:
        self._record, self._life, self._processes, self._publish = record, life, processes, publish
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        spec = self._record.spec
        if startup := spec.get("startupProbe"):
            self._tasks.append(asyncio.create_task(self._start_up(startup)))
        else:
            self._started()

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _start_up(self, probe: Json) -> None:
        if await self._until(probe, good=True):
            self._started()
            self._publish()
        else:
            await self._restart()

    def _started(self) -> None:
        spec = self._record.spec
        self._record.started = self._record.begun = True
        self._record.ready = "readinessProbe" not in spec
        if probe := spec.get("readinessProbe"):
            self._tasks.append(asyncio.create_task(self._readiness(probe)))
        if probe := spec.get("livenessProbe"):
            self._tasks.append(asyncio.create_task(self._liveness(probe)))

    async def _until(self, probe: Json, *, good: bool) -> bool:
        """Look until it succeeds (True) or has failed too often in a row (False); with good=False only failure ends it."""
        await asyncio.sleep(float(probe.get("initialDelaySeconds") or 0))
        failures = 0
        while True:
            failures = failures + 1 if await self._fails(probe) else 0
            if not failures and good:
                return True
            if failures >= int(probe.get("failureThreshold") or 3):
                return False
            await asyncio.sleep(float(probe.get("periodSeconds") or 10))

    async def _fails(self, probe: Json) -> str:
        return await run_handler(probe, self._life, self._processes, timeout=float(probe.get("timeoutSeconds") or 1))

    async def _readiness(self, probe: Json) -> None:
        await asyncio.sleep(float(probe.get("initialDelaySeconds") or 0))
        good = bad = 0
        while True:
            failed = bool(await self._fails(probe))
            good, bad = (0, bad + 1) if failed else (good + 1, 0)
            ready = self._record.ready
            if good >= int(probe.get("successThreshold") or 1):
                ready = True
            elif bad >= int(probe.get("failureThreshold") or 3):
                ready = False
            if ready is not self._record.ready:
                self._record.ready = ready
                self._publish()
            await asyncio.sleep(float(probe.get("periodSeconds") or 10))

    async def _liveness(self, probe: Json) -> None:
        await self._until(probe, good=False)
        await self._restart()

    async def _restart(self) -> None:
        """End this life; the restart policy decides what follows."""
        self._life.process.signal(signal.SIGTERM)
        await asyncio.sleep(2)
        self._life.process.kill()
