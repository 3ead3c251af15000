"""A thousand workflow files in a full Airflow: API server, DAG processor, scheduler and triggerer, on PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.commands.run import apply_to
from tests.airflow.composed import Composed, composed, kubernetes, must_be_there
from tests.airflow.test_events import CLIENTS, PUSHED, TEMPLATE, push, signed

# Goes well without a cluster, but it takes minutes on a busy machine.
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1200)]
FILES = 1000
HELLO = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: {name}}}
spec: {{entrypoint: a, templates: [{{name: a, container: {{image: busybox, command: ["true"]}}}}]}}
"""
SHARED = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: shared}
spec:
  templates:
  - name: say
    container: {image: busybox, command: [sh, -c, echo old]}
"""
CALLER = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: caller}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: wait, template: wait}
    - - {name: say, templateRef: {name: shared, template: say}}
    outputs: {parameters: [{name: said, valueFrom: {parameter: "{{steps.say.outputs.result}}"}}]}
  - {name: wait, suspend: {}}
"""
NIGHTLY = """\
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: nightly}
spec:
  schedules: ["30 2 * * *"]
  suspend: false
  workflowSpec:
    entrypoint: main
    arguments: {parameters: [{name: region, value: south}]}
    templates:
    - name: main
      steps:
      - - name: wait
          template: wait
          arguments: {parameters: [{name: of, value: "{{workflow.scheduledTime}} {{workflow.parameters.region}}"}]}
    - {name: wait, inputs: {parameters: [{name: of}]}, suspend: {duration: 1ms}}
"""
LATE = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: late-{kind}
  annotations: {{argo-yaml/deadline: "1s", argo-yaml/deadline-callback: {kind}}}
spec:
  entrypoint: main
  templates: [{{name: main, suspend: {{duration: 20s}}}}]
"""
LOCKED = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: locked-{name}}}
spec:
  entrypoint: main
  templates:
  - name: main
    steps: [[{{name: one, template: one}}, {{name: two, template: two}}]]
  - name: one
    synchronization: {{mutexes: [{{name: shared}}]}}
    container: {{image: busybox, command: [sleep, "3"]}}
  - name: two
    synchronization: {{semaphores: [{{configMapKeyRef: {{name: limits, key: two}}}}]}}
    container: {{image: busybox, command: [sleep, "6"]}}
"""
LIMITS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "limits"}, "data": {"two": "2"}}
OPS = """\
import json
from pathlib import Path

from airflow.sdk.bases.notifier import BaseNotifier


def write(context, folder, how):
    run, deadline = context["dag_run"], context["deadline"]
    told = {"how": how, "dag": run["dag_id"], "run": run["dag_run_id"], "state": run["state"]}
    Path(folder, run["dag_id"]).write_text(json.dumps(told | {"at": str(deadline["deadline_time"])}))


async def page(context, folder):
    write(context, folder, "async")


def note(context, folder):
    write(context, folder, "sync")


class Chat(BaseNotifier):
    def __init__(self, folder, **kwargs):
        super().__init__(**kwargs)
        self.folder = folder

    async def async_notify(self, context):
        write(context, self.folder, "notifier")

    def notify(self, context):
        raise NotImplementedError
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workflows."""
    folder = tmp_path_factory.mktemp("workflows")
    special = {"build": TEMPLATE, "pushed": PUSHED, "shared": SHARED, "caller": CALLER, "nightly": NIGHTLY}
    special |= {f"late-{kind}": LATE.format(kind=kind) for kind in ("async", "sync", "notifier")}
    special |= {f"locked-{name}": LOCKED.format(name=name) for name in "abc"}
    names = [f"w{number:04}" for number in range(FILES - len(special))]
    for name, text in (special | {name: HELLO.format(name=name) for name in names}).items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def airflow(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """Every file parsed."""
    must_be_there()
    home = tmp_path_factory.mktemp("deployed")
    with kubernetes("deployed") as (kubeconfig, namespace), composed(home, kubeconfig) as airflow:
        asyncio.run(apply_to(Path(kubeconfig), [LIMITS], namespace))
        airflow.options |= options(folder, home, kubeconfig, namespace)
        (airflow.home / "config").mkdir()
        (airflow.home / "config" / "ops.py").write_text(OPS)
        airflow.run("migrate")
        with airflow.running("dag-processor"):
            airflow.wait_until(lambda: len(parsed(airflow)) == FILES - 1, "parsed", 900)  # shared.yaml is no DAG
            with airflow.running("api-server", "triggerer", "scheduler"):
                airflow.wait_until(airflow.healthy, "healthy")
                yield airflow


def options(folder: Path, home: Path, kubeconfig: str, namespace: str) -> dict[str, str]:
    """What the README says of a bundle, of deadlines and of webhook clients."""
    bundle = {"path": str(folder), "refresh_interval": 5}
    classpath = "argo_yaml_provider.airflow.bundle.ArgoDagBundle"
    calls = {"async": "ops.page", "sync": "ops.note", "notifier": "ops.Chat"}
    callbacks = {kind: {"path": path, "kwargs": {"folder": str(home)}} for kind, path in calls.items()}
    connection = {"conn_type": "kubernetes", "extra": {"kube_config_path": kubeconfig, "namespace": namespace}}
    return {
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
            [{"name": "workflows", "classpath": classpath, "kwargs": bundle}]
        ),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "86400",
        "AIRFLOW__ARGO_YAML__NAMESPACE": namespace,
        "AIRFLOW__ARGO_YAML__DEADLINE_CALLBACKS": json.dumps(callbacks),
        "AIRFLOW_VAR_ARGO_WORKFLOWS_WEBHOOK_CLIENTS": json.dumps(CLIENTS),
        "AIRFLOW_CONN_KUBERNETES_DEFAULT": json.dumps(connection),
    }


def parsed(airflow: Composed) -> dict[str, datetime]:
    """When each DAG was parsed last."""
    return {row[0]: row[1] for row in airflow.rows("SELECT dag_id, last_parsed_time FROM dag WHERE NOT is_stale")}


def start(airflow: Composed, dag_id: str) -> str:
    run_id: str = airflow.ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None})["dag_run_id"]
    return run_id


def end(airflow: Composed, dag_id: str, run_id: str) -> str:
    """The state that the run ends in."""
    path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
    airflow.wait_until(lambda: airflow.ask("GET", path).get("state") in ("success", "failed"), f"the end of {run_id}")
    return str(airflow.ask("GET", path)["state"])


def outcome(airflow: Composed, dag_id: str, run_id: str, task_id: str) -> Any:
    path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/argo"
    return airflow.ask("GET", path).get("value")


def test_of_a_thousand_files_only_the_one_that_changed_is_parsed_again_within_a_refresh(
    folder: Path, airflow: Composed
) -> None:
    before, changed = parsed(airflow), time.monotonic()
    (folder / "w0500.yaml").write_text(HELLO.format(name="w0500").replace("busybox", "alpine"))
    airflow.wait_until(lambda: parsed(airflow)["w0500"] != before["w0500"], "parsed again", 60)
    assert time.monotonic() - changed < 30
    after = parsed(airflow)
    assert {name for name in after if after[name] != before[name]} == {"w0500"}


def test_a_signed_push_starts_a_run_that_prints_what_was_pushed(airflow: Composed) -> None:
    body = push()
    url = f"{airflow.url}/argo/api/v1/events/argo/code"
    with urllib.request.urlopen(urllib.request.Request(url, body, signed(body)), timeout=30) as answer:
        assert (answer.status, answer.read()) == (200, b"{}")
    (run,) = airflow.ask("GET", "/api/v2/dags/build/dagRuns")["dag_runs"]
    assert end(airflow, "build", run["dag_run_id"]) == "success"
    log = airflow.ask("GET", f"/api/v2/dags/build/dagRuns/{run['dag_run_id']}/taskInstances/main/logs/1")
    assert 'main ["a.py","b.py"]' in [line["event"] for line in log["content"]]


def test_a_run_keeps_the_shared_template_that_it_started_with_and_the_next_has_the_new_one(
    folder: Path, airflow: Composed
) -> None:
    first = start(airflow, "caller")
    (folder / "shared.yaml").write_text(SHARED.replace("echo old", "echo new"))
    airflow.wait_until(lambda: airflow.ask("GET", "/api/v2/dags/caller/dagVersions").get("total_entries") == 2, "a new version")
    second = start(airflow, "caller")
    for run_id in (first, second):
        airflow.argo("resume", "caller", run_id)
        assert end(airflow, "caller", run_id) == "success"
    assert [outcome(airflow, "caller", run_id, "say")["attempts"][-1]["result"] for run_id in (first, second)] == ["old", "new"]


def test_a_backfill_from_the_ui_gives_each_run_its_slot_and_the_parameters(airflow: Composed) -> None:
    asked = {"dag_id": "nightly", "from_date": "2026-03-01T00:00:00Z", "to_date": "2026-03-03T12:00:00Z", "max_active_runs": 2}
    made = airflow.ask("POST", "/api/v2/backfills", {**asked, "dag_run_conf": {"region": "north"}})
    path = f"/api/v2/backfills/{made['id']}"
    airflow.wait_until(lambda: airflow.ask("GET", path).get("completed_at"), "completed")
    runs = airflow.ask("GET", "/api/v2/dags/nightly/dagRuns?run_type=backfill&order_by=logical_date")["dag_runs"]
    assert [(run["state"], run["logical_date"]) for run in runs] == [
        ("success", f"2026-03-0{day}T02:30:00Z") for day in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("kind", "who"),
    [
        pytest.param("async", "triggerer", id="a-coroutine-in-the-triggerer"),
        pytest.param("notifier", "triggerer", id="a-notifier-in-the-triggerer"),
        pytest.param("sync", "executor", id="a-function-in-the-executor"),
    ],
)
def test_what_the_deployment_says_is_called_once_for_a_run_that_is_late_and_goes_on(
    kind: str, who: str, airflow: Composed
) -> None:
    dag_id = f"late-{kind}"
    run_id = start(airflow, dag_id)
    assert end(airflow, dag_id, run_id) == "success"
    ends = "SELECT type, state FROM callback WHERE data::text LIKE %s"
    airflow.wait_until(lambda: {row[1] for row in airflow.rows(ends, f"%{dag_id}%")} & {"success", "failed"}, "called")
    assert airflow.rows(ends, f"%{dag_id}%") == [(who, "success")]
    told = json.loads((airflow.home.parent / dag_id).read_text())
    queued, ended = airflow.rows("SELECT queued_at, end_date FROM dag_run WHERE run_id = %s AND dag_id = %s", run_id, dag_id)[0]
    at = datetime.fromisoformat(told.pop("at"))
    assert told == {"how": kind, "dag": dag_id, "run": run_id, "state": "running"}
    assert queued + timedelta(seconds=1) == at < ended


def test_a_mutex_and_a_semaphore_are_shared_by_the_runs_of_several_dags(airflow: Composed) -> None:
    runs = {dag_id: start(airflow, dag_id) for dag_id in ("locked-a", "locked-b", "locked-c")}
    assert [end(airflow, dag_id, run_id) for dag_id, run_id in runs.items()] == ["success"] * 3
    for task_id, limit in (("one", 1), ("two", 2)):
        attempts = [outcome(airflow, dag_id, run_id, task_id)["attempts"][-1] for dag_id, run_id in runs.items()]
        events = [(one["started_at"], 1) for one in attempts] + [(one["finished_at"], -1) for one in attempts]
        assert max(accumulate(step for _, step in sorted(events))) == limit, (task_id, events)
