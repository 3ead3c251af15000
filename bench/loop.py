"""A `withParam` loop over pods, against the same pods made directly with the API, as many at a time.

Usage: python bench/loop.py [--kubeconfig FILE --namespace NAME] [--pods 200] [--parallelism 50] [--rounds 3]

Without --kubeconfig: an embedded Kubernetes. Each side: from the first pod's creation until the last one's end is seen.
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
import uuid
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from argo_yaml_provider.airflow.recommended import recommended_environment
from argo_yaml_provider.local import EmbeddedKubernetes
from argo_yaml_provider.pods.names import ATTEMPT_LABEL
from argo_yaml_provider.step.kube import Kube
from argo_yaml_provider.step.outcome import read_end
from bench import database, deployment


def loop(pods: int, parallelism: int) -> str:
    """A workflow over a list that is known at run time only."""
    call = {"name": "work", "template": "work", "withParam": "{{workflow.parameters.items}}"}
    work = {"name": "work", "container": {"image": "busybox", "command": ["true"]}}
    spec = {
        "entrypoint": "main",
        "parallelism": parallelism,
        "arguments": {"parameters": [{"name": "items", "value": json.dumps(list(range(pods)))}]},
        "templates": [{"name": "main", "steps": [[call]]}, work],
    }
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "loop"}}
    return json.dumps({**head, "spec": spec})


async def directly(kubeconfig: str, namespace: str, pods: int, parallelism: int) -> float:
    """Seconds for the pods alone."""
    kube, room = await Kube.open(kubeconfig), asyncio.Semaphore(parallelism)

    async def one() -> None:
        name = f"bare-{uuid.uuid4().hex[:10]}"
        spec = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox", "command": ["true"]}]}
        metadata = {"name": name, "namespace": namespace, "labels": {ATTEMPT_LABEL: "0"}}
        async with room:
            pod, _ = await kube.create_pod({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
            async with kube.watch_pod(pod) as feed:
                while not read_end((seen := await feed.next()).pod, gone=seen.gone):
                    pass
        kube.later(kube.delete_pod(namespace, name))

    begun = time.monotonic()
    await asyncio.gather(*(one() for _ in range(pods)))
    taken = time.monotonic() - begun
    await kube.close()
    return taken


def deployed(options: argparse.Namespace) -> float:
    """Seconds for the loop, in this process's Airflow, from the first turn's start to the last one's end."""
    deployment.enter(Path(options.home), options.url, recommended_environment())
    deployment.add_workflow(loop(options.pods, options.parallelism), options.kubeconfig, options.namespace, "loop")
    with deployment.scheduler():
        state = deployment.wait_for_run("loop")
    turns = [task for task in deployment.tasks_of("loop") if task[0] == "work"]
    if state != "success" or len(turns) != options.pods:
        raise SystemExit(f"the loop ended as {state}, after {len(turns)} of {options.pods} turns")
    return (max(turn[3] for turn in turns) - min(turn[2] for turn in turns)).total_seconds()  # type: ignore[no-any-return]


def one(options: argparse.Namespace, kubeconfig: str) -> float:
    """The loop, in an Airflow of its own."""
    with tempfile.TemporaryDirectory() as folder, database.fresh(options.database) as url:
        command = [sys.executable, __file__, "--home", folder + "/home", "--url", url, "--kubeconfig", kubeconfig]
        command += ["--namespace", options.namespace, "--pods", str(options.pods), "--parallelism", str(options.parallelism)]
        return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def measure(options: argparse.Namespace) -> None:
    """Both sides in turn."""
    bare, ours = [], []
    with ExitStack() as stack:
        kubeconfig = options.kubeconfig or str(stack.enter_context(EmbeddedKubernetes()).kubeconfig)
        for _ in range(options.rounds):
            bare.append(asyncio.run(directly(kubeconfig, options.namespace, options.pods, options.parallelism)))
            ours.append(one(options, kubeconfig))
    ratios = [mine / plain for mine, plain in zip(ours, bare, strict=True)]
    print(f"{f'{options.pods} pods, {options.parallelism} at a time':34} {'min':>6} {'median':>6} {'max':>6}")
    for name, values in (("directly, s", bare), ("withParam, s", ours), ("ratio", ratios)):
        print(f"{name:34} {min(values):6.2f} {statistics.median(values):6.2f} {max(values):6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--pods", type=int, default=200)
    parser.add_argument("--parallelism", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", default="sqlite", choices=["sqlite", "postgresql"])
    for name in ("--home", "--url"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.home:
        print(deployed(options))
    elif why := database.missing(options.database):
        print(f"loop: nothing measured: {why}")
    else:
        measure(options)


if __name__ == "__main__":
    main()
