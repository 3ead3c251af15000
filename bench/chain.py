"""A chain of `true` steps, against bare pods made one after the other: what a step costs beyond its pod.

Usage: python bench/chain.py [--kubeconfig FILE --namespace NAME] [--steps 10] [--rounds 3] (default: an embedded Kubernetes)
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from argo_yaml_provider.local import EmbeddedKubernetes
from argo_yaml_provider.pods.names import ATTEMPT_LABEL
from argo_yaml_provider.step.kube import Kube
from argo_yaml_provider.step.outcome import read_end


def chain(steps: int) -> str:
    """A workflow of so many steps, one after the other."""
    tasks = [{"name": f"s{n}", "template": "work", **({"dependencies": [f"s{n - 1}"]} if n else {})} for n in range(steps)]
    templates = [
        {"name": "main", "dag": {"tasks": tasks}},
        {"name": "work", "container": {"image": "busybox", "command": ["true"]}},
    ]
    spec = {"entrypoint": "main", "templates": templates}
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "chain-"}}
    return json.dumps({**head, "spec": spec})


def run_chain(kubeconfig: str, namespace: str, steps: int, execution: str = "executor") -> float:
    """Seconds a step, from the first one's start to the last one's end."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "chain.json"
        spec.write_text(chain(steps))
        command = [sys.executable, "-m", "argo_yaml_provider", "run", str(spec), "--output", "json", "--execution", execution]
        said = subprocess.run(
            [*command, "--kubeconfig", kubeconfig, "--namespace", namespace], check=True, capture_output=True, text=True
        ).stdout
    nodes = [node for node in json.loads(said)["nodes"] if node["type"] == "Pod"]
    begun = min(datetime.fromisoformat(node["startedAt"]) for node in nodes)
    ended = max(datetime.fromisoformat(node["finishedAt"]) for node in nodes)
    return (ended - begun).total_seconds() / steps


async def bare_pods(kubeconfig: str, namespace: str, steps: int) -> float:
    """Seconds a pod, from its creation until its main container is seen to have ended."""
    kube = await Kube.open(kubeconfig)
    begun = time.monotonic()
    for number in range(steps):
        name = f"bare-{int(time.time() * 1000)}-{number}"
        container = {"name": "main", "image": "busybox", "command": ["true"]}
        labels = {ATTEMPT_LABEL: "0"}
        pod, _ = await kube.create_pod(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "namespace": namespace, "labels": labels},
                "spec": {"restartPolicy": "Never", "containers": [container]},
            }
        )
        async with kube.watch_pod(pod) as feed:
            while not read_end((seen := await feed.next()).pod, gone=seen.gone):
                pass
        kube.later(kube.delete_pod(namespace, name))
    taken = time.monotonic() - begun
    await kube.close()
    return taken / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with ExitStack() as stack:
        kubeconfig = options.kubeconfig or str(stack.enter_context(EmbeddedKubernetes()).kubeconfig)
        rounds = []
        for _ in range(options.rounds):
            bare = asyncio.run(bare_pods(kubeconfig, options.namespace, options.steps))
            rounds.append((bare, run_chain(kubeconfig, options.namespace, options.steps)))
    print(f"{'seconds a step, chain of ' + str(options.steps):34} {'min':>6} {'median':>6} {'max':>6}")
    for name, times in (
        ("bare pod", [bare for bare, _ in rounds]),
        ("argo-yaml run", [ours for _, ours in rounds]),
        ("more than the bare pod", [ours - bare for bare, ours in rounds]),
    ):
        print(f"{name:34} {min(times):6.2f} {statistics.median(times):6.2f} {max(times):6.2f}")


if __name__ == "__main__":
    main()
