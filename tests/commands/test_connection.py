"""An Airflow connection as the artifact repository, from the first step's pod to the second's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stores import servers

NAMESPACE = "argo-connection-test"
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: lent-}
spec:
  entrypoint: all
  templates:
    - name: all
      steps:
        - - {name: make, template: make}
        - - name: use
            template: use
            arguments: {artifacts: [{name: note, from: "{{steps.make.outputs.artifacts.note}}"}]}
          - {name: peek, template: peek}
    - name: make
      container: {image: busybox, command: [sh, -c, "echo lent > /tmp/note; env"]}
      outputs: {artifacts: [{name: note, path: /tmp/note}]}
    - name: use
      inputs: {artifacts: [{name: note, path: /tmp/note}]}
      container: {image: busybox, command: [sh, -c, "cat /tmp/note > /tmp/seen"]}
      outputs: {parameters: [{name: seen, valueFrom: {path: /tmp/seen}}]}
    - name: peek
      container:
        image: busybox
        command: [sh, -c, 'echo "got $STOLEN" > /tmp/got']
        env: [{name: STOLEN, valueFrom: {secretKeyRef: {name: "connection:store", key: secret_access_key, optional: true}}}]
      outputs: {parameters: [{name: got, valueFrom: {path: /tmp/got}}]}
"""


@pytest.fixture(params=["embedded", pytest.param("cluster", marks=pytest.mark.cluster)])
def where(request: pytest.FixtureRequest) -> Iterator[tuple[list[str], str]]:
    """Options of `run`, and the address of this machine as pods see it."""
    if request.param == "embedded":
        if shutil.which("rclone") is None:
            pytest.skip("rclone is not installed")
        yield [], "127.0.0.1"
        return
    subprocess.run(["kubectl", "create", "namespace", NAMESPACE], check=True, capture_output=True)
    path = "jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}"
    host = subprocess.run(["kubectl", "get", "nodes", "-o", path], check=True, capture_output=True, text=True).stdout
    yield ["--kubeconfig", os.environ["KUBECONFIG"], "--namespace", NAMESPACE], host
    subprocess.run(["kubectl", "delete", "namespace", NAMESPACE, "--wait=false"], check=True, capture_output=True)


def run(file: Path, options: list[str], host: str, port: int, key: str, secret: str) -> tuple[Any, str]:
    connection = {
        "conn_type": "aws",
        "login": key,
        "password": secret,
        "extra": {"endpoint_url": f"http://{host}:{port}", "region_name": "us-east-1"},
    }
    environment = {
        **os.environ,
        "AIRFLOW_CONN_STORE": json.dumps(connection),
        "AIRFLOW__ARGO_YAML__ARTIFACT_REPOSITORY": "s3://store@box/some/prefix",
    }
    command = [sys.executable, "-m", "argo_yaml_provider", "run", "--output", "json", str(file), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    return json.loads(ended.stdout), ended.stdout + ended.stderr


def test_a_connection_lends_its_credentials_to_the_pods_alone(where: tuple[list[str], str], tmp_path: Path) -> None:
    options, host = where
    file = tmp_path / "lent.yaml"
    file.write_text(WORKFLOW)
    with servers.serve_strict_s3() as s3:
        result, said = run(file, options, host, s3.port, s3.key, s3.secret)
        nodes = {node["displayName"]: node for node in result["nodes"]}
        assert nodes["use"]["outputs"]["parameters"] == {"seen": "lent"}
        # Who guesses at the name of the Secret finds none: the pod is refused, or gets nothing.
        assert nodes["peek"]["phase"] == "Error" or nodes["peek"]["outputs"]["parameters"] == {"got": "got "}
        assert s3.secret not in said
        refused, said = run(file, options, host, s3.port, s3.key, "guess")
    make = next(node for node in refused["nodes"] if node["displayName"] == "make")
    assert make["phase"] == "Error"
    assert make["message"].partition(" (")[0].replace(make["message"].split("prefix/")[1].split(" by ")[0], "KEY") == (
        "artifact note failed to save: s3 box/some/prefix/KEY by connection store:"
        " the store refuses the credentials: check the Airflow connection store"
    )
    assert "guess" not in said
