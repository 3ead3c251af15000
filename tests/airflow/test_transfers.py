"""Transfers on the real cluster that are interfered with half-way, or have little memory: in the end the artifact is whole."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.test_executor import OneRun, namespace_of
from tests.s3 import BUCKET, serve_s3
from tests.stores.proxy import Proxy, interfering

STORE = 9078
"""Not the port of other tests, whose server may ask for credentials."""
LARGE = Path(__file__).parents[2] / "bench" / "large-artifact.yaml"
LINES = 600_000
WHOLE = "".join(f"{number}\n" for number in range(1, LINES + 1)).encode()
UP, DOWN = ("up-deleted", "up-killed", "up-refused"), ("down-deleted", "down-killed", "down-refused")
WORKFLOW = f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: wf}}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {{name: up-deleted, template: give, arguments: {{parameters: [{{name: key, value: up-deleted}}]}}}}
      - {{name: up-killed, template: give, arguments: {{parameters: [{{name: key, value: up-killed}}]}}}}
      - {{name: up-refused, template: give, arguments: {{parameters: [{{name: key, value: up-refused}}]}}}}
      - {{name: down-deleted, template: take, arguments: {{parameters: [{{name: key, value: down-deleted}}]}}}}
      - {{name: down-killed, template: take, arguments: {{parameters: [{{name: key, value: down-killed}}]}}}}
      - {{name: down-refused, template: take, arguments: {{parameters: [{{name: key, value: down-refused}}]}}}}
  - name: give
    inputs: {{parameters: [{{name: key}}]}}
    retryStrategy: {{limit: "2", retryPolicy: Always}}
    container: {{image: busybox, command: [sh, -c, "seq 1 {LINES} >/tmp/numbers"]}}
    outputs: {{artifacts: [{{name: numbers, path: /tmp/numbers, PLACE}}]}}
  - name: take
    inputs: {{parameters: [{{name: key}}], artifacts: [{{name: numbers, path: /numbers, PLACE}}]}}
    retryStrategy: {{limit: "2", retryPolicy: Always}}
    container: {{image: busybox, command: [sh, -c, "seq 1 {LINES} | cmp - /numbers"]}}
"""
PLACE = f"""
        archive: {{none: {{}}}},
        s3: {{
          endpoint: "minio:PORT",
          insecure: true,
          bucket: {BUCKET},
          key: "transfers/{{{{workflow.namespace}}}}/{{{{inputs.parameters.key}}}}",
          accessKeySecret: {{name: s3, key: key}},
          secretKeySecret: {{name: s3, key: secret}}}}"""


@dataclass
class Cluster:
    """What OneRun asks of a cluster."""

    kubeconfig: str


@pytest.fixture
def namespace(tmp_path: Path) -> Iterator[str]:
    """With the store's credentials in it; no container has more than 64 MiB of memory."""
    name = namespace_of(tmp_path)
    secret = f"""
apiVersion: v1
kind: Namespace
metadata: {{name: {name}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: s3, namespace: {name}}}
stringData: {{key: admin, secret: password}}
---
apiVersion: v1
kind: LimitRange
metadata: {{name: memory, namespace: {name}}}
spec: {{limits: [{{type: Container, default: {{memory: 64Mi}}, defaultRequest: {{memory: 10Mi}}}}]}}
"""
    subprocess.run(["kubectl", "apply", "-f", "-"], input=secret, text=True, check=True, capture_output=True)
    yield name
    subprocess.run(["kubectl", "delete", "namespace", name, "--wait=false"], check=True, capture_output=True)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    held = [word for word in (*UP, *DOWN) if not word.endswith("refused")]
    with serve_s3(STORE), interfering(STORE, holds=held, refusals={"up-refused": 30.0, "down-refused": 30.0}) as proxy:
        yield proxy


def store() -> Any:
    """A client that goes to the store itself, not through the proxy."""
    import boto3  # type: ignore[import-untyped]

    account = {"aws_access_key_id": "admin", "aws_secret_access_key": "password", "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=f"http://127.0.0.1:{STORE}", **account)


def stored(namespace: str, key: str) -> bytes | None:
    """What lies under a key."""
    from botocore.exceptions import ClientError  # type: ignore[import-untyped]

    try:
        content: bytes = store().get_object(Bucket=BUCKET, Key=f"transfers/{namespace}/{key}")["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None
    return content


@pytest.mark.cluster
def test_transfers_survive_the_loss_of_their_pod_and_of_the_runner_and_a_store_that_refuses(
    namespace: str, proxy: Proxy, tmp_path: Path
) -> None:
    for word in DOWN:
        store().put_object(Bucket=BUCKET, Key=f"transfers/{namespace}/{word}", Body=WHOLE)
    workflow = WORKFLOW.replace("PLACE", PLACE).replace("PORT", str(proxy.port))
    run = OneRun(tmp_path, Cluster(os.environ["KUBECONFIG"]), workflow)  # type: ignore[arg-type]
    runner = run.phases(**dict.fromkeys(UP, "Running"))["runner"]
    for word, hold in proxy.holds.items():
        assert hold.reached.wait(240), word
    assert [stored(namespace, word) for word in UP[:2]] == [None, None]
    assert stored(namespace, UP[2]) in (None, WHOLE)
    # Not by force: a kubelet whose pod vanishes while it starts a container of it may panic (seen with 1.34).
    which = ["-n", namespace, "-l", "task_id in (up-deleted, down-deleted)"]
    subprocess.run(["kubectl", "delete", "pod", *which, "--now", "--wait=false"], check=True, capture_output=True)
    run.phases(**{"up-deleted(0)": "Error", "down-deleted(0)": "Error"})
    os.kill(runner, signal.SIGKILL)
    for way in ("up", "down"):
        proxy.holds[f"{way}-killed"].released.set()
    last = run.end()
    assert last["phases"] == {
        **dict.fromkeys(("wf", *UP, *DOWN), "Succeeded"),
        **{f"{way}-deleted({attempt})": phase for way in ("up", "down") for attempt, phase in ((0, "Error"), (1, "Succeeded"))},
        **{f"{word}(0)": "Succeeded" for word in (*UP[1:], *DOWN[1:])},
    }, last["messages"]
    assert [stored(namespace, word) == WHOLE for word in UP] == [True, True, True]
    assert min(proxy.refused["up-refused"], proxy.refused["down-refused"]) > 3


@pytest.mark.cluster
def test_256_mib_pass_through_containers_of_64_mib_and_are_deleted_at_the_end(namespace: str, tmp_path: Path) -> None:
    with serve_s3(STORE):
        run = OneRun(tmp_path, Cluster(os.environ["KUBECONFIG"]), LARGE.read_text().replace("minio:9000", f"minio:{STORE}"))  # type: ignore[arg-type]
        end = run.end()
        left = store().list_objects_v2(Bucket=BUCKET, Prefix=f"large/{namespace}/")["KeyCount"]
    assert end["phases"] == dict.fromkeys(("wf", "give", "take"), "Succeeded"), end["messages"]
    assert left == 0
