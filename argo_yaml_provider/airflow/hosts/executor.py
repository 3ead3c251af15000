"""The runner: one asyncio process that runs all steps of a scheduler.

In: the scheduler's messages (run, cancel, stop).  Out: one `Life` for each task; an event when it has ended. A scheduler that
dies without a word is reported dead, so that the next one need not wait until its silence is long enough.
Must not know: pods, plans.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import socket
import time
from importlib import import_module

from argo_yaml_provider.airflow.hosts.life import Life, Shared, bury
from argo_yaml_provider.airflow.hosts.link import Message, encode
from argo_yaml_provider.airflow.hosts.metrics import start_metrics
from argo_yaml_provider.airflow.rows import report_death

_LINE = 1 << 24
"""Bytes of the longest message."""
_COLLECT_AFTER = 10_000, 8, 1_000_000
"""For the garbage collector. By Python's own thresholds a fifth of this process's time went into looking through what thousands
of steps hold, up to a second at once; and steps leave little garbage that refers to itself. What is old waits for a pause.
"""
_COLLECT_EVERY = 600.0
"""Seconds, where there are always steps."""
_IDLE = 8.0
"""Seconds without any, after which others will not come at once."""
BEAT_EVERY = 5.0
DYING = 2.0
"""Seconds that a scheduler may take to be gone once its line has ended."""


def serve(line: socket.socket, *, job: int | str | None = None) -> None:
    """The process's whole life; `job` is the scheduler's."""
    parent = os.getppid()
    for number in (signal.SIGINT, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _leave_scheduler_behind()
    _import_ahead()
    start_metrics()
    stopped = asyncio.run(serve_line(line))
    if job is not None and not stopped and _is_dead(parent):
        report_death(job)


def _is_dead(parent: int) -> bool:
    """Whether the process that started this one is gone. Its line ends a moment before it does."""
    end = time.monotonic() + DYING
    while os.getppid() == parent and time.monotonic() < end:
        time.sleep(0.05)
    return os.getppid() != parent


def _import_ahead() -> None:
    """What the first step needs, while the scheduler is still busy with its own start."""
    for name in _NEEDED:
        import_module(name)
    from airflow.sdk.listener import get_listener_manager

    get_listener_manager()  # loads all plugins
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


_NEEDED = (
    "airflow.api_fastapi.common.dagbag",
    "airflow.api_fastapi.execution_api.routes",
    "airflow.dag_processing.dagbag",
    "airflow.models.renderedtifields",
    "airflow.models.serialized_dag",
    "airflow.sdk.execution_time.xcom",
    "airflow.sdk.log",
    "argo_yaml_provider.airflow.connections",
    "argo_yaml_provider.airflow.kubes",
    "argo_yaml_provider.flow.flow",
    "argo_yaml_provider.plan.serialize",
    "argo_yaml_provider.pods.build",
    "argo_yaml_provider.step.run",
)


def _leave_scheduler_behind() -> None:
    """A fork holds the scheduler's sessions, which are not its own."""
    from airflow import settings

    if settings.Session is not None:
        settings.Session.registry.clear()
    try:
        from setproctitle import setproctitle
    except ImportError:
        pass
    else:
        setproctitle("airflow executor -- StepExecutor: runner")


async def serve_line(line: socket.socket) -> bool:
    """Until the scheduler says stop, or nothing more; whether it said it."""
    reader, writer = await asyncio.open_connection(sock=line, limit=_LINE)
    runner = Runner(writer)
    watch = asyncio.create_task(runner.watch())
    try:
        while message := await reader.readline():
            runner.take(json.loads(message))
            if runner.stopping:
                break
            await asyncio.sleep(0)  # a thousand messages may have come at once, and others have something to do
    except ConnectionError:
        pass
    watch.cancel()
    stopped = runner.stopping
    await runner.let_go()
    return stopped


class Runner:
    """The lives that go on, and what they share."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.stopping = False
        self._writer = writer
        self._shared = Shared()
        self._lives: dict[str, tuple[Life, asyncio.Task[None]]] = {}
        self._worked = self._collected = time.monotonic()
        """When there was a life last, and when old garbage was collected."""

    def take(self, message: Message) -> None:
        """Do what the scheduler says."""
        match message["do"]:
            case "run":
                life = Life(self._shared, message["ti"], message["log_path"], adopt=message["adopt"])
                self._lives[life.ti.id] = life, asyncio.create_task(self._live(life), name=life.ti.task_id)
            case "cancel" if message["ti"] in self._lives:
                life, task = self._lives[message["ti"]]
                life.cancel(task, message["pod"])
            case "bury":
                self._shared.later(bury(self._shared, message["ti"]))
            case "stop":
                self.stopping = True

    async def _live(self, life: Life) -> None:
        report, info = "failed", ""
        try:
            report, info = await life.run()
        except Exception as error:  # noqa: BLE001 - a bug of ours ends one task, not all
            info = f"{type(error).__name__}: {error}"
            life.complain(error)
        finally:
            del self._lives[life.ti.id]
            if not self.stopping:
                self._writer.write(encode({"ended": life.ti.id, "report": report, "info": info}))

    async def watch(self) -> None:
        """Say that this process is alive; end it when the scheduler's is gone."""
        parent = os.getppid()
        while os.getppid() == parent:
            self._writer.write(encode({"beat": len(self._lives)}))
            await asyncio.sleep(BEAT_EVERY)
            self._collect_old()
        os._exit(1)

    def _collect_old(self) -> None:
        now = time.monotonic()
        self._worked = now if self._lives else self._worked
        idle = self._collected < self._worked < now - _IDLE
        if idle or now - self._collected > _COLLECT_EVERY:
            gc.collect()
            self._collected = now

    async def let_go(self) -> None:
        """End every life here; its pod goes on unless it was cancelled before."""
        self.stopping = True
        tasks = [task for _, task in self._lives.values()]
        for life, task in list(self._lives.values()):
            life.cancel(task, "keep")
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._shared.close()
        self._writer.close()
