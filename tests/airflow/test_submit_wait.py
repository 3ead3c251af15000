"""`airflow argo submit --wait` beside a scheduler that works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from argo_yaml_provider.local import EmbeddedKubernetes
from tests.airflow.test_executor import OneRun

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  arguments: {parameters: [{name: end, value: "never"}]}
  templates:
  - name: main
    steps:
    - - {name: wait, template: wait, when: "'{{workflow.parameters.end}}' == 'never'"}
      - {name: broken, template: fail, when: "'{{workflow.parameters.end}}' == 'bad'"}
  - name: wait
    suspend: {}
  - name: fail
    container: {image: busybox, command: ["false"]}
"""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[OneRun]:
    """A run that never ends, so that its scheduler does not."""
    with EmbeddedKubernetes() as cluster:
        run = OneRun(tmp_path, cluster, WORKFLOW)
        yield run
        run.process.kill()
        run.process.wait()


def submit(home: Path, *words: str) -> tuple[int, str]:
    airflow = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS": "argo_yaml_provider.airflow.home.CONNECT_ARGS",
    }
    command = [sys.executable, "-m", "argo_yaml_provider", "submit", "--from", "workflow/wf", "--wait", *words]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, env={**os.environ, **airflow})
    return answer.returncode, answer.stdout or answer.stderr


def test_it_waits_for_the_end_and_tells_how_it_was(run: OneRun) -> None:
    assert run.wait_for(lambda said: "phases" in said)
    code, stdout = submit(run.home, "-p", "end=good", "--output", "json")
    assert code == 0, stdout
    said = json.loads(stdout)
    assert (said["phase"], said["dag_id"], said["nodes"][0]["phase"]) == ("Succeeded", "wf", "Succeeded")
    code, stdout = submit(run.home, "-p", "end=bad")
    assert (code, stdout.partition(": ")[2]) == (1, "Failed\n")
