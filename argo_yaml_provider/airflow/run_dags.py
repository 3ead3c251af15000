"""The DAGs of `argo-yaml run`, and the file that workers parse to find them, where steps run in workers or a triggerer.

In: plans by their dag_id.  Out: DAGs; a file in the home's dags folder.
Must not know: who runs them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.settings import Execution, Settings, executor_configured, option
from argo_yaml_provider.plan.nodes import Plan
from argo_yaml_provider.pods.settings import PodSettings

if TYPE_CHECKING:
    from airflow.sdk import DAG

LOADER = "workflows.py"
_INDEX = "workflows.json"
_LOADER_TEXT = """\
# What workers of `argo-yaml run` read as an Airflow DAG file.
from argo_yaml_provider.airflow.run_dags import load_written

load_written(globals())
"""


def run_settings(pods: PodSettings) -> Settings:
    """Of the private Airflow: one kind of host, whatever an annotation says."""
    execution = Execution.EXECUTOR if executor_configured() else Execution(option("execution") or "")
    return Settings(pods=pods, execution=execution, fixed=True, workers=execution is not Execution.EXECUTOR)


def run_dags(plan: Plan, settings: Settings, dag_id: str) -> Iterator[DAG]:
    """The plan's DAG and those of its child plans; for workers, said to be from the file that they parse."""
    from argo_yaml_provider.airflow.dags import build_dags

    for dag in build_dags(plan, settings, dag_id=dag_id):
        if settings.workers:
            dag.fileloc, dag.relative_fileloc = str(_folder() / LOADER), LOADER
        yield dag


def write_loader(plans: Sequence[tuple[str, Plan]], pods: PodSettings) -> None:
    """The DAG file that workers parse, and what it reads."""
    from argo_yaml_provider.plan.serialize import dumps

    folder = _folder()
    folder.mkdir(exist_ok=True)
    written = {"pods": asdict(pods), "plans": {dag_id: dumps(plan) for dag_id, plan in plans}}
    (folder / _INDEX).write_text(json.dumps(written), encoding="utf-8")
    (folder / LOADER).write_text(_LOADER_TEXT, encoding="utf-8")


def load_written(namespace: MutableMapping[str, Any]) -> None:
    """The DAG that is asked for."""
    from airflow.sdk import get_parsing_context

    from argo_yaml_provider.plan.serialize import loads

    written = json.loads((_folder() / _INDEX).read_text(encoding="utf-8"))
    settings = run_settings(PodSettings(**written["pods"]))
    wanted = get_parsing_context().dag_id
    for dag_id, text in written["plans"].items():
        if wanted is None or wanted == dag_id or wanted.startswith(f"{dag_id}."):
            namespace.update({dag.dag_id: dag for dag in run_dags(loads(text), settings, dag_id)})


def _folder() -> Path:
    return Path(os.environ["AIRFLOW_HOME"]) / "dags"
