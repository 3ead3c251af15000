"""What a task's metrics say: when it has ended, and while it runs.

In: a host, its asker, how the task ended.  Out: the same with what is to be sent; realtime gauges go to the host at once.
Must not know: Airflow. A metric that is wrong is told in the log and breaks nothing, as in Argo.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from argo_yaml_provider.flow.metrics import Measured, has_metrics, has_realtime
from argo_yaml_provider.flow.outcome import Outcome
from argo_yaml_provider.step.host import Ended, Host

if TYPE_CHECKING:
    from argo_yaml_provider.flow.flow import Flow

REALTIME_EVERY = 10.0
"""Seconds between two values of a realtime gauge."""
T = TypeVar("T")


class Asks(Protocol):
    """Answers questions about the flow."""

    async def ask(self, question: Callable[[Flow], T]) -> T: ...


async def measured_step(host: Host, asker: Asks, ended: Ended) -> Ended:
    """A step's end, with what its template's metrics say of it."""
    if not has_metrics(host.plan) or not ended.outcome.attempts:
        return ended
    again = ended.retry_after is not None
    found = await asker.ask(lambda flow: flow.measure(host.task_id, host.map_index, ended.outcome, again=again))
    return _told(host, ended, found)


async def measured_run(host: Host, asker: Asks, verdict: Outcome) -> Ended:
    """The workflow's end, with what its metrics and those of its composites say."""
    ended = Ended(outcome=verdict)
    if not has_metrics(host.plan):
        return ended
    return _told(host, ended, await asker.ask(lambda flow: flow.measure_run(verdict)))


def _told(host: Host, ended: Ended, found: Measured) -> Ended:
    for problem in found.problems:
        host.log(f"metrics: {problem}")
    return replace(ended, measured=found.measurements)


@asynccontextmanager
async def measuring(host: Host, asker: Asks) -> AsyncIterator[None]:
    """Sends realtime gauges at once and then every few seconds."""
    if not has_realtime(host.plan):
        yield
        return
    task = asyncio.create_task(_keep_measuring(host, asker, time.time()))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_measuring(host: Host, asker: Asks, since: float) -> None:
    told: set[str] = set()
    while True:
        try:
            found = await asker.ask(lambda flow: flow.measure_running(host.task_id, host.map_index, since))
            host.measure(found.measurements)
        except Exception as error:  # noqa: BLE001 - whatever it is, the step goes on, and so does the next value
            found = Measured(problems=(f"{type(error).__name__}: {error}",))
        for problem in set(found.problems) - told:
            host.log(f"metrics: {problem}")
        told.update(found.problems)
        await asyncio.sleep(REALTIME_EVERY)
