"""A chain of `true` steps under a scheduler as deployed, against bare pods one after the other, and KubernetesPodOperators.

Usage: python bench/chain.py [--kubeconfig FILE --namespace NAME] [--steps 10] [--rounds 3] [--database sqlite|postgresql]
                             [--sides bare plain parameter operator] [--settings recommended defaults] [--without OPTION …]

Without --kubeconfig: an embedded Kubernetes. A side is seconds a step: from the first one's start to the last one's end.
`--without scheduler.scheduler_idle_sleep_time` leaves one of the recommended settings out, to show what it brings.
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

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from argo_yaml_provider.airflow.recommended import RECOMMENDED, as_environment
from argo_yaml_provider.local import EmbeddedKubernetes
from argo_yaml_provider.pods.names import ATTEMPT_LABEL
from argo_yaml_provider.step.kube import Kube
from argo_yaml_provider.step.outcome import read_end
from bench import database, deployment

OPERATORS = """
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import DAG

with DAG("chain", schedule=None) as dag:
    before = None
    for number in range({steps}):
        step = KubernetesPodOperator(
            task_id=f"s{{number}}", name=f"s{{number}}", image="busybox", cmds=["true"],
            config_file={kubeconfig!r}, namespace={namespace!r}, in_cluster=False,
        )
        if before:
            before >> step
        before = step
"""


def chain(steps: int, *, parameter: bool = False) -> str:
    """A workflow of so many steps, one after the other; each may hand a parameter on."""
    tasks = [_task(number, parameter=parameter) for number in range(steps)]
    work: dict[str, object] = {"name": "work", "container": {"image": "busybox", "command": ["true"]}}
    if parameter:
        work["inputs"] = {"parameters": [{"name": "x"}]}
        work["container"] = {"image": "busybox", "command": ["sh", "-c"], "args": ["echo {{inputs.parameters.x}} >/tmp/y"]}
        work["outputs"] = {"parameters": [{"name": "y", "valueFrom": {"path": "/tmp/y"}}]}
    spec = {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": tasks}}, work]}
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "chain"}}
    return json.dumps({**head, "spec": spec})


def _task(number: int, *, parameter: bool) -> dict[str, object]:
    task: dict[str, object] = {"name": f"s{number}", "template": "work"}
    if number:
        task["dependencies"] = [f"s{number - 1}"]
    if parameter:
        value = f"{{{{tasks.s{number - 1}.outputs.parameters.y}}}}" if number else "0"
        task["arguments"] = {"parameters": [{"name": "x", "value": value}]}
    return task


def run_chain(kubeconfig: str, namespace: str, steps: int, execution: str = "executor") -> float:
    """Seconds a step under `argo-yaml run`, from the first one's start to the last one's end."""
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
        pod, _ = await kube.create_pod(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "namespace": namespace, "labels": {ATTEMPT_LABEL: "0"}},
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


def deployed(options: argparse.Namespace) -> float:
    """Seconds a step of one side, in this process's Airflow."""
    settings = {} if options.settings == ["defaults"] else {name: value for name, (value, _) in RECOMMENDED.items()}
    settings = {name: value for name, value in settings.items() if name not in options.without}
    side = options.sides[0]
    settings |= {"core.executor": "LocalExecutor"} if side == "operator" else {}
    deployment.enter(Path(options.home), options.url, as_environment(settings))
    with ExitStack() as stack:
        if side == "operator":
            named = {"steps": options.steps, "kubeconfig": options.kubeconfig, "namespace": options.namespace}
            deployment.add_python(OPERATORS.format(**named), "chain")
            stack.enter_context(deployment.api_server())
        else:
            text = chain(options.steps, parameter=side == "parameter")
            deployment.add_workflow(text, options.kubeconfig, options.namespace, "chain")
        stack.enter_context(deployment.scheduler())
        state = deployment.wait_for_run("chain")
    tasks = [task for task in deployment.tasks_of("chain") if task[0].startswith("s")]
    if state != "success" or len(tasks) != options.steps:
        raise SystemExit(f"the chain of {side} ended as {state}, after {len(tasks)} steps")
    return (max(task[3] for task in tasks) - min(task[2] for task in tasks)).total_seconds() / options.steps


def one(side: str, settings: str, options: argparse.Namespace, kubeconfig: str) -> float:
    """One side, once."""
    if side == "bare":
        return asyncio.run(bare_pods(kubeconfig, options.namespace, options.steps))
    with tempfile.TemporaryDirectory() as folder, database.fresh(options.database) as url:
        command = [sys.executable, __file__, "--home", folder + "/home", "--url", url, "--kubeconfig", kubeconfig]
        command += ["--namespace", options.namespace, "--steps", str(options.steps), "--sides", side]
        command += ["--settings", settings, "--without", *options.without]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return float(said.splitlines()[-1])


def measure(options: argparse.Namespace) -> None:
    """All sides in turn, round by round."""
    kinds = [(side, settings) for settings in options.settings for side in options.sides if side != "bare"]
    found: dict[str, list[float]] = {"bare pod": []}
    with ExitStack() as stack:
        kubeconfig = options.kubeconfig or str(stack.enter_context(EmbeddedKubernetes()).kubeconfig)
        for _ in range(options.rounds):
            found["bare pod"].append(one("bare", "", options, kubeconfig))
            for side, settings in kinds:
                taken = one(side, settings, options, kubeconfig)
                found.setdefault(f"{NAMES[side]}, {settings}", []).append(taken)
    print(f"{'seconds a step, chain of ' + str(options.steps):44} {'min':>6} {'median':>6} {'max':>6}   more than bare")
    bare = statistics.median(found["bare pod"])
    for name, times in found.items():
        median = statistics.median(times)
        print(f"{name:44} {min(times):6.2f} {median:6.2f} {max(times):6.2f}   {median - bare:+.2f} s, {median / bare:.1f} x")


NAMES = {
    "plain": "step that hands nothing on",
    "parameter": "step that hands a parameter on",
    "operator": "KubernetesPodOperator, LocalExecutor",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", default="sqlite", choices=["sqlite", "postgresql"])
    parser.add_argument("--sides", nargs="+", default=["bare", *NAMES], choices=["bare", *NAMES])
    parser.add_argument("--settings", nargs="+", default=["recommended", "defaults"], choices=["recommended", "defaults"])
    parser.add_argument("--without", nargs="*", default=[], choices=list(RECOMMENDED))
    for name in ("--home", "--url"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.home:
        print(deployed(options))
    elif why := database.missing(options.database):
        print(f"chain: nothing measured: {why}")
    else:
        measure(options)


if __name__ == "__main__":
    main()
