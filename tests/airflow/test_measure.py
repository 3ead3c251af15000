"""Metrics of workflows as they arrive at a StatsD server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.airflow.measure import named, send
from argo_yaml_provider.flow.metrics import Kind, Measurement

WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: measured}
spec:
  entrypoint: main
  metrics:
    prometheus:
      - name: runs
        help: runs by status
        labels: [{key: status, value: "{{workflow.status}}"}]
        counter: {value: "1"}
  templates:
    - name: main
      steps:
        - - {name: roll, template: roll}
    - name: roll
      metrics:
        prometheus:
          - name: rolled
            help: what was rolled
            when: "{{status}} == Succeeded"
            histogram: {value: "{{outputs.parameters.rolled}}", buckets: [2, 4]}
          - name: ended
            help: by status
            labels: [{key: status, value: "{{status}}"}, {key: code, value: "{{exitCode}}"}]
            counter: {value: "2.5"}
          - name: roll_seconds
            help: how long it takes
            gauge: {value: "{{duration}}", realtime: true}
          - name: wrong
            help: never arrives
            counter: {value: "{{outputs.parameters.rolled}} of 6"}
      outputs: {parameters: [{name: rolled, valueFrom: {path: /tmp/n}}]}
      container: {image: busybox, command: [sh, -c, "echo 3 > /tmp/n"]}
"""


class StatsD:
    """A server that keeps what it is sent."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while data := self._socket.recv(65536):
            self.lines += data.decode().splitlines()

    def close(self) -> None:
        """What was sent before has come before."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


@pytest.fixture
def statsd() -> StatsD:
    return StatsD()


def test_metrics_of_a_run_arrive_at_a_statsd_server(tmp_path: Path, statsd: StatsD) -> None:
    (tmp_path / "measured.yaml").write_text(WORKFLOW)
    command = [sys.executable, "-m", "argo_yaml_provider", "run", str(tmp_path / "measured.yaml")]
    metrics = {"STATSD_ON": "True", "STATSD_HOST": "127.0.0.1", "STATSD_PORT": str(statsd.port), "STATSD_PREFIX": "air"}
    environment = {**os.environ, **{f"AIRFLOW__METRICS__{name}": value for name, value in metrics.items()}}
    answer = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=environment)
    statsd.close()
    assert answer.returncode == 0, answer.stderr
    ours = sorted(line for line in statsd.lines if line.startswith("air.argo_workflows_"))
    seconds = [line for line in ours if line.startswith("air.argo_workflows_roll_seconds:")]
    assert len(seconds) >= 2
    assert [line for line in ours if line not in seconds] == [
        "air.argo_workflows_ended.code.0.status.Succeeded:2.5|c",
        "air.argo_workflows_rolled:3.000000|ms",
        "air.argo_workflows_runs.status.Succeeded:1|c",
    ]


@pytest.mark.parametrize(
    ("enabled", "want"),
    [
        pytest.param("STATSD_ON", ("argo_workflows_m.path.a_b.who._", {}), id="plain-statsd-has-no-tags"),
        pytest.param("STATSD_DATADOG_ENABLED", ("argo_workflows_m", {"path": "a/b", "who": ""}), id="dogstatsd"),
        pytest.param("OTEL_ON", ("argo_workflows_m", {"path": "a/b", "who": ""}), id="opentelemetry"),
    ],
)
def test_labels_are_tags_where_there_are_tags(enabled: str, want: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"AIRFLOW__METRICS__{enabled}", "True")
    assert named("m", {"who": "", "path": "a/b"}) == want


def test_opentelemetry_gets_every_kind_with_its_labels() -> None:
    from airflow._shared.observability.metrics.otel_logger import SafeOtelLogger
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    logger: Any = SafeOtelLogger(MeterProvider([reader]))
    labels = {"who": "me"}
    measured = (
        Measurement(kind=Kind.COUNTER, name="c", value=2, labels=labels),
        Measurement(kind=Kind.GAUGE, name="g", value=5, labels=labels),
        Measurement(kind=Kind.GAUGE, name="g", value=-1, labels=labels, relative=True),
        Measurement(kind=Kind.HISTOGRAM, name="h", value=7, labels=labels),
    )
    assert send(measured, logger) == ""
    assert send((Measurement(kind=Kind.COUNTER, name="c", value=-1),), logger) == (
        "metric c was not sent: ValueError: count must be a positive value."
    )
    data: Any = reader.get_metrics_data()
    points = {
        metric.name: (point.sum if hasattr(point, "sum") else point.value, dict(point.attributes))
        for metric in data.resource_metrics[0].scope_metrics[0].metrics
        for point in metric.data.data_points
    }
    assert points == {
        "airflow.argo_workflows_c": (2, labels),
        "airflow.argo_workflows_g": (4, labels),
        "airflow.argo_workflows_h": (7.0, labels),
    }
