"""A private Airflow of one command: a home in a temporary folder, its database copied from one that is migrated already.

In: a folder.  Out: environment variables and a database; nothing of the user's own Airflow is read or touched.
Must not know: workflows. Imports no Airflow: the variables must be set first.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

EXECUTOR = "argo_yaml_provider.airflow.executor.StepExecutor"
WORKERS = "argo_yaml_provider.airflow.run_hosts.RunWorkers"


_KEPT = ("AIRFLOW__ARGO_YAML__", "AIRFLOW__METRICS__")
"""What a run of its own takes over of the deployment around it."""


def cache_folder() -> Path:
    """Where things that are costly to make are kept between commands."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "argo-yaml"


def template_folder(tell: Callable[[str], None]) -> Path:
    """A home with a migrated database and a written airflow.cfg, made once for each version of Airflow."""
    folder = cache_folder() / f"airflow-{version('apache-airflow')}"
    if (folder / "airflow.db").exists():
        return folder
    tell("preparing Airflow's database (once for each version of Airflow)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as making:
        made = Path(making) / "home"
        made.mkdir()
        subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env={**_without_airflow(os.environ), **_variables(made)},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        shutil.rmtree(made / "logs", ignore_errors=True)
        try:
            made.rename(folder)
        except OSError:
            # Another command has made it meanwhile.
            if not (folder / "airflow.db").exists():
                raise
    return folder


def enter_home(home: Path, tell: Callable[[str], None], execution: str = "executor") -> None:
    """Make `home` this process's Airflow; one that has a database goes on with it. Must come before Airflow's import."""
    if not (home / "airflow.db").exists():
        _furnish(home, template_folder(tell))
    for name in [name for name in os.environ if name.startswith("AIRFLOW__") and not name.startswith(_KEPT)]:
        del os.environ[name]
    os.environ.update(_variables(home))
    if execution != "executor":
        os.environ.update(_of_workers(home, execution))


def _furnish(home: Path, template: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    for name in ("airflow.db", "airflow.cfg"):
        if (template / name).exists():
            shutil.copyfile(template / name, home / name)
    (home / "airflow.db").chmod(0o600)
    connection = sqlite3.connect(home / "airflow.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _without_airflow(environment: os._Environ[str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("AIRFLOW__")}


def _variables(home: Path) -> dict[str, str]:
    """What differs from Airflow's defaults, and why."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS": "argo_yaml_provider.airflow.home.CONNECT_ARGS",
        "AIRFLOW__CORE__EXECUTOR": EXECUTOR,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__MAX_MAP_LENGTH": "1000000",
        "AIRFLOW__CORE__PARALLELISM": "100000",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "100000",
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        # Nothing is scheduled by time here, and nobody else shares the database.
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "AIRFLOW__SCHEDULER__USE_ROW_LEVEL_LOCKING": "False",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0",
        "AIRFLOW__SCHEDULER__MAX_TIS_PER_QUERY": "1000",
        "AIRFLOW__SCHEDULER__MAX_DAGRUNS_PER_LOOP_TO_SCHEDULE": "1000",
        "AIRFLOW__SCHEDULER__MAX_DAGRUNS_TO_CREATE_PER_LOOP": "1000",
        "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "86400",
    }


def _of_workers(home: Path, execution: str) -> dict[str, str]:
    """What workers need beyond that: they read DAGs from a file."""
    bundle = {
        "name": "argo-yaml",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(home / "dags")},
    }
    return {
        "AIRFLOW__CORE__EXECUTOR": WORKERS,
        "AIRFLOW__ARGO_YAML__EXECUTION": execution,
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_ENABLED": "False",
    }


CONNECT_ARGS = {"timeout": 60}
"""SQLite waits so many seconds for its one writer."""
