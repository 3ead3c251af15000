"""A run that is stopped, retried, resumed, in a real Airflow, by the commands."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from argo_yaml_provider.local import EmbeddedKubernetes
from tests.airflow.test_executor import AT_ONCE, ENDLESS, SCRIPT, OneRun, namespace_of, pods_seen, set_pace

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  onExit: bye
  templates:
  - name: main
    dag:
      tasks:
      - {name: first, template: echo}
      - {name: slow, template: work, depends: first}
      - {name: stubborn, template: again, depends: first}
      - {name: nap, template: nap, depends: first}
      - {name: deep, template: deep, depends: first}
      - {name: after, template: echo, depends: "slow && nap"}
  - name: deep
    retryStrategy: {limit: 3}
    steps: [[{name: inside, template: work}]]
  - name: work
    container: &work
      image: busybox
      command: [sh, -c, 'sleep "$PACE"']
      env: [{name: PACE, valueFrom: {configMapKeyRef: {name: pace, key: seconds}}}]
  - name: again
    retryStrategy: {limit: 5}
    container: *work
  - name: nap
    suspend: {duration: 1h}
  - name: echo
    container: {image: busybox, command: [echo, hello]}
  - name: bye
    container: {image: busybox, command: [echo, "{{workflow.status}}"]}
"""


@pytest.fixture
def cluster() -> Iterator[EmbeddedKubernetes]:
    with EmbeddedKubernetes() as kube:
        yield kube


def argo(run: OneRun, *words: str) -> list[str]:
    command: list[str | Path] = [sys.executable, SCRIPT, "--argo", run.home, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.splitlines()


def wait_for_pods(cluster: EmbeddedKubernetes, namespace: str, count: int) -> None:
    """Until so many are there: those of a child run are not in the tree before it has ended."""
    for _ in range(2400):
        if len(pods_seen(cluster, namespace)) == count:
            return
        time.sleep(0.1)
    raise AssertionError(f"pods after four minutes: {pods_seen(cluster, namespace)}")


def test_a_stopped_run_is_retried_to_its_end(tmp_path: Path, cluster: EmbeddedKubernetes) -> None:
    set_pace(cluster, namespace_of(tmp_path), ENDLESS)
    run = OneRun(tmp_path, cluster, WORKFLOW)
    run.phases(nap="Running")
    wait_for_pods(cluster, namespace_of(tmp_path), 3)
    assert argo(run, "stop")[-1] == "run-1 of wf is being stopped"
    stopped = run.end()
    assert (stopped["result"], stopped["messages"][""]) == ("failed", "Stopped with strategy 'Stop'")
    assert stopped["phases"] == {
        "wf": "Failed",
        "first": "Succeeded",
        "slow": "Failed",
        "stubborn": "Failed",
        "stubborn(0)": "Failed",
        "nap": "Failed",
        "deep": "Failed",
        "deep(0)": "Failed",
        "deep(0)[0]": "Failed",
        "inside": "Failed",
        "after": "Omitted",
        "onExit": "Succeeded",
    }
    messages = stopped["messages"]
    assert messages["slow"] == messages["stubborn(0)"] == messages["inside"] == "workflow shutdown with strategy:  Stop"
    assert messages["stubborn"] == messages["nap"] == messages["deep"] == "Stopped with strategy 'Stop'"

    assert pods_seen(cluster, namespace_of(tmp_path)) == []

    again = argo(run, "retry")
    assert [line.split(".", 1)[1] for line in again] == [
        f"{name} runs again" for name in ("after", "deep", "nap", "onExit", "slow", "stubborn")
    ]
    set_pace(cluster, namespace_of(tmp_path), AT_ONCE)
    run = OneRun(tmp_path, cluster, WORKFLOW)
    run.phases(nap="Running")
    assert argo(run, "resume", "--node-field-selector", "templateName=nap")[-1].endswith(".nap goes on")
    end = run.end()
    assert (end["result"], end["phases"]["after"], end["phases"]["onExit"]) == ("success", "Succeeded", "Succeeded")
    assert (end["tries"]["first"], end["messages"][""]) == (1, "")
