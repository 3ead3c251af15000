"""Metrics of workflows on their way through Airflow's own: StatsD, DogStatsD, OpenTelemetry, as `[metrics]` says.

In: measurements.  Out: what is sent, under the name that Argo gives a metric, `argo_workflows_NAME`.
Must not know: what is measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from argo_yaml_provider.flow.metrics import Kind, Measurement

PREFIX = "argo_workflows_"
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


class Stats(Protocol):
    """What both of Airflow's copies of its metrics are: that of its servers, and that of a task's process."""

    def incr(self, stat: str, count: Any = None, *, tags: dict[str, Any] | None = None) -> None: ...
    def gauge(self, stat: str, value: float, *, delta: bool | None = None, tags: dict[str, Any] | None = None) -> None: ...
    def timing(self, stat: str, dt: float, *, tags: dict[str, Any] | None = None) -> None: ...


def send(measured: Iterable[Measurement], stats: Stats) -> str:
    """Sends them; says why one could not be sent, for a metric breaks no step."""
    wrong = ""
    for one in measured:
        try:
            _send(one, stats)
        except Exception as error:  # noqa: BLE001 - whatever the deployment's own client says
            wrong = f"metric {one.name} was not sent: {type(error).__name__}: {error}"
    return wrong


def _send(one: Measurement, stats: Stats) -> None:
    name, tags = named(one.name, one.labels)
    number = int(one.value) if one.value == int(one.value) else one.value
    if one.kind is Kind.COUNTER:
        stats.incr(name, number, tags=tags)
    elif one.kind is Kind.GAUGE:
        stats.gauge(name, number, delta=one.relative, tags=tags)
    else:
        stats.timing(name, number, tags=tags)


def named(name: str, labels: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The name and the tags; plain StatsD has no tags, so there labels are part of the name, which else would mix series."""
    tags = dict(sorted(labels.items()))
    if not _plain_statsd():
        return PREFIX + name, tags
    parts = (f"{_clean(key)}.{_clean(value) or '_'}" for key, value in tags.items())
    return ".".join((PREFIX + name, *parts)), {}


def _clean(text: str) -> str:
    return _NOT_IN_NAMES.sub("_", text)


def _plain_statsd() -> bool:
    from airflow.configuration import conf

    if conf.getboolean("metrics", "statsd_datadog_enabled", fallback=False):
        return False
    statsd = conf.getboolean("metrics", "statsd_on", fallback=False)
    return statsd and not conf.getboolean("metrics", "statsd_influxdb_enabled", fallback=False)
