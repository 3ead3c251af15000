"""A step that waits for a person, in a real Airflow: parked, answered, resumed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from argo_yaml_provider.local import EmbeddedKubernetes
from tests.airflow.test_executor import SCRIPT, OneRun

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: approve, template: approve}
    - - name: release
        template: release
        when: "{{steps.approve.outputs.parameters.answer}} == yes"
  - name: approve
    suspend: {}
    outputs: {parameters: [{name: answer, valueFrom: {supplied: {}}}]}
  - name: release
    suspend: {duration: 100ms}
"""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[OneRun]:
    with EmbeddedKubernetes() as cluster:
        run = OneRun(tmp_path, cluster, WORKFLOW)
        yield run
        run.process.kill()
        run.process.wait()


def resume(home: Path, *words: str) -> tuple[int, str, str]:
    command: list[str | Path] = [sys.executable, SCRIPT, "--argo", home, "resume", *words]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return answer.returncode, answer.stdout, answer.stderr


def test_a_step_waits_until_a_person_supplies_what_it_asks_for(run: OneRun) -> None:
    assert run.wait_for(lambda said: said.get("phases", {}).get("approve") == "Running").get("phases")
    code, _, stderr = resume(run.home, "approve")
    while "is suspended" in stderr:  # it runs, and is about to be parked
        code, _, stderr = resume(run.home, "approve")
    assert code == 1
    assert "error: step 'wf-" in stderr
    assert ": no value for 'answer'\n   = help: add -p answer=…" in stderr
    code, stdout, _ = resume(run.home, "approve", "-p", "answer=yes")
    assert (code, stdout.endswith("[0].approve goes on\n")) == (0, True)
    end = run.wait_for(lambda said: "result" in said)
    assert (end["result"], end["phases"]["approve"], end["phases"]["release"]) == ("success", "Succeeded", "Succeeded")
