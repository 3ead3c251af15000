"""kill -9, again and again, in the middle of a workflow: how it ends, pods per attempt, and the time to be back at work.

Usage: python bench/kills.py [--victims runner scheduler apiserver triggerer] [--kills 10] [--steps 100] [--every 12]
                             [--parallelism 4] [--schedulers 1] [--kubeconfig FILE --namespace NAME]
                             [--database sqlite|postgresql]

Without --kubeconfig: an embedded Kubernetes. The recommended settings. A watch of this bench's own counts pods: their names are
those of attempts, so one with two uids would be a pod too many. Back at work: until the next is created; with four pods of
five seconds at once there is always one due, and the steps last for ten kills. A runner that dies before it has been at work
for ten seconds is replaced later and later, so each kill waits a little longer than that.
Steps run where the victim matters: for the triggerer, in it; for the API server, in workers of a LocalExecutor, the only host
that asks it anything. Whatever is killed is started again at once, as an init system would; the runner, by its scheduler.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from argo_yaml_provider.airflow.recommended import as_environment, recommended_environment
from argo_yaml_provider.local import EmbeddedKubernetes
from bench import database, deployment

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: kills}}
spec:
  entrypoint: main
  parallelism: {parallelism}
  arguments: {{parameters: [{{name: steps, value: "{steps}"}}]}}
  templates:
  - name: main
    steps: [[{{name: work, template: work, withSequence: {{count: "{{{{workflow.parameters.steps}}}}"}}}}]]
  - name: work
    container: {{image: busybox, command: [sleep, "5"]}}
"""


Start = Callable[[], AbstractContextManager["subprocess.Popen[bytes]"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """Whom to kill, in which deployment."""

    start: Start | None = None
    """How it is started; None: it is the scheduler's child."""
    beside: tuple[Start, ...] = ()
    """What else runs."""
    options: dict[str, str] = field(default_factory=dict)


def without_executor(execution: str) -> dict[str, str]:
    """Steps run elsewhere, and nothing waits in the scheduler's place."""
    mine = {"core.executor": "LocalExecutor", "argo_yaml.execution": execution}
    return {**mine, "scheduler.scheduler_idle_sleep_time": "1"}


VICTIMS = {
    "runner": Victim(beside=(deployment.scheduler,)),
    "scheduler": Victim(start=deployment.scheduler),
    "apiserver": Victim(start=deployment.api_server, beside=(deployment.scheduler,), options=without_executor("worker")),
    "triggerer": Victim(start=deployment.triggerer, beside=(deployment.scheduler,), options=without_executor("triggerer")),
}


UNDER_WAY = 2.0
"""Seconds after a kill in which a pod may still show up that was asked for before it."""


class PodCount:
    """Every pod that is created in a namespace, seen by a watch in a thread."""

    def __init__(self, kubeconfig: str, namespace: str) -> None:
        self.uids: dict[str, set[str]] = {}
        self.created: list[float] = []
        self._where = kubeconfig, namespace
        threading.Thread(target=lambda: asyncio.run(self._watch()), daemon=True).start()

    async def _watch(self) -> None:
        from kubernetes_asyncio import client, config, watch

        kubeconfig, namespace = self._where
        await config.load_kube_config(config_file=kubeconfig)
        async with client.ApiClient() as api:
            pods = client.CoreV1Api(api)
            while True:
                try:
                    async for event in watch.Watch().stream(pods.list_namespaced_pod, namespace, timeout_seconds=300):
                        self._see(event["raw_object"]["metadata"])
                except Exception as error:  # noqa: BLE001 - a watch may end at any time
                    print(f"kills: the watch begins anew: {type(error).__name__}", file=sys.stderr)
                    await asyncio.sleep(1)

    def _see(self, metadata: dict[str, Any]) -> None:
        uids = self.uids.setdefault(metadata["name"], set())
        if metadata["uid"] not in uids:
            uids.add(metadata["uid"])
            self.created.append(time.monotonic())

    def after(self, moment: float) -> float | None:
        """When the first pod was created that was not under way by then."""
        return next((when for when in self.created if when > moment + UNDER_WAY), None)


def runner_pid() -> int | None:
    """The process that runs steps, as their rows say."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return session.scalar(select(TaskInstance.pid).where(TaskInstance.state == "running").limit(1))


def run_state(dag_id: str) -> str:
    """Of its only run."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return str(session.scalar(select(DagRun.state).where(DagRun.dag_id == dag_id)))


class Deployment:
    """The victim and what runs beside it."""

    def __init__(self, victim: Victim, count: int, stack: ExitStack) -> None:
        self._victim, self._stack = victim, stack
        self._running = [stack.enter_context(victim.start()) for _ in range(count)] if victim.start else []
        for start in victim.beside:
            stack.enter_context(start())

    def kill(self) -> float | None:
        """When it was killed, if there was anyone to kill."""
        pid = self._running[0].pid if self._running else runner_pid()
        if pid is None:
            return None
        killed = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        if self._victim.start:
            self._running.pop(0).wait()
            self._running.append(self._stack.enter_context(self._victim.start()))
        return killed


def killed(name: str, options: argparse.Namespace) -> None:
    """One workflow in this process's Airflow, its victim killed now and then."""
    victim = VICTIMS[name]
    deployment.enter(Path(options.home), options.url, recommended_environment() | as_environment(victim.options))
    text = WORKFLOW.format(steps=options.steps, parallelism=options.parallelism)
    deployment.add_workflow(text, options.kubeconfig, options.namespace, "kills")
    count = PodCount(options.kubeconfig, options.namespace)
    kills: list[float] = []
    with ExitStack() as stack:
        running = Deployment(victim, options.schedulers if name == "scheduler" else 1, stack)
        while not count.created:
            time.sleep(0.2)
        while (state := run_state("kills")) not in ("success", "failed"):
            since = count.after(kills[-1]) if kills else count.created[0]
            due = since is not None and time.monotonic() - since > options.every
            if len(kills) < options.kills and due and (moment := running.kill()):
                kills.append(moment)
            time.sleep(0.2)
    report(name, options, state, count, kills)


def report(victim: str, options: argparse.Namespace, state: str, count: PodCount, kills: list[float]) -> None:
    """One line a victim."""
    tasks = [task for task in deployment.tasks_of("kills") if task[0] == "work"]
    good = sum(task[1] == "success" for task in tasks)
    twice = {name: len(uids) for name, uids in count.uids.items() if len(uids) != 1}
    back = sorted(found - moment for moment in kills if (found := count.after(moment)) is not None)
    waited = f"min {back[0]:.1f}, median {statistics.median(back):.1f}, max {back[-1]:.1f}" if back else "never"
    print(
        f"{victim}: killed {len(kills)} times; run {state}, {good} of {options.steps} steps succeeded; "
        f"{len(count.uids)} attempts with one pod each{f', but {twice}' if twice else ''}; back at work after s: {waited}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--victims", nargs="+", default=list(VICTIMS), choices=list(VICTIMS))
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--every", type=float, default=12.0, help="seconds of work before the next kill, at least")
    parser.add_argument("--parallelism", type=int, default=4, help="pods at once")
    parser.add_argument("--schedulers", type=int, default=1, help="at once; more than one needs PostgreSQL")
    parser.add_argument("--kubeconfig")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--database", default="sqlite", choices=["sqlite", "postgresql"])
    for name in ("--home", "--url"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.home:
        killed(options.victims[0], options)
        return
    if why := database.missing(options.database):
        print(f"kills: nothing measured: {why}")
        return
    with ExitStack() as stack:
        kubeconfig = options.kubeconfig or str(stack.enter_context(EmbeddedKubernetes()).kubeconfig)
        for victim in options.victims:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = stack.enter_context(database.fresh(options.database))
            command = [sys.executable, __file__, "--home", folder + "/home", "--url", url, "--kubeconfig", kubeconfig]
            command += ["--namespace", options.namespace, "--victims", victim, "--kills", str(options.kills)]
            command += ["--steps", str(options.steps), "--every", str(options.every)]
            command += ["--parallelism", str(options.parallelism), "--schedulers", str(options.schedulers)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
