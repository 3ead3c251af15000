"""Artifacts from step to step in every shape, on the embedded Kubernetes without a server, and on the cluster through S3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.s3 import serve_s3

NAMESPACE = "argo-artifacts-test"
SHAPES = Path(__file__).parent / "artifact-shapes.yaml"
REPOSITORY = f"""
apiVersion: v1
kind: Namespace
metadata: {{name: {NAMESPACE}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: s3, namespace: {NAMESPACE}}}
stringData: {{key: admin, secret: password}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: artifact-repositories
  namespace: {NAMESPACE}
  annotations: {{workflows.argoproj.io/default-artifact-repository: main}}
data:
  main: |
    s3:
      bucket: my-bucket
      endpoint: minio:9000
      insecure: true
      keyFormat: "{{{{workflow.name}}}}/{{{{workflow.creationTimestamp.Y}}}}/{{{{pod.name}}}}"
      accessKeySecret: {{name: s3, key: key}}
      secretKeySecret: {{name: s3, key: secret}}
"""
SEEN = """zipped/a=one
zipped/sub/b=two
tarred/a=one
tarred/sub/b=two
plain.txt=three
left=left
raw=raw $(x) {name}
/mnt/shared/x/plain=three
executable"""


@pytest.fixture(params=["embedded", pytest.param("cluster", marks=pytest.mark.cluster)])
def where(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Options of `run`: none, or those of the real cluster, with a namespace whose ConfigMap names an S3 server."""
    if request.param == "embedded":
        yield []
        return
    subprocess.run(["kubectl", "apply", "-f", "-"], input=REPOSITORY, text=True, check=True, capture_output=True)
    with serve_s3():
        yield ["--kubeconfig", os.environ["KUBECONFIG"], "--namespace", NAMESPACE]
    subprocess.run(["kubectl", "delete", "namespace", NAMESPACE, "--wait=false"], check=True, capture_output=True)


def run(*arguments: str | Path) -> Any:
    command = [sys.executable, "-m", "argo_yaml_provider", "run", "--output", "json", *arguments]
    return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=240, check=False).stdout)


def test_artifacts_arrive_in_every_shape(where: list[str]) -> None:
    result = run(SHAPES, *where)
    nodes = {node["name"].removeprefix(result["name"]): node for node in result["nodes"]}
    given = {name: (node["outputs"] or {}).get("artifacts") for name, node in nodes.items() if node["type"] == "Pod"}
    assert given == {
        "[0].make": ["folder", "manifest", "plain", "tarred", "zipped"],
        "[0].fails": ["left"],
        "[0].lacks": ["there"],
        "[1].use": [],
        "[1].list": [],
        "[1].apply": [],
    }
    folder = f"{result['name']}/listed/folder"
    assert nodes["[1].list"]["outputs"]["result"] == f'["{folder}/a!","{folder}/sub/b!"]'
    assert nodes["[1].apply"]["outputs"]["parameters"] == {"a": "7"}
    lacking = nodes["[0].lacks"]
    assert (lacking["phase"], lacking["message"]) == (
        "Error",
        "artifact gone failed to save: /tmp/nowhere no such file or directory",
    )
    assert nodes["[1].use"]["outputs"]["parameters"]["seen"] == SEEN.replace("{name}", result["name"])
