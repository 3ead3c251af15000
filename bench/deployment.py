"""An Airflow as people deploy it, for benches: a scheduler process, an API server and a triggerer where tasks need them.

In: a folder, a database, options.  Out: DAG runs to their end; when each of their tasks began and ended.
`enter` must come before Airflow's first import, so each measurement is a process of its own.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from argo_yaml_provider.airflow.run import BUNDLE
from bench import database

STEPS = "argo_yaml_provider.airflow.executor.StepExecutor"


def enter(home: Path, url: str, options: dict[str, str]) -> None:
    """Make this process, and those it starts, a part of the deployment."""
    from argo_yaml_provider.airflow.home import template_folder

    (home / "dags").mkdir(parents=True)
    if not url:
        shutil.copyfile(template_folder(lambda _: None) / "airflow.db", home / "airflow.db")
        with sqlite3.connect(home / "airflow.db") as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    for name in [name for name in os.environ if name.startswith("AIRFLOW__")]:
        del os.environ[name]
    port = database.free_port()
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url or f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS": "" if url else "argo_yaml_provider.airflow.home.CONNECT_ARGS",
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "AIRFLOW__CORE__EXECUTOR": STEPS,
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(_bundles(home / "dags")),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        **options,
    }


def _bundles(folder: Path) -> list[dict[str, object]]:
    """Where workers find a Python DAG, and a workflow's."""
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    return [{"name": name, "classpath": local, "kwargs": {"path": str(folder)}} for name in ("dags-folder", BUNDLE)]


@contextmanager
def scheduler() -> Iterator[subprocess.Popen[bytes]]:
    """A scheduler, until the block ends."""
    with _process("scheduler", "--skip-serve-logs") as process:
        yield process


@contextmanager
def triggerer() -> Iterator[subprocess.Popen[bytes]]:
    """A triggerer, until the block ends."""
    with _process("triggerer", "--skip-serve-logs") as process:
        yield process


@contextmanager
def api_server() -> Iterator[subprocess.Popen[bytes]]:
    """What workers talk to, answering."""
    port = int(os.environ["AIRFLOW__API__PORT"])
    with _process("api-server", "--apps", "execution", "--port", str(port), "--workers", "1") as process:
        database.wait_for_port(port)
        yield process


@contextmanager
def _process(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, "-m", "airflow", *words], stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def add_workflow(text: str, kubeconfig: str, namespace: str, dag_id: str) -> None:
    """A workflow's DAG and a run of it."""
    from airflow.utils.session import create_session

    from argo_yaml_provider.airflow.run import write_dags
    from argo_yaml_provider.airflow.run_dags import write_loader
    from argo_yaml_provider.plan.compile import compile_text
    from argo_yaml_provider.pods.settings import PodSettings

    (plan,) = compile_text(text, file=f"{dag_id}.json")
    pods = PodSettings(config_file=kubeconfig, namespace=namespace)
    write_loader([(dag_id, plan)], pods)
    with create_session() as session:
        _add_bundle(session, BUNDLE)
        write_dags(session, plan, pods, dag_id)
    _add_run(dag_id)


def add_python(text: str, dag_id: str) -> None:
    """A DAG file's DAG and a run of it; workers parse the file."""
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.sdk import DAG
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    file = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]) / f"{dag_id}.py"
    file.write_text(text)
    space: dict[str, Any] = {"__name__": dag_id}
    exec(compile(text, file, "exec"), space)
    (dag,) = (value for value in space.values() if isinstance(value, DAG))
    dag.fileloc, dag.relative_fileloc = str(file), file.name
    with create_session() as session:
        _add_bundle(session, "dags-folder")
        lazy = LazyDeserializedDAG.from_dag(dag)
        SerializedDAG.bulk_write_to_db("dags-folder", None, [lazy], session=session)
        SerializedDagModel.write_dag(lazy, "dags-folder", session=session)
    _add_run(dag_id)


def _add_bundle(session: Any, name: str) -> None:
    from airflow.models.dagbundle import DagBundleModel

    if session.get(DagBundleModel, name) is None:
        session.add(DagBundleModel(name=name))
        session.flush()


def _add_run(dag_id: str) -> None:
    from airflow.utils.session import create_session

    from argo_yaml_provider.airflow.run import Request, Run, create_run
    from argo_yaml_provider.plan.compile import compile_text

    empty = '{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"}, "spec": {"entrypoint": "m",'
    (plan,) = compile_text(empty + ' "templates": [{"name": "m", "container": {"image": "busybox", "command": ["true"]}}]}}')
    with create_session() as session:
        create_run(session, Run(request=Request(name=dag_id, plan=plan), dag_id=dag_id, run_id="run-1"))


def wait_for_run(dag_id: str, seconds: float = 3600) -> str:
    """The run's state, once it is over."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with create_session() as session:
            state = str(session.scalar(select(DagRun.state).where(DagRun.dag_id == dag_id)))
        if state in ("success", "failed"):
            return state
        time.sleep(0.5)
    raise TimeoutError(f"{dag_id} goes on after {seconds:g} s")


def tasks_of(dag_id: str) -> list[tuple[str, str, datetime, datetime]]:
    """(task_id, state, started, ended) of the run's tasks that ran."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        columns = TaskInstance.task_id, TaskInstance.state, TaskInstance.start_date, TaskInstance.end_date
        rows = session.execute(select(*columns).where(TaskInstance.dag_id == dag_id, TaskInstance.start_date.is_not(None)))
        return [(str(row[0]), str(row[1]), row[2], row[3]) for row in rows]
