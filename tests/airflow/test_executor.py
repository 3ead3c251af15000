"""StepExecutor and its runner in a real Airflow, against the embedded Kubernetes."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.airflow.executor import StepExecutor
from argo_yaml_provider.airflow.hosts import executor as hosts_executor
from argo_yaml_provider.local import EmbeddedKubernetes

Json = dict[str, Any]

SCRIPT = Path(__file__).with_name("one_run.py")
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: work}
      - {name: b, template: work, dependencies: [a]}
  - name: work
    container:
      image: busybox
      command: [sh, -c, 'echo at work; sleep "${PACE:-5}"']
      env: [{name: PACE, valueFrom: {configMapKeyRef: {name: pace, key: seconds, optional: true}}}]
"""
ENDLESS, AT_ONCE = "3600", "0"


@pytest.fixture(scope="module")
def cluster() -> Iterator[EmbeddedKubernetes]:
    with EmbeddedKubernetes() as kube:
        yield kube


def namespace_of(folder: Path) -> str:
    """One for each test."""
    return re.sub(r"[^a-z0-9]+", "-", folder.name.lower())


class OneRun:
    """tests/airflow/one_run.py in a process of its own: one workflow in an Airflow with a scheduler and a runner."""

    def __init__(self, folder: Path, cluster: EmbeddedKubernetes, workflow: str = WORKFLOW, **said: Json) -> None:
        (folder / "wf.yaml").write_text(workflow)
        self.home = folder / "home"
        command: list[str | Path] = [
            sys.executable,
            SCRIPT,
            folder / "wf.yaml",
            self.home,
            cluster.kubeconfig,
            namespace_of(folder),
        ]
        environment = {**os.environ, "ONE_RUN": json.dumps(said)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=environment)

    def wait_for(self, wanted: Callable[[Json], bool]) -> Json:
        """The first thing it says that is wanted; it ends by itself if that never comes."""
        assert self.process.stdout
        said = []
        for line in self.process.stdout:
            said.append(line)
            if wanted(last := json.loads(line)):
                return dict(last)
        raise AssertionError(f"it ended with {self.process.wait()} and said only {''.join(said[-5:])}")

    def phases(self, **wanted: str) -> Json:
        """Wait until these nodes have these phases."""
        return self.wait_for(lambda said: wanted.items() <= said.get("phases", {}).items())

    def end(self) -> Json:
        """What it says at its end."""
        last = self.wait_for(lambda said: "result" in said)
        self.process.wait(120)
        return last


def set_pace(cluster: EmbeddedKubernetes, namespace: str, seconds: str) -> None:
    """How long pods work that start from now on: a person who interferes may be slow."""
    import httpx

    token = {"Authorization": f"Bearer {cluster.token}"}
    url = f"{cluster.url}/api/v1/namespaces/{namespace}/configmaps"
    body = {"metadata": {"name": "pace"}, "data": {"seconds": seconds}}
    if httpx.put(f"{url}/pace", json=body, headers=token, verify=False).status_code == httpx.codes.NOT_FOUND:
        httpx.post(url, json=body, headers=token, verify=False).raise_for_status()


def pods_seen(cluster: EmbeddedKubernetes, namespace: str) -> list[str]:
    """Names of the pods in the namespace that nobody has deleted."""
    import httpx

    token = {"Authorization": f"Bearer {cluster.token}"}
    url = f"{cluster.url}/api/v1/namespaces/{namespace}/pods"
    listed = httpx.get(url, headers=token, verify=False).json()
    # One that ignores SIGTERM, as process 1 does, stays for its grace period.
    return sorted(pod["metadata"]["name"] for pod in listed["items"] if "deletionTimestamp" not in pod["metadata"])


def wait_until_gone(cluster: EmbeddedKubernetes, namespace: str, name: str) -> None:
    """Until somebody has deleted the pod."""
    for _ in range(600):
        if name not in pods_seen(cluster, namespace):
            return
        time.sleep(0.1)
    raise AssertionError(f"pod {name} was not deleted within a minute")


def first_pods(cluster: EmbeddedKubernetes, namespace: str) -> list[str]:
    """The pods there are, once there is one: a step runs, for Airflow, a little before its pod is created."""
    for _ in range(600):
        if names := pods_seen(cluster, namespace):
            return names
        time.sleep(0.1)
    raise AssertionError("no pod was created within a minute")


def log_once(run: OneRun, said: str) -> str:
    """The log of step a's first attempt, once that is in it."""
    for _ in range(600):
        for log in run.home.glob("logs/dag_id=wf/*/task_id=a/attempt=1.log"):
            if said in (text := log.read_text()):
                return text
        time.sleep(0.1)
    raise AssertionError(f"the log did not say {said} within a minute")


def test_a_killed_runner_is_replaced_and_its_pods_go_on(tmp_path: Path, cluster: EmbeddedKubernetes) -> None:
    run = OneRun(tmp_path, cluster)
    runner = run.phases(a="Running")["runner"]
    log_once(run, "created")
    before = pods_seen(cluster, namespace_of(tmp_path))
    os.kill(runner, signal.SIGKILL)
    assert pods_seen(cluster, namespace_of(tmp_path)) == before
    last = run.end()
    assert last["phases"] == {"wf": "Succeeded", "a": "Succeeded", "b": "Succeeded"}
    assert last["tries"] == {"a": 1, "b": 1, "verdict": 1}
    log = log_once(run, "created")
    assert log.count("created") == 1
    assert "found: going on with it" in log


def test_a_runner_dies_with_its_scheduler_and_the_next_one_adopts_the_step(tmp_path: Path, cluster: EmbeddedKubernetes) -> None:
    first = OneRun(tmp_path, cluster)
    runner = first.phases(a="Running")["runner"]
    first.process.kill()
    first.process.wait()
    for _ in range(50):
        if not Path(f"/proc/{runner}").exists() or "State:\tZ" in Path(f"/proc/{runner}/status").read_text():
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the runner outlives its scheduler")
    second = OneRun(tmp_path, cluster)
    last = second.end()
    assert last["phases"] == {"wf": "Succeeded", "a": "Succeeded", "b": "Succeeded"}
    log = next(second.home.glob("logs/dag_id=wf/*/task_id=a/attempt=1.log")).read_text()
    assert log.count("created") == 1


def test_a_kubernetes_that_does_not_answer_for_a_while_costs_no_step(tmp_path: Path, cluster: EmbeddedKubernetes) -> None:
    run = OneRun(tmp_path, cluster)
    run.phases(a="Running")
    first_pods(cluster, namespace_of(tmp_path))
    os.kill(cluster.pid, signal.SIGSTOP)
    time.sleep(10)
    os.kill(cluster.pid, signal.SIGCONT)
    last = run.end()
    assert last["phases"] == {"wf": "Succeeded", "a": "Succeeded", "b": "Succeeded"}
    assert last["tries"] == {"a": 1, "b": 1, "verdict": 1}


def test_a_cleared_step_loses_its_pod_and_runs_again_in_another(tmp_path: Path, cluster: EmbeddedKubernetes) -> None:
    set_pace(cluster, namespace_of(tmp_path), ENDLESS)
    run = OneRun(tmp_path, cluster)
    run.phases(a="Running")
    (before,) = first_pods(cluster, namespace_of(tmp_path))
    set_pace(cluster, namespace_of(tmp_path), AT_ONCE)
    subprocess.run([sys.executable, str(SCRIPT), "--clear", str(run.home), "a"], check=True)
    last = run.end()
    assert last["phases"] == {"wf": "Succeeded", "a": "Succeeded", "b": "Succeeded"}
    assert last["tries"] == {"a": 2, "b": 1, "verdict": 1}
    assert before not in pods_seen(cluster, namespace_of(tmp_path))


def test_a_step_marked_failed_loses_its_pod(tmp_path: Path, cluster: EmbeddedKubernetes) -> None:
    set_pace(cluster, namespace_of(tmp_path), ENDLESS)
    run = OneRun(tmp_path, cluster)
    run.phases(a="Running")
    (before,) = first_pods(cluster, namespace_of(tmp_path))
    subprocess.run([sys.executable, str(SCRIPT), "--fail", str(run.home), "a"], check=True)
    wait_until_gone(cluster, namespace_of(tmp_path), before)
    run.process.kill()


def test_a_step_cleared_while_no_scheduler_lives_loses_its_pod_and_runs_again(
    tmp_path: Path, cluster: EmbeddedKubernetes
) -> None:
    set_pace(cluster, namespace_of(tmp_path), ENDLESS)
    first = OneRun(tmp_path, cluster)
    first.phases(a="Running")
    (before,) = first_pods(cluster, namespace_of(tmp_path))
    first.process.kill()
    first.process.wait()
    set_pace(cluster, namespace_of(tmp_path), AT_ONCE)
    subprocess.run([sys.executable, str(SCRIPT), "--clear", str(first.home), "a"], check=True)
    last = OneRun(tmp_path, cluster).end()
    assert last["phases"] == {"wf": "Succeeded", "a": "Succeeded", "b": "Succeeded"}
    assert last["tries"] == {"a": 2, "b": 1, "verdict": 1}
    wait_until_gone(cluster, namespace_of(tmp_path), before)


CHILD = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    steps: [[{name: a, template: again}]]
  - name: again
    retryStrategy: {limit: 1}
    steps: [[{name: inner, template: work}]]
  - name: work
    container: {image: busybox, command: [sleep, "3600"]}
"""


def test_a_parent_that_is_cleared_ends_its_child_run(tmp_path: Path, cluster: EmbeddedKubernetes) -> None:
    run = OneRun(tmp_path, cluster, CHILD)
    (before,) = first_pods(cluster, namespace_of(tmp_path))
    subprocess.run([sys.executable, str(SCRIPT), "--clear", str(run.home), "a"], check=True)
    wait_until_gone(cluster, namespace_of(tmp_path), before)
    run.process.kill()
    run.process.wait()


def test_a_step_that_takes_longer_than_its_execution_timeout_fails_and_loses_its_pod(
    tmp_path: Path, cluster: EmbeddedKubernetes
) -> None:
    set_pace(cluster, namespace_of(tmp_path), ENDLESS)
    run = OneRun(tmp_path, cluster, default_args={"execution_timeout": 8})
    (before,) = first_pods(cluster, namespace_of(tmp_path))
    last = run.end()
    assert last["phases"] == {"wf": "Failed", "a": "Failed", "b": "Omitted"}
    assert last["tries"] == {"a": 1, "b": 1, "verdict": 1}
    wait_until_gone(cluster, namespace_of(tmp_path), before)


def die(line: socket.socket, **_: object) -> None:
    """A runner that cannot start."""
    line.close()
    os._exit(3)


def test_a_runner_that_keeps_dying_is_replaced_after_longer_and_longer_pauses(
    airflow_db: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hosts_executor, "serve", die)
    executor = StepExecutor()
    monkeypatch.setattr(executor, "_log", logging.getLogger("steps"))
    executor.start_runner()
    for _ in range(3000):
        executor.sync()
        time.sleep(0.01)
        if len(caplog.messages) == 4:
            break
    executor.end()
    said = [re.sub(r"^.*exit code", "exit code", message) for message in caplog.messages]
    assert said == [f"exit code 3; in {pause} s another takes up its 0 steps" for pause in (0, 1, 2, 4)]


def test_its_limit_is_the_one_that_the_configuration_declares(airflow_db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert StepExecutor().slots_available == 1000
    monkeypatch.setenv("AIRFLOW__ARGO_YAML__EXECUTOR_LIMIT", "7")
    assert StepExecutor().slots_available == 7


@pytest.mark.parametrize(("sleep", "wait"), [("0", 0.2), ("0.5", 0.0)])
def test_it_waits_in_the_place_of_a_scheduler_that_never_sleeps(
    sleep: str, wait: float, airflow_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME", sleep)
    monkeypatch.setattr(hosts_executor, "serve", die)
    executor = StepExecutor()
    executor.start()
    executor.end()
    assert executor.sync_wait == wait


def test_it_takes_no_slot_of_core_parallelism_and_has_a_limit_of_its_own(airflow_db: Path) -> None:
    executor = StepExecutor(parallelism=7)
    executor.running = {("any", "task", "run", 1, -1)}  # type: ignore[arg-type]
    assert (executor.slots_occupied, executor.slots_available) == (0, 6)


def test_it_declares_what_a_deployment_asks_of_an_executor() -> None:
    assert StepExecutor.supports_multi_team
    assert StepExecutor.serve_logs
