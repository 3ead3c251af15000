"""A run's artifacts after the run: listed, brought to a folder, deleted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.local import EmbeddedKubernetes
from tests.airflow.test_executor import SCRIPT, OneRun, namespace_of

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  artifactGC: {strategy: OnWorkflowDeletion, podMetadata: {labels: {team: data}}}
  templates:
  - name: main
    steps:
    - - name: make
        template: make
        withItems: [a, b]
        arguments: {parameters: [{name: word, value: "{{item}}"}]}
  - name: make
    inputs: {parameters: [{name: word}]}
    container:
      image: busybox
      command: [sh, -c]
      args: ["mkdir -p /tmp/out/sub; printf '{{inputs.parameters.word}}' >/tmp/out/sub/word; printf plain >/tmp/plain.txt"]
    outputs:
      artifacts:
      - {name: folder, path: /tmp/out, archive: {none: {}}, s3: {key: "kept/{{inputs.parameters.word}}/folder"}}
      - name: gone
        path: /tmp/plain.txt
        s3: {key: "gone/{{inputs.parameters.word}}.tgz"}
        artifactGC: {strategy: OnWorkflowCompletion}
      - name: plain
        path: /tmp/plain.txt
        archive: {none: {}}
        s3: {key: "kept/{{inputs.parameters.word}}/plain.txt"}
        artifactGC: {strategy: Never}
"""


@pytest.fixture
def cluster() -> Iterator[EmbeddedKubernetes]:
    with EmbeddedKubernetes() as cluster:
        yield cluster


@pytest.fixture
def run(tmp_path: Path, cluster: EmbeddedKubernetes) -> Iterator[OneRun]:
    run = OneRun(tmp_path, cluster, WORKFLOW)
    yield run
    run.process.kill()
    run.process.wait()


def artifacts(home: Path, *words: str | Path, **env: str) -> tuple[int, str, str]:
    command: list[str | Path] = [sys.executable, SCRIPT, "--command", home, "artifacts", *words]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env={**os.environ, **env})
    return answer.returncode, answer.stdout, answer.stderr


def files_below(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_a_run_has_stored_is_listed_brought_and_deleted(run: OneRun, cluster: EmbeddedKubernetes, tmp_path: Path) -> None:
    assert run.end()["result"] == "success"
    code, stdout, stderr = artifacts(run.home, "ls", "wf/@latest", "make", "--output", "json")
    assert (code, stderr.count("error")) == (0, 0), stderr
    rows: list[dict[str, Any]] = json.loads(stdout)
    assert [(row["step"], row["name"], row["store"], row["key"], row["size"]) for row in rows] == [
        ("[0].make(0:a)", "folder", "volume", "kept/a/folder", 1),
        ("[0].make(0:a)", "plain", "volume", "kept/a/plain.txt", 5),
        ("[0].make(1:b)", "folder", "volume", "kept/b/folder", 1),
        ("[0].make(1:b)", "plain", "volume", "kept/b/plain.txt", 5),
    ]
    code, stdout, stderr = artifacts(run.home, "get", "run-1", "-d", tmp_path / "got")
    assert (code, len(stdout.splitlines())) == (0, 4), stderr
    assert files_below(tmp_path / "got") == {
        "make(0:a)/folder/sub/word": "a",
        "make(0:a)/plain.txt": "plain",
        "make(1:b)/folder/sub/word": "b",
        "make(1:b)/plain.txt": "plain",
    }
    settings = {
        "AIRFLOW__ARGO_YAML__CONFIG_FILE": str(cluster.kubeconfig),
        "AIRFLOW__ARGO_YAML__NAMESPACE": namespace_of(tmp_path),
        "AIRFLOW__ARGO_YAML__CONN_ID": "",
    }
    assert sorted(files_below(run.home / "artifacts")) == [
        f"kept/{word}/{name}" for word in "ab" for name in ("folder/sub/word", "plain.txt")
    ]
    assert artifacts(run.home, "gc", **settings)[:2] == (0, "nothing to delete\n")
    subprocess.run([sys.executable, SCRIPT, "--delete", run.home], check=True, timeout=300)
    assert artifacts(run.home, "gc", **settings)[:2] == (0, "run run-1 of wf: 2 of 2 artifacts are deleted\n")
    assert files_below(run.home / "artifacts") == {"kept/a/plain.txt": "plain", "kept/b/plain.txt": "plain"}
