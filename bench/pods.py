"""What a step's pod costs over a bare one, side by side on the cluster of KUBECONFIG: creation to the main container's end.

Usage: python bench/pods.py [ROUNDS]. Aims: a plain step at most 0.1 s more, one whose result is captured at most 0.3 s more.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import statistics
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.facts import RunFacts
from argo_yaml_provider.pods.names import ATTEMPT_LABEL
from argo_yaml_provider.step.kube import Kube
from argo_yaml_provider.step.outcome import terminated
from argo_yaml_provider.step.pod import run_pod
from tests.step.conftest import LocalHost

STEP = Decision(node="wf", template={"name": "t", "container": {"image": "busybox", "command": ["true"]}})


async def bare(kube: Kube, namespace: str) -> None:
    """A pod of one container, without any of ours."""
    name = f"bare-{uuid.uuid4().hex[:8]}"
    spec = {"restartPolicy": "Never", "containers": [{**STEP.template["container"], "name": "main"}]}
    metadata = {"name": name, "namespace": namespace, "labels": {ATTEMPT_LABEL: "0"}}
    pod, _ = await kube.create_pod({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    async with kube.watch_pod(pod) as feed:
        while terminated((await feed.next()).pod, "main") is None:
            pass
    kube.later(kube.delete_pod(namespace, name))


async def step(kube: Kube, namespace: str, decision: Decision) -> None:
    """A step's pod, its log and outputs read."""
    facts = RunFacts(name="wf", namespace=namespace, uid="u", created_at="")
    attempt = await run_pod(LocalHost(kube=kube, facts=facts, run_id=uuid.uuid4().hex), decision)
    assert attempt.exit_code == "0", attempt
    kube.later(kube.delete_pod(namespace, attempt.pod))


async def main(rounds: int) -> None:
    """Each kind in turn, so that all meet the same load."""
    if not os.environ.get("KUBECONFIG"):
        print("pods: no KUBECONFIG, nothing measured")
        return
    kube, namespace = await Kube.open(), f"bench-{uuid.uuid4().hex[:8]}"
    await kube.call("POST", "/api/v1/namespaces", body={"metadata": {"name": namespace}})
    kinds: dict[str, Callable[[], Awaitable[None]]] = {
        "bare pod": lambda: bare(kube, namespace),
        "step": lambda: step(kube, namespace, STEP),
        "captured step": lambda: step(kube, namespace, dataclasses.replace(STEP, include_result=True)),
    }
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind, run in kinds.items():
            started = time.monotonic()
            await run()
            times[kind].append(time.monotonic() - started)
            await asyncio.sleep(0.5)
    base = statistics.median(times["bare pod"])
    for kind, taken in times.items():
        low, middle, high = min(taken), statistics.median(taken), max(taken)
        print(f"{kind:14} min {low:.2f} s  median {middle:.2f} s  max {high:.2f} s  {middle / base:.2f} x bare")
    await kube.call("DELETE", f"/api/v1/namespaces/{namespace}")
    await kube.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
