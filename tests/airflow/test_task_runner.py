"""What Airflow's task runner does for a task beside running it, done by StepExecutor's runner too."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.local import EmbeddedKubernetes
from tests.airflow.test_executor import OneRun

Json = dict[str, Any]
HERE = Path(__file__).parent
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  arguments:
    parameters: [{name: items, value: '["x", "y"]'}]
  templates:
  - name: main
    dag:
      tasks:
      - {name: each, template: work, withParam: "{{workflow.parameters.items}}"}
      - {name: never, template: work, when: "1 == 2"}
      - {name: flaky, template: flaky, continueOn: {failed: true}}
  - name: work
    container:
      image: busybox
      command: [echo, done]
      env: [{name: DB_PASSWORD, value: hush}, {name: PLAIN, value: seen}]
  - name: flaky
    retryStrategy: {limit: 1}
    container: {image: busybox, command: [sh, -c, exit 3]}
"""


class Statsd:
    """A statsd server that counts what it is told."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.counts: Counter[str] = Counter()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            for line in self._socket.recv(65536).decode().splitlines():
                name, _, rest = line.partition(":")
                self.counts[name] += int(float(rest.partition("|")[0])) if rest.endswith("|c") else 1


class Ran:
    """The one run that these tests look at."""

    def __init__(self, folder: Path, cluster: EmbeddedKubernetes) -> None:
        home = folder / "home"
        for source, target in (("listening_plugin.py", "plugins"), ("remote_logs.py", "config")):
            (home / target).mkdir(parents=True)
            shutil.copyfile(HERE / source, home / target / source)
        self.statsd = Statsd()
        options = {
            "AIRFLOW__LOGGING__REMOTE_LOGGING": "True",
            "AIRFLOW__LOGGING__LOGGING_CONFIG_CLASS": "remote_logs.LOGGING_CONFIG",
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_PORT": str(self.statsd.port),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "False",
        }
        run = OneRun(folder, cluster, WORKFLOW, options=options, default_args={"outlets": ["made"]})
        self.last = run.end()
        self.home = home

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.home / "airflow.db") as db:
            return db.execute(query).fetchall()

    def lines(self, path: str) -> list[Any]:
        return [json.loads(line) for line in (self.home / path).read_text().splitlines()]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    with EmbeddedKubernetes() as cluster:
        yield Ran(tmp_path_factory.mktemp("ran"), cluster)


def test_it_ends_as_it_should(ran: Ran) -> None:
    assert ran.last["result"] == "success"
    assert ran.last["tries"] == {"each.items": 1, "each": 1, "never": 1, "flaky": 2, "verdict": 1}


def test_listeners_of_plugins_hear_of_every_step(ran: Ran) -> None:
    heard = ran.lines("heard.jsonl")
    assert {(line["dag"], line["run"]) for line in heard} == {("wf", "run-1")}
    found = {(line["event"], line["task"], line["map_index"], line["try"], line["state"], line["error"]) for line in heard}
    assert found >= {
        ("running", "each", 0, 1, "running", None),
        ("success", "each", 0, 1, "success", None),
        ("success", "each", 1, 1, "success", None),
        ("skipped", "never", -1, 1, "skipped", None),
        ("failed", "flaky", -1, 1, "up_for_retry", "main: Error (exit code 3)"),
        ("failed", "flaky", -1, 2, "failed", "No more retries left"),
        ("success", "verdict", -1, 1, "success", None),
    }
    assert len(heard) == len(found) == 14


def test_metrics_are_those_of_airflows_task_runner(ran: Ran) -> None:
    counts = ran.statsd.counts
    wanted = {
        "ti.finish": 7,
        "ti.start": 7,
        "ti_failures": 2,
        "ti_successes": 4,
        "operator_failures": 2,
        "operator_successes": 4,
        "operator_failures_ArgoStepOperator": 2,
        "ti.finish.wf.flaky.up_for_retry": 1,
        "ti.finish.wf.flaky.failed": 1,
        "ti.finish.wf.never.skipped": 1,
        "task.duration": 7,
    }
    assert {name: counts[f"airflow.{name}"] for name in wanted} == wanted


def test_the_ui_shows_the_pod_without_secrets(ran: Ran) -> None:
    ((text,),) = ran.rows("SELECT rendered_fields FROM rendered_task_instance_fields WHERE task_id = 'each' AND map_index = 1")
    fields = json.loads(text)
    assert (fields["image"], fields["command"]) == ("busybox", ["echo", "done"])
    assert fields["env"][:2] == [{"name": "DB_PASSWORD", "value": "***"}, {"name": "PLAIN", "value": "seen"}]
    assert "hush" not in text


def test_a_turn_of_a_loop_is_called_as_argo_calls_it(ran: Ran) -> None:
    rows = ran.rows("SELECT rendered_map_index FROM task_instance WHERE task_id = 'each' ORDER BY map_index")
    assert [row[0] for row in rows] == ["(0:x)", "(1:y)"]


def test_logs_go_to_remote_logging_at_the_end_of_each_try(ran: Ran) -> None:
    assert sorted(ran.lines("remote/uploads.jsonl")) == [
        ["each", 1],
        ["each", 1],
        ["each.items", 1],
        ["flaky", 1],
        ["flaky", 2],
        ["never", 1],
        ["verdict", 1],
    ]
    log = (ran.home / "remote" / "dag_id=wf/run_id=run-1/task_id=each/map_index=0/attempt=1.log").read_text()
    assert '"event": "done"' in log


def test_outlets_are_updated_by_success_alone(ran: Ran) -> None:
    rows = ran.rows("SELECT source_task_id, source_map_index FROM asset_event ORDER BY 1, 2")
    assert rows == [("each", 0), ("each", 1), ("each.items", -1), ("verdict", -1)]
