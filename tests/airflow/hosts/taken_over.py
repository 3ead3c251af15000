"""Two steps in the triggerer, which is killed while their pods run: another must take them over; then a person fails one.

Usage: taken_over.py FILE HOME KUBECONFIG GATE. Prints JSON: what was seen. The step `gated` ends when GATE/open is there.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

OUT = os.fdopen(os.dup(1), "w")


def main() -> None:
    file, home, kubeconfig, gate = sys.argv[1:]
    os.dup2(2, 1)
    from argo_yaml_provider.airflow import run as runs
    from argo_yaml_provider.plan.compile import compile_file
    from argo_yaml_provider.pods.settings import PodSettings

    (plan,) = compile_file(file)
    seen: dict[str, Any] = {"pods": []}
    with runs.airflow(Path(home), lambda _: None, say_more, "triggerer") as executor, ExitStack() as more:

        def look(_: Sequence[runs.Run]) -> None:
            time.sleep(0.5)
            there, running = asyncio.run(pods(kubeconfig))
            seen["pods"] = sorted({*seen["pods"], *there})
            if running == 2 and "killed" not in seen:
                from argo_yaml_provider.airflow.run_hosts import triggerer

                seen["killed"] = kill_triggerer()
                more.enter_context(triggerer())
            if "killed" in seen and taken_over(Path(home)):
                (Path(gate) / "open").touch()
                fail("endless")

        (run,) = runs.create_runs([runs.Request(name="wf", plan=plan)], PodSettings(config_file=kubeconfig), series="run")
        runs.finish_runs(executor, [run], look, runs.Stop(timeout=300))
        until = time.monotonic() + 120
        while (left := asyncio.run(pods(kubeconfig))[0]) and time.monotonic() < until:
            time.sleep(0.5)
    phases = {node["displayName"]: node["phase"] for node in run.result["nodes"]}
    print(json.dumps({**seen, "phases": phases, "pods": len(seen["pods"]), "left": left}), file=OUT, flush=True)


def say_more() -> None:
    """A command's own Airflow logs errors only."""
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "INFO"


def fail(task_id: str) -> None:
    """As a person does in the UI."""
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState

    with create_session() as session:
        dag = SerializedDagModel.get_dag("gated", session=session)
        assert dag is not None
        dag.set_task_instance_state(task_id=task_id, run_id="run-1", state=TaskInstanceState.FAILED, session=session)


async def pods(kubeconfig: str) -> tuple[list[str], int]:
    """The uids of all pods, and how many of them run."""
    from argo_yaml_provider.step.kube import Kube

    kube = await Kube.open(kubeconfig)
    try:
        found = (await kube.call("GET", "/api/v1/namespaces/default/pods"))["items"]
    finally:
        await kube.close()
    return [one["metadata"]["uid"] for one in found], sum(one["status"].get("phase") == "Running" for one in found)


def kill_triggerer() -> int:
    """Its processes end as in a power cut; that its heartbeat is half a minute from being too old a test need not wait for."""
    import psutil
    from airflow.jobs.job import Job
    from airflow.utils.session import create_session
    from sqlalchemy import update
    from sqlalchemy.sql import func

    from argo_yaml_provider.airflow.run_hosts import TRIGGERER

    (supervisor,) = [psutil.Process(one.pid) for one in multiprocessing.active_children() if one.name == TRIGGERER]
    killed = [supervisor, *supervisor.children(recursive=True)]
    for one in killed:
        one.send_signal(signal.SIGKILL)
    with create_session() as session:
        session.execute(update(Job).where(Job.job_type == "TriggererJob").values(end_date=func.now()))
    return len(killed)


def taken_over(home: Path) -> bool:
    """Whether the logs of both steps say so."""
    return sum("found: going on with it" in log.read_text() for log in home.rglob("*.trigger.*.log")) == 2


if __name__ == "__main__":
    main()
