"""The clients people use, unchanged."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from argo_yaml_provider.local import EmbeddedKubernetes
from tests.local.conftest import pod

needs_kubectl = pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on this machine")


def kubectl(kube: EmbeddedKubernetes, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = ["kubectl", f"--kubeconfig={kube.kubeconfig}", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=30, check=False)


MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: kc}
data: {a: one}
---
apiVersion: v1
kind: Pod
metadata: {name: kc, labels: {app: kc}}
spec:
  restartPolicy: Never
  containers:
  - name: main
    image: busybox
    command: [sh, -c, "trap 'exit 0' TERM; echo hello; while true; do sleep 0.05; done"]
"""


@needs_kubectl
def test_kubectl_apply_get_describe_exec_patch_delete(kube: EmbeddedKubernetes) -> None:
    assert kubectl(kube, "apply", "-f", "-", stdin=MANIFEST).stdout == "configmap/kc created\npod/kc created\n"
    assert kubectl(kube, "apply", "-f", "-", stdin=MANIFEST).stdout == "configmap/kc unchanged\npod/kc unchanged\n"
    assert kubectl(kube, "wait", "--for=condition=Ready", "pod/kc").stdout == "pod/kc condition met\n"
    row = kubectl(kube, "get", "pods", "-l", "app=kc", "--no-headers").stdout.split()
    assert row[:4] == ["kc", "1/1", "Running", "0"]
    described = kubectl(kube, "describe", "pod", "kc").stdout
    assert "Started container main" in described
    assert kubectl(kube, "logs", "kc").stdout == "hello\n"
    told = kubectl(kube, "exec", "-i", "kc", "--", "sh", "-c", "cat; echo err >&2; exit 3", stdin="given\n")
    assert (told.stdout, told.returncode, told.stderr.splitlines()[0]) == ("given\n", 3, "err")
    assert kubectl(kube, "patch", "pod", "kc", "-p", '{"metadata":{"labels":{"new":"1"}}}').stdout == "pod/kc patched\n"
    assert kubectl(kube, "get", "pod", "kc", "-o", "jsonpath={.metadata.labels}").stdout == '{"app":"kc","new":"1"}'
    assert kubectl(kube, "delete", "-f", "-", stdin=MANIFEST).returncode == 0
    assert kubectl(kube, "get", "pod", "kc").stderr == 'Error from server (NotFound): pods "kc" not found\n'


@needs_kubectl
def test_kubectl_creates_what_it_sends_as_protobuf(kube: EmbeddedKubernetes) -> None:
    assert kubectl(kube, "create", "configmap", "pb", "--from-literal=a=b").stdout == "configmap/pb created\n"
    assert kubectl(kube, "get", "cm", "pb", "-o", "jsonpath={.data}").stdout == '{"a":"b"}'
    kubectl(kube, "create", "secret", "generic", "pb", "--from-literal=pw=hunter2")
    assert kubectl(kube, "get", "secret", "pb", "-o", "jsonpath={.data.pw}").stdout == "aHVudGVyMg=="
    assert kubectl(kube, "auth", "can-i", "create", "pods").stdout == "yes\n"


@needs_kubectl
def test_kubectl_follows_logs_and_watches(kube: EmbeddedKubernetes) -> None:
    shown: list[str] = []
    command = ["kubectl", f"--kubeconfig={kube.kubeconfig}", "get", "pods", "-w", "--no-headers"]
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert watching.stdout
    reader = threading.Thread(target=lambda: shown.extend(watching.stdout or ()))
    reader.start()
    script = "for i in 1 2 3; do echo $i; sleep 0.2; done"
    kubectl(kube, "run", "ticks", "--image=busybox", "--restart=Never", "--", "sh", "-c", script)
    kubectl(kube, "wait", "--for=jsonpath={.status.phase}=Running", "pod/ticks")
    assert kubectl(kube, "logs", "-f", "ticks").stdout == "1\n2\n3\n"
    kubectl(kube, "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/ticks")
    time.sleep(0.2)
    watching.terminate()
    reader.join(5)
    words = [line.split()[2] for line in shown if line.startswith("ticks")]
    assert (words[0], words[-1]) == ("ContainerCreating", "Completed") or words[-1] == "Completed"


def test_the_synchronous_client(kube: EmbeddedKubernetes) -> None:
    from kubernetes import client, config, watch  # type: ignore[import-untyped]
    from kubernetes.stream import stream  # type: ignore[import-untyped]

    core = client.CoreV1Api(config.new_client_from_config(str(kube.kubeconfig)))
    core.create_namespaced_pod("default", pod("sync", "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done"))
    for event in watch.Watch().stream(core.list_namespaced_pod, "default", field_selector="metadata.name=sync"):
        if event["object"].status.phase == "Running":
            break
    told = stream(core.connect_get_namespaced_pod_exec, "sync", "default", command=["echo", "inside"], stdout=True, stderr=True)
    assert told == "inside\n"
    assert core.read_namespaced_pod_log("sync", "default", _preload_content=False).data == b"up\n"
    core.delete_namespaced_pod("sync", "default")


async def test_the_asynchronous_client(kube: EmbeddedKubernetes) -> None:
    from kubernetes_asyncio import client, config, watch
    from kubernetes_asyncio.stream import WsApiClient

    await config.load_kube_config(str(kube.kubeconfig))
    async with client.ApiClient() as api, WsApiClient() as sockets:
        core = client.CoreV1Api(api)
        manifest: Any = pod("async", "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done")
        await core.create_namespaced_pod("default", manifest)
        async with watch.Watch().stream(core.list_namespaced_pod, "default", field_selector="metadata.name=async") as events:
            async for event in events:
                if event["object"].status.phase == "Running":
                    break
        exec_pod: Any = client.CoreV1Api(sockets).connect_get_namespaced_pod_exec
        told = await exec_pod("async", "default", command=["echo", "inside"], stdout=True, stderr=True)
        assert told == "inside\n"
        assert await core.read_namespaced_pod_log("async", "default") == "up\n"
        await core.delete_namespaced_pod("async", "default")


def test_a_pod_reaches_its_own_api(kube: EmbeddedKubernetes, tmp_path: Path) -> None:
    from kubernetes import client, config

    core = client.CoreV1Api(config.new_client_from_config(str(kube.kubeconfig)))
    script = (
        "import os,ssl,urllib.request as u; d='/var/run/secrets/kubernetes.io/serviceaccount/';"
        "h='https://'+os.environ['KUBERNETES_SERVICE_HOST']+':'+os.environ['KUBERNETES_SERVICE_PORT'];"
        "r=u.Request(h+'/api/v1/namespaces/'+open(d+'namespace').read(),"
        "headers={'Authorization':'Bearer '+open(d+'token').read()});"
        "print(u.urlopen(r,context=ssl.create_default_context(cafile=d+'ca.crt')).status)"
    )
    core.create_namespaced_pod("default", pod("inside", "", container={"image": "python", "command": ["python", "-c", script]}))
    for _ in range(100):
        if core.read_namespaced_pod("inside", "default").status.phase in {"Succeeded", "Failed"}:
            break
        time.sleep(0.05)
    assert core.read_namespaced_pod_log("inside", "default", _preload_content=False).data == b"200\n"


def test_kubernetes_pod_operator_with_its_sidecar(kube: EmbeddedKubernetes) -> None:
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

    script = "echo hello; mkdir -p /airflow/xcom; echo '{\"a\": 1}' > /airflow/xcom/return.json"
    kpo = KubernetesPodOperator(
        task_id="kpo",
        namespace="default",
        image="busybox",
        cmds=["sh", "-c", script],
        config_file=str(kube.kubeconfig),
        kubernetes_conn_id=None,
        in_cluster=False,
        do_xcom_push=True,
    )
    run = SimpleNamespace(run_id="r", conf={})
    task = SimpleNamespace(
        dag_id="d", task_id="kpo", run_id="r", map_index=-1, try_number=1, hostname="h", dag_run=run, xcom_push=lambda **_: None
    )
    context: Any = {"ti": task, "task_instance": task, "run_id": "r", "dag_run": run, "task": kpo}
    context["dag"] = SimpleNamespace(dag_id="d", parent_dag=None)
    assert kpo.execute(context) == {"a": 1}
