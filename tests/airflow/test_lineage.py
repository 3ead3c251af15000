"""OpenLineage's own listener and file transport, told of artifacts by runs on the embedded Kubernetes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: make, template: make}
    - - {name: use, template: use, arguments: {artifacts: [{name: taken, from: "{{steps.make.outputs.artifacts.given}}"}]}}
  - name: make
    container: {image: busybox, command: [sh, -c, "echo hello >/tmp/given"]}
    outputs: {artifacts: [{name: given, path: /tmp/given, archive: {none: {}}}, {name: none, path: /no, optional: true}]}
  - name: use
    inputs: {artifacts: [{name: taken, path: /tmp/taken}, {name: noted, path: /tmp/noted, raw: {data: x}}]}
    container: {image: busybox, command: [sh, -c, "cp /tmp/taken /tmp/kept; exit 3"]}
    outputs: {artifacts: [{name: kept, path: /tmp/kept, archive: {none: {}}}]}
"""


def events(folder: Path, execution: str) -> list[Json]:
    """What OpenLineage's listener has said of the run's steps."""
    (folder / "wf.yaml").write_text(WORKFLOW)
    said = folder / "lineage.jsonl"
    transport = {"TYPE": "file", "LOG_FILE_PATH": str(said), "APPEND": "true"}
    environment = {**os.environ, **{f"OPENLINEAGE__TRANSPORT__{name}": value for name, value in transport.items()}}
    command = [sys.executable, "-m", "argo_yaml_provider", "run", folder / "wf.yaml", "--execution", execution]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert ran.returncode == 1, ran.stderr
    return [json.loads(line) for line in said.read_text().splitlines()]


# The latter not for a cluster, but it takes minutes on a busy machine.
@pytest.mark.parametrize(
    "execution", ["executor", pytest.param("worker", marks=[pytest.mark.cluster, pytest.mark.timeout(900)])]
)
def test_the_artifacts_that_a_step_fetched_and_stored_are_datasets(tmp_path: Path, execution: str) -> None:
    pytest.importorskip("airflow.providers.openlineage")
    found = {(one["eventType"], one["job"]["name"].split(".")[-1]): one for one in events(tmp_path, execution)}
    made, used = found["COMPLETE", "make"], found["FAIL", "use"]
    (given,), (kept,) = made["outputs"], used["outputs"]
    assert (made["inputs"], [one["name"] for one in used["inputs"]]) == ([], [given["name"]])
    for one, name in ((given, "given"), (kept, "kept")):
        assert (one["namespace"], Path(one["name"]).name, one["outputFacets"]["outputStatistics"]["size"]) == ("file", name, 6)
