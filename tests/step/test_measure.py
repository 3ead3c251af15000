from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from argo_yaml_provider.flow.metrics import Kind, Measured, Measurement
from argo_yaml_provider.step.measure import measuring
from argo_yaml_provider.step.usage import used
from tests.step.conftest import LocalHost, settled

GAUGE = {"name": "m", "help": "h", "gauge": {"value": "{{duration}}", "realtime": True}}


class Flow:
    """Says what it was given."""

    def __init__(self, measured: Measured | None) -> None:
        self.measured = measured

    def measure_running(self, *_: object) -> Measured:
        if self.measured is None:
            raise RuntimeError("the database is away")
        return self.measured


class Asker:
    def __init__(self, measured: Measured | None) -> None:
        self.flow: Any = Flow(measured)

    async def ask(self, question: Callable[[Any], Any]) -> Any:
        return question(self.flow)


def realtime(host: LocalHost) -> LocalHost:
    host.plan = replace(host.plan, templates={"t": {"metrics": {"prometheus": [GAUGE]}}})
    return host


async def test_a_realtime_gauge_is_sent_at_once(host: LocalHost) -> None:
    one = Measurement(kind=Kind.GAUGE, name="m", value=1)
    async with measuring(realtime(host), Asker(Measured(measurements=(one,), problems=("no help",)))):
        await settled(lambda: bool(host.measured))
    assert (host.measured, host.logged("")) == ((one,), ["metrics: no help"])


async def test_what_cannot_be_measured_breaks_no_step(host: LocalHost) -> None:
    async with measuring(realtime(host), Asker(None)):
        await settled(lambda: bool(host.lines))
    assert host.logged("") == ["metrics: RuntimeError: the database is away"]


async def test_without_realtime_metrics_nothing_is_asked(host: LocalHost) -> None:
    async with measuring(host, Asker(None)):
        await asyncio.sleep(0)
    assert host.lines == []


def test_usage_is_counted_as_argo_counts_it() -> None:
    pod = {
        "spec": {
            "initContainers": [{"name": "init"}],
            "containers": [
                {"name": "main", "resources": {"limits": {"cpu": "4", "nvidia.com/gpu": "1"}, "requests": {"cpu": "2000m"}}},
                {"name": "side"},
            ],
        },
        "status": {
            "initContainerStatuses": [{"name": "init", "state": {"terminated": ran("00", "30")}}],
            "containerStatuses": [
                {"name": "main", "state": {"terminated": ran("00", "59")}},
                {"name": "side", "state": {"running": {}}},
            ],
        },
    }
    assert used(pod) == {"cpu": 3 + 118, "memory": 30 + 59, "nvidia.com/gpu": 59}


def ran(start: str, end: str) -> dict[str, str]:
    return {"startedAt": f"2026-01-01T00:00:{start}Z", "finishedAt": f"2026-01-01T00:00:{end}Z"}
