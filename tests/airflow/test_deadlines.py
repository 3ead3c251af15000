"""Deadlines by annotation, in a real database: from the YAML to what is called for a run that is late."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.airflow.dags import build_dags
from argo_yaml_provider.airflow.load import folder_dags
from argo_yaml_provider.airflow.settings import Settings
from argo_yaml_provider.plan.compile import compile_text
from tests.airflow.deployment import deploy

CALLBACKS = "AIRFLOW__ARGO_YAML__DEADLINE_CALLBACKS"
HERE = "tests.airflow.test_deadlines"
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: slow
  annotations: {argo-yaml/deadline: "30m"}
spec:
  entrypoint: main
  templates: [{name: main, container: {image: busybox}}]
"""
NAMED = WORKFLOW.replace('"30m"', '"90", argo-yaml/deadline-callback: page')
called: list[Any] = []


async def page(context: dict[str, Any], room: str = "") -> None:
    called.append((context["dag_run"]["dag_id"], room))


def note() -> None:
    """Not asynchronous."""


def alert_of(text: str) -> Any:
    (plan,) = compile_text(text)
    (dag,) = build_dags(plan, Settings(), dag_id=plan.name)
    (deadline,) = dag.deadline
    return deadline


def configure(monkeypatch: pytest.MonkeyPatch, **callbacks: Any) -> None:
    monkeypatch.setenv(CALLBACKS, json.dumps(callbacks))


def test_a_deadline_counts_from_when_a_run_is_queued_and_is_logged() -> None:
    alert = alert_of(WORKFLOW)
    assert (alert.interval, alert.reference.reference_name) == (timedelta(minutes=30), "DagRunQueuedAtDeadline")
    assert alert.callback.path == "argo_yaml_provider.airflow.deadlines.tell_late"


@pytest.mark.parametrize(
    ("text", "callbacks", "want"),
    [
        pytest.param(WORKFLOW, {"default": f"{HERE}.page"}, ("AsyncCallback", f"{HERE}.page", {}), id="the-default"),
        pytest.param(
            NAMED,
            {"default": f"{HERE}.note", "page": {"path": f"{HERE}.page", "kwargs": {"room": "r"}}},
            ("AsyncCallback", f"{HERE}.page", {"room": "r"}),
            id="by-name",
        ),
        pytest.param(NAMED, {"page": f"{HERE}.note"}, ("SyncCallback", f"{HERE}.note", {}), id="in-the-executor"),
        pytest.param(
            NAMED,
            {"page": "airflow.sdk.bases.notifier.BaseNotifier"},
            ("AsyncCallback", "airflow.sdk.bases.notifier.BaseNotifier", {}),
            id="a-notifier",
        ),
    ],
)
def test_what_is_called_the_deployment_says(
    text: str, callbacks: dict[str, Any], want: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "LocalExecutor,argo_yaml_provider.airflow.executor.StepExecutor")
    configure(monkeypatch, **callbacks)
    callback = alert_of(text).callback
    assert (type(callback).__name__, callback.path, callback.kwargs) == want


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        pytest.param({}, "argo-yaml/deadline-callback = page: [argo_yaml] deadline_callbacks has no callbacks", id="none"),
        pytest.param(
            {"mail": f"{HERE}.page", "default": f"{HERE}.page"},
            "argo-yaml/deadline-callback = page: [argo_yaml] deadline_callbacks has default, mail",
            id="not-that-one",
        ),
        pytest.param(
            {"page": f"{HERE}.nobody"},
            f"[argo_yaml] deadline_callbacks: {HERE}.nobody cannot be imported: module '{HERE}' has no attribute 'nobody'",
            id="not-there",
        ),
        pytest.param(
            {"page": {"paht": "a.b"}},
            '[argo_yaml] deadline_callbacks: page is neither an import path nor {"path": "…", "kwargs": {…}}',
            id="shaped-otherwise",
        ),
        pytest.param(
            {"page": f"{HERE}.note"},
            f"[argo_yaml] deadline_callbacks: {HERE}.note is no `async def`, and "
            "argo_yaml_provider.airflow.executor.StepExecutor, the first of [core] executor, runs steps only",
            id="nobody-calls-it",
        ),
    ],
)
def test_what_the_deployment_has_not_is_the_workflows_error_alone(
    callbacks: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "argo_yaml_provider.airflow.executor.StepExecutor")
    configure(monkeypatch, **callbacks)
    (tmp_path / "slow.yaml").write_text(NAMED)
    assert descriptions(tmp_path, monkeypatch) == {"other": None, "slow": f"slow.yaml: {message}"}


def test_an_executor_that_the_deployment_has_not_is_the_workflows_error_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "LocalExecutor")
    (tmp_path / "slow.yaml").write_text(WORKFLOW.replace('deadline: "30m"', "execution: executor"))
    told = descriptions(tmp_path, monkeypatch)
    assert told["other"] is None
    assert told["slow"].startswith("slow.yaml: the annotation argo-yaml/execution of slow = executor, but [core] executor does")


def descriptions(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the DAGs of the folder say, beside one that is in order."""
    monkeypatch.setenv("AIRFLOW__ARGO_YAML__CACHE_DIR", str(folder / "cache"))
    (folder / "other.yaml").write_text(WORKFLOW.replace("name: slow", "name: other"))
    return {dag.dag_id: dag.description for dag in folder_dags(folder)}


def test_a_workflow_cannot_name_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "evil_module.py").write_text("raise SystemExit('imported')")
    with pytest.raises(ValueError, match=r"deadline_callbacks has no callbacks"):
        alert_of(NAMED.replace("callback: page", "callback: evil_module.run"))


def miss(dag_id: str) -> Any:
    """The deadline of the DAG's run, as the scheduler handles one that is missed; what the triggerer is to run."""
    from airflow.models.deadline import Deadline
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        (deadline,) = session.scalars(select(Deadline))
        run = deadline.dagrun
        assert (run.dag_id, deadline.deadline_time - run.queued_at) == (dag_id, timedelta(minutes=30))
        deadline.handle_miss(session)
        session.flush()
        return deadline.callback.trigger.classpath, deadline.callback.trigger.kwargs


async def run_callback(classpath: str, kwargs: dict[str, Any]) -> list[Any]:
    from airflow._shared.module_loading import import_string

    return [event.payload["state"] async for event in import_string(classpath)(**kwargs).run()]


@pytest.mark.parametrize("configured", [False, True])
async def test_a_run_that_is_late_is_told(
    airflow_db: Path, tmp_path: Path, configured: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.models.dag_version import DagVersion
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunTriggeredByType
    from sqlalchemy import func, select

    if configured:
        configure(monkeypatch, default={"path": f"{HERE}.page", "kwargs": {"room": "data"}})
    (tmp_path / "slow.yaml").write_text(WORKFLOW)
    assert deploy(tmp_path) == deploy(tmp_path) == ["slow"]
    with create_session() as session:
        assert session.scalar(select(func.count(DagVersion.id))) == 1  # a deadline makes no new version at each parse
        trigger_dag(dag_id="slow", triggered_by=DagRunTriggeredByType.CLI, run_id="late", session=session)
    caplog.set_level(logging.WARNING)
    called.clear()
    assert await run_callback(*miss("slow")) == ["running", "success"]
    told = [record.getMessage() for record in caplog.records if record.name == "argo_yaml_provider.airflow.deadlines"]
    assert called == ([("slow", "data")] if configured else [])
    assert [text.partition(", ")[0] for text in told] == (
        [] if configured else ["run late of slow is not over at its deadline"]
    )
