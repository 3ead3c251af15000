"""Workflows that a manifest submits run as DAGs of their own, in one Airflow with the workflow that submits them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SUBMITS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: parent-}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: good, template: submit, arguments: {parameters: [{name: code, value: "0"}]}}
      - {name: bad, template: submit, arguments: {parameters: [{name: code, value: "3"}]}, continueOn: {failed: true}}
      - {name: nested, template: nested}
    - - {name: again, template: get, arguments: {parameters: [{name: wf, value: "{{steps.good.outputs.parameters.wf}}"}]}}
      - {name: self, template: get, arguments: {parameters: [{name: wf, value: "{{workflow.name}}"}]}}
  - name: submit
    inputs: {parameters: [{name: code}]}
    resource:
      action: create
      successCondition: status.phase == Succeeded
      failureCondition: status.phase in (Failed, Error)
      manifest: |
        apiVersion: argoproj.io/v1alpha1
        kind: Workflow
        metadata: {generateName: sub-}
        spec:
          arguments: {parameters: [{name: code, value: "{{inputs.parameters.code}}"}]}
          workflowTemplateRef: {name: exits}
    outputs:
      parameters:
      - {name: wf, valueFrom: {jsonPath: "{.metadata.name}"}}
      - {name: said, valueFrom: {jsonPath: "{.status.outputs.parameters[0].value}"}}
  - name: nested
    resource:
      action: apply
      successCondition: status.phase == Succeeded
      manifest: |
        apiVersion: argoproj.io/v1alpha1
        kind: Workflow
        metadata: {name: outer}
        spec:
          entrypoint: main
          templates:
          - name: main
            resource:
              action: create
              manifest: |
                apiVersion: argoproj.io/v1alpha1
                kind: Workflow
                metadata: {generateName: inner-}
                spec: {workflowTemplateRef: {name: exits}}
  - name: get
    inputs: {parameters: [{name: wf}]}
    resource: {action: get, flags: [workflow, "{{inputs.parameters.wf}}"]}
    outputs: {parameters: [{name: phase, valueFrom: {jsonPath: "{.status.phase}"}}]}
---
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: exits}
spec:
  entrypoint: main
  arguments: {parameters: [{name: code, value: "0"}]}
  templates:
  - name: main
    inputs: {parameters: [{name: code}]}
    outputs: {parameters: [{name: said, globalName: said, valueFrom: {path: /tmp/said}}]}
    container:
      image: busybox
      command: [sh, -c, "echo -n {{workflow.name}} > /tmp/said; exit {{inputs.parameters.code}}"]
"""


def test_submitted_workflows_are_awaited_read_and_found_again(tmp_path: Path) -> None:
    file = tmp_path / "parent.yaml"
    file.write_text(SUBMITS)
    command: list[str | Path] = [sys.executable, "-m", "argo_yaml_provider", "run", file, "--document", "0", "--output", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stderr
    nodes: dict[str, Any] = {node["displayName"]: node for node in json.loads(ended.stdout)["nodes"]}
    good = nodes["good"]["outputs"]["parameters"]
    assert good["wf"] == good["said"]
    assert {name: nodes[name]["phase"] for name in ("good", "bad", "nested", "again", "self")} == {
        "good": "Succeeded",
        "bad": "Failed",
        "nested": "Succeeded",
        "again": "Succeeded",
        "self": "Succeeded",
    }
    assert nodes["again"]["outputs"]["parameters"] == {"phase": "Succeeded"}
    assert nodes["self"]["outputs"]["parameters"] == {"phase": "Running"}
