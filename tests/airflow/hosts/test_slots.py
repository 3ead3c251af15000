"""What a worker is told of the other runs of its CronWorkflow, against what the tables say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from argo_yaml_provider.airflow.history import read_history
from argo_yaml_provider.airflow.hosts.slots import read_slots
from argo_yaml_provider.plan.compile import compile_text
from argo_yaml_provider.plan.names import START

CRON = """
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: nightly}
spec:
  schedules: ["@daily"]
  concurrencyPolicy: Forbid
  workflowSpec:
    entrypoint: main
    templates:
    - name: main
      suspend: {duration: 1ms}
"""
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
RUNS = ("success", "failed", "skipped", "running", "success", "skipped")
"""What became of each day; the seventh asks."""


def put(session: Any, number: int, state: str) -> str:
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.types import DagRunTriggeredByType, DagRunType
    from sqlalchemy import update

    slot = FIRST + timedelta(days=number)
    dag = SerializedDagModel.get_dag("nightly", session=session)
    assert dag is not None
    run = dag.create_dagrun(
        run_id=f"scheduled__{slot.isoformat()}",
        run_after=slot,
        logical_date=slot,
        data_interval=(slot, slot),
        run_type=DagRunType.SCHEDULED,
        triggered_by=DagRunTriggeredByType.TIMETABLE,
        state="success" if state == "skipped" else state,
        session=session,
    )
    start = "skipped" if state == "skipped" else "success"
    session.execute(
        update(TaskInstance).where(TaskInstance.run_id == run.run_id, TaskInstance.task_id == START).values(state=start)
    )
    return str(run.run_id)


def send(client: Any, message: Any) -> Any:
    """As Airflow's supervisor answers a task."""
    from airflow.sdk.execution_time import request_handlers as handlers

    answers = {
        "GetPreviousDagRun": handlers.handle_get_previous_dag_run,
        "GetDRCount": handlers.handle_get_dr_count,
        "GetTICount": handlers.handle_get_ti_count,
    }
    return answers[message.type](client, message)[0]


def test_a_worker_is_told_the_same_as_the_executor(airflow_db: Path) -> None:
    from airflow.models.dagbundle import DagBundleModel
    from airflow.sdk.execution_time.supervisor import InProcessTestSupervisor
    from airflow.utils.session import create_session

    from tests.airflow.cron_runs import write_dag

    (plan,) = compile_text(CRON)
    with create_session() as session:
        session.add(DagBundleModel(name="argo-yaml"))
        session.flush()
        write_dag(session, plan, "", {})
        session.flush()
        for number, state in enumerate(RUNS):
            put(session, number, state)
        own = put(session, len(RUNS), "running")
        session.commit()
        history = read_history(session, "nightly", own)
    assert history is not None
    client = InProcessTestSupervisor._api_client()
    found = read_slots(lambda message: send(client, message), "nightly", FIRST + timedelta(days=len(RUNS)))
    assert history.active == (f"scheduled__{(FIRST + timedelta(days=3)).isoformat()}",)
    assert sorted(history.ended) == [False, True, True]
    assert history.last == FIRST + timedelta(days=4)
    assert replace(found, ended=tuple(sorted(found.ended))) == replace(history, ended=tuple(sorted(history.ended)))
