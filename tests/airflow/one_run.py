"""One workflow in an Airflow of its own, told of line by line; goes on with the home of one that was killed.

Usage: one_run.py FILE HOME KUBECONFIG NAMESPACE | one_run.py --clear|--fail HOME TASK | one_run.py --argo HOME COMMAND [WORD…]
| one_run.py --command HOME WORD… | one_run.py --delete HOME
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

OUT = os.fdopen(os.dup(1), "w")
"""What was standard output: from here on that is standard error, for whatever logs to it, here or in a child process."""


def main() -> None:
    if sys.argv[1] in ("--clear", "--fail"):
        change(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
        return
    if sys.argv[1] == "--argo":
        argo(Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
        return
    if sys.argv[1] == "--delete":
        delete(Path(sys.argv[2]))
        return
    if sys.argv[1] == "--command":
        enter(Path(sys.argv[2]))
        from argo_yaml_provider.cli import main as command

        command(sys.argv[3:])
        return
    file, home, kubeconfig, namespace = sys.argv[1:]
    os.dup2(2, 1)
    from argo_yaml_provider.airflow import run as runs
    from argo_yaml_provider.commands.run import apply_to
    from argo_yaml_provider.plan.compile import compile_file
    from argo_yaml_provider.pods.settings import PodSettings, folder_repository

    (plan,) = compile_file(file)
    request = runs.Request(name="wf", plan=plan)
    asyncio.run(apply_to(Path(kubeconfig), [], namespace))
    repository = folder_repository(Path(home) / "artifacts")
    pods = PodSettings(config_file=kubeconfig, namespace=namespace, artifact_repository=repository)
    fresh = not (Path(home) / "airflow.db").exists()
    said = json.loads(os.environ.get("ONE_RUN", "{}"))
    with_options(runs, said.get("options", {}), said.get("default_args", {}))
    with runs.airflow(Path(home), lambda _: None) as executor:

        def tell(seen: Sequence[runs.Run]) -> None:
            if executor.started:
                say({"phases": phases(seen[0]), "runner": executor.link.pid})

        if fresh:
            (run,) = runs.create_runs([request], pods, series="run")
        else:
            bury_the_dead()
            run = runs.Run(request=request, dag_id="wf", run_id="run-1")
        runs.finish_runs(executor, [run], tell, runs.Stop(timeout=300))
        say({"result": run.state, "phases": phases(run), "tries": tries(), "messages": messages(run)})


def with_options(runs: Any, options: dict[str, str], default_args: dict[str, Any]) -> None:
    """More of Airflow's own options, as environment variables; and a DAG author's `default_args`."""
    if not options and not default_args:
        return
    from argo_yaml_provider.airflow.home import enter_home

    def enter_with_options(*how: Any) -> None:
        enter_home(*how)
        os.environ.update(options)

    def write_with_arguments(*what: Any, **more: Any) -> None:
        from argo_yaml_provider.airflow import dags

        dags.build_dags = partial(dags.build_dags, default_args=arguments(default_args))
        write_dags(*what, **more)

    write_dags, runs.enter_home, runs.write_dags = runs.write_dags, enter_with_options, write_with_arguments


def arguments(said: dict[str, Any]) -> dict[str, Any]:
    """A timeout in seconds and outlets by name, as Airflow's own types."""
    from datetime import timedelta

    from airflow.sdk import Asset

    found: dict[str, Any] = {}
    if "execution_timeout" in said:
        found["execution_timeout"] = timedelta(seconds=said["execution_timeout"])
    if "outlets" in said:
        found["outlets"] = [Asset(name) for name in said["outlets"]]
    return found


def say(what: object) -> None:
    print(json.dumps(what), file=OUT, flush=True)


def phases(run: object) -> dict[str, str]:
    result = run.result  # type: ignore[attr-defined]
    return {node["name"].split(".")[-1] if "." in node["name"] else "wf": node["phase"] for node in result.get("nodes", ())}


def messages(run: object) -> dict[str, str]:
    """Of the nodes, and of the workflow under ''."""
    result = run.result  # type: ignore[attr-defined]
    return {"": result["message"]} | {
        node["name"].split(".")[-1]: node["message"] for node in result["nodes"] if node["message"]
    }


def tries() -> dict[str, int]:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return {row[0]: row[1] for row in session.execute(select(TaskInstance.task_id, TaskInstance.try_number))}


def bury_the_dead() -> None:
    """The killed scheduler's heartbeat is half a minute from being too old; a test need not wait for that."""
    from airflow.jobs.job import Job
    from airflow.utils.session import create_session
    from sqlalchemy import update

    with create_session() as session:
        session.execute(update(Job).values(state="failed"))


def argo(home: Path, verb: str, words: Sequence[str]) -> None:
    """As `airflow argo VERB` does."""
    enter(home)
    from argo_yaml_provider.cli import main as command

    command([verb, "wf", "run-1", *words])


def delete(home: Path) -> None:
    """The run, as a person does in the UI."""
    enter(home)
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        session.delete(session.scalar(select(DagRun).where(DagRun.run_id == "run-1")))


def enter(home: Path) -> None:
    """The Airflow of that home."""
    os.environ |= {"AIRFLOW_HOME": str(home), "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}"}
    os.environ |= {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS": "argo_yaml_provider.airflow.home.CONNECT_ARGS"}


def change(what: str, home: Path, task_id: str) -> None:
    """As a person does in the UI."""
    enter(home)
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState

    with create_session() as session:
        dag = SerializedDagModel.get_dag("wf", session=session)
        assert dag is not None
        if what == "--clear":
            dag.clear(task_ids=[task_id], run_id="run-1", session=session)
        else:
            dag.set_task_instance_state(task_id=task_id, run_id="run-1", state=TaskInstanceState.FAILED, session=session)


if __name__ == "__main__":
    main()
