"""For people who write Python: a workflow as a DAG, or as one group inside a DAG of their own.

    dag = ArgoDag("train.yaml", schedule="@daily")

    with DAG("pipeline"):
        extract() >> ArgoTaskGroup("train.yaml", parameters={"epochs": "3"}) >> report()

In: a workflow file.  Out: airflow.sdk.DAG, airflow.sdk.TaskGroup. A file that is wrong raises SpecError: an import error.
Must not know: how plans are made.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, TaskGroup

from argo_yaml_provider.airflow.annotations import owner_of, with_annotations
from argo_yaml_provider.airflow.dags import add_tasks, build_child, dag_options, fill_dag
from argo_yaml_provider.airflow.envelope import Envelope, verdict_tasks
from argo_yaml_provider.airflow.load import dag_id_of
from argo_yaml_provider.airflow.settings import Settings, read_settings, with_default_args
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.plan.nodes import Plan


class ArgoDag(DAG):
    """A workflow as a DAG. `file` is looked for beside the file that says so; more keywords are those of DAG, and win."""

    def __init__(
        self, file: str | Path, dag_id: str | None = None, *, document: int = 0, entrypoint: str | None = None, **kwargs: Any
    ) -> None:
        path = _beside_caller(file)
        settings = read_settings()
        plan = _compile(path, document, entrypoint, settings)
        settings = with_annotations(settings, plan)
        params = kwargs.pop("params", {})
        kwargs["default_args"] = owner_of(plan) | (kwargs.get("default_args") or {})
        source = path.read_text(encoding="utf-8-sig")
        super().__init__(dag_id=dag_id or dag_id_of(plan), **{**dag_options(plan, settings, source), **kwargs})
        fill_dag(self, plan, settings, params)
        _register_children(plan, settings, self.dag_id, self.default_args)


class ArgoTaskGroup(TaskGroup):
    """A workflow as one group of the DAG around it: begins after what stands before the group, ends with its verdict."""

    def __init__(
        self,
        file: str | Path,
        group_id: str | None = None,
        *,
        parameters: Mapping[str, str] | None = None,
        document: int = 0,
        entrypoint: str | None = None,
        **kwargs: Any,
    ) -> None:
        settings = read_settings()
        plan = _compile(_beside_caller(file), document, entrypoint, settings)
        group_id = group_id or dag_id_of(plan).replace(".", "-")
        super().__init__(group_id=group_id, prefix_group_id=False, **{"group_display_name": plan.name, **kwargs})
        family = f"{self.dag.dag_id}.{self.group_id}"
        defaults = {**self.dag.default_args, **self.default_args}
        settings = with_default_args(settings, defaults)
        envelope = Envelope(
            plan=plan,
            pods=settings.pods,
            family=family,
            verdicts=verdict_tasks(plan),
            parameters=dict(parameters or {}),
            prefix=f"{self.group_id}.",
        )
        add_tasks(self.dag, envelope, settings, parent=self)
        _register_children(plan, settings, family, defaults)


def _beside_caller(file: str | Path) -> Path:
    """A relative path counts from the author's file: tasks run in other folders."""
    caller = sys._getframe(2).f_globals.get("__file__")  # noqa: SLF001 - the one way to know who calls
    return Path(file) if caller is None else Path(caller).parent / file


def _compile(path: Path, document: int, entrypoint: str | None, settings: Settings) -> Plan:
    from argo_yaml_provider.plan.compile import compile_file

    plans = compile_file(path, library_paths=settings.templates, document=document, entrypoint=entrypoint)
    if not plans:
        raise RunError(f"{path} has no entrypoint to run", "give it spec.entrypoint, or say entrypoint=…")
    return plans[0]


def _register_children(plan: Plan, settings: Settings, family: str, default_args: Mapping[str, Any]) -> None:
    """Child DAGs are no variables of the author's file; leaving a DAG's context is how Airflow finds such ones."""
    for key in plan.children:
        with build_child(plan, settings, family=family, key=key, default_args=default_args):
            pass
