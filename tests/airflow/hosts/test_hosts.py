"""A whole workflow in workers and in the triggerer of a real Airflow, on the embedded Kubernetes; a killed triggerer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.local import EmbeddedKubernetes

HERE = Path(__file__).parent
SLOW = pytest.mark.skipif(not os.environ.get("CI"), reason="takes half a minute; CI=true runs it")
PATIENCE = 400
"""Seconds: the machine may be busy."""
GATED = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: gated}
spec:
  entrypoint: main
  volumes: [{name: gate, hostPath: {path: GATE, type: Directory}}]
  templates:
  - name: main
    dag: {tasks: [{name: gated, template: wait}, {name: endless, template: endless}]}
  - name: endless
    container: {image: busybox, command: [sleep, "3600"]}
  - name: wait
    container:
      image: busybox
      command: [sh, -c, 'until [ -e /gate/open ]; do sleep 0.2; done']
      volumeMounts: [{name: gate, mountPath: /gate}]
"""


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__")}


@pytest.mark.parametrize("execution", ["triggerer", pytest.param("worker", marks=SLOW)])
def test_every_kind_of_step_comes_to_the_same_end_on_every_host(execution: str) -> None:
    command = [sys.executable, "-m", "argo_yaml_provider", "run", HERE / "every-kind.yaml", "--output", "json"]
    done = subprocess.run(
        [*command, "--execution", execution, "--timeout", str(PATIENCE)],
        capture_output=True,
        check=False,
        text=True,
        env=clean_environment(),
    )
    assert done.stdout, done.stderr[-3000:]
    result: dict[str, Any] = json.loads(done.stdout)
    root = result["name"]
    phases = {node["name"].removeprefix(root): f"{node['type']} {node['phase']}" for node in result["nodes"]}
    assert phases == {
        "": "Steps Succeeded",
        "[0]": "StepGroup Succeeded",
        "[0].list": "Pod Succeeded",
        "[1]": "StepGroup Succeeded",
        "[1].each(0:a)": "Pod Succeeded",
        "[1].each(1:b)": "Pod Succeeded",
        "[1].flaky": "Retry Succeeded",
        "[1].flaky(0)": "Pod Failed",
        "[1].flaky(1)": "Pod Succeeded",
        "[1].child": "Retry Succeeded",
        "[1].child(0)": "Steps Succeeded",
        "[1].child(0)[0]": "StepGroup Succeeded",
        "[1].child(0)[0].say": "Pod Succeeded",
        "[1].never": "Skipped Skipped",
    }, done.stderr[-3000:]
    said = {node["displayName"]: node["outputs"]["parameters"]["word"] for node in result["nodes"] if node["template"] == "say"}
    assert said == {"each(0:a)": "a", "each(1:b)": "b", "say": "c"}


def test_who_follows_a_killed_triggerer_goes_on_with_its_pods_and_what_a_person_fails_loses_its_pod(tmp_path: Path) -> None:
    gate, file = tmp_path / "gate", tmp_path / "gated.yaml"
    gate.mkdir()
    file.write_text(GATED.replace("GATE", str(gate)))
    with EmbeddedKubernetes() as kubernetes:
        command = [sys.executable, HERE / "taken_over.py", file, tmp_path / "home", kubernetes.kubeconfig, gate]
        done = subprocess.run(command, capture_output=True, check=False, text=True, env=clean_environment())
    assert done.stdout, done.stderr[-3000:]
    seen = json.loads(done.stdout)
    assert seen["killed"] > 1
    assert (seen["pods"], seen["left"], seen["phases"]["gated"]) == (2, [], "Succeeded")
    assert seen["phases"]["endless"] != "Succeeded"
