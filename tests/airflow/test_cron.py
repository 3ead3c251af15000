from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pendulum
import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction

from argo_yaml_provider.airflow.dags import build_dags
from argo_yaml_provider.airflow.settings import Settings
from argo_yaml_provider.airflow.timetables import CronWorkflowTimetable
from argo_yaml_provider.diagnostics import SpecError
from argo_yaml_provider.plan.compile import compile_text
from argo_yaml_provider.plan.serialize import dumps, loads

HEAD = """
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata:
  name: nightly
"""
TAIL = """
  schedules: ["30 6 * * 1-5", "CRON_TZ=America/New_York @daily"]
  timezone: Europe/Berlin
  startingDeadlineSeconds: 600
  successfulJobsHistoryLimit: 4
  workflowMetadata:
    labels: {team: data}
  workflowSpec:
    entrypoint: main
    templates:
    - name: main
      container: {image: busybox, command: [echo], args: ["{{workflow.scheduledTime}}"]}
"""


def dag_of(text: str) -> DAG:
    (plan,) = compile_text(text)
    return build_dags(loads(dumps(plan)), Settings(), dag_id=plan.name)[0]


def test_a_cron_workflow_is_a_dag_with_its_schedules() -> None:
    dag = dag_of(f"{HEAD}spec:{TAIL}")
    timetable = CronWorkflowTimetable(
        ("30 6 * * 1-5", "CRON_TZ=America/New_York @daily"), timezone="Europe/Berlin", deadline=600
    )
    assert (dag.dag_id, dag.timetable, dag.catchup, dag.max_active_runs) == ("nightly", timetable, False, 1000)


def test_the_runs_are_a_workflow_with_the_metadata_of_workflow_metadata() -> None:
    (plan,) = compile_text(f"{HEAD}spec:{TAIL}")
    assert plan.workflow["metadata"] == {
        "generateName": "nightly-",
        "labels": {"team": "data", "workflows.argoproj.io/cron-workflow": "nightly"},
        "annotations": {},
    }


def test_a_suspended_one_has_no_schedule() -> None:
    assert dag_of(f"{HEAD}spec:\n  suspend: true{TAIL}").schedule is None


def test_annotations_set_catchup_start_date_and_runs_at_a_time() -> None:
    annotations = (
        "  annotations: {argo-yaml/catchup: 'true', argo-yaml/start-date: '2026-03-01', argo-yaml/max-active-runs: '2'}"
    )
    dag = dag_of(f"{HEAD}{annotations}\nspec:{TAIL}")
    assert (dag.catchup, dag.start_date, dag.max_active_runs) == (True, datetime(2026, 3, 1, tzinfo=UTC), 2)


def test_an_annotation_that_cannot_be_read_is_refused_where_it_stands() -> None:
    with pytest.raises(SpecError) as caught:
        compile_text(f"{HEAD}  annotations: {{argo-yaml/start-date: soon}}\nspec:{TAIL}")
    assert str(caught.value).splitlines()[0] == (
        '<text>:6:39: "soon" is nothing that argo-yaml/start-date may say [bad-annotation]'
    )


def test_what_airflow_stores_of_it_gives_the_slots_of_a_backfill() -> None:
    stored = DagSerialization.from_dict(DagSerialization.to_dict(dag_of(f"{HEAD}spec:{TAIL}")))
    infos = stored.iter_dagrun_infos_between(pendulum.datetime(2026, 3, 6), pendulum.datetime(2026, 3, 9, 12))
    want = [
        "2026-03-06T05:00",
        "2026-03-06T05:30",
        "2026-03-07T05:00",
        "2026-03-08T05:00",
        "2026-03-09T04:00",
        "2026-03-09T05:30",
    ]
    assert [info.logical_date.strftime("%Y-%m-%dT%H:%M") for info in infos if info.logical_date] == want


def next_slot(timetable: CronWorkflowTimetable, last: timedelta | None, **restriction: object) -> DagRunInfo | None:
    """The next run of a DAG whose last run was so long ago."""
    ran = DataInterval.exact(pendulum.now("UTC") - last) if last else None
    given = {"earliest": None, "latest": None, "catchup": False, **restriction}
    return timetable.next_dagrun_info(last_automated_data_interval=ran, restriction=TimeRestriction(**given))  # type: ignore[arg-type]


def missed(deadline: int) -> bool:
    """Whether a slot of some minutes ago is made up for, of two that were missed."""
    slot = pendulum.now("UTC").subtract(minutes=5).start_of("minute")
    timetable = CronWorkflowTimetable((f"{slot.minute} * * * *",), deadline=deadline)
    info = next_slot(timetable, timedelta(hours=2, minutes=30))
    assert info in (DagRunInfo.exact(slot), DagRunInfo.exact(slot.add(hours=1)))
    return info == DagRunInfo.exact(slot)


def test_only_the_latest_missed_slot_is_made_up_for_within_the_deadline() -> None:
    assert (missed(0), missed(120), missed(3600), missed(86_400)) == (False, False, True, True)


def test_a_run_starts_at_its_slot_not_an_interval_later() -> None:
    start = pendulum.datetime(2090, 1, 1, 6, 30)
    info = next_slot(CronWorkflowTimetable(("30 6 * * *",)), None, earliest=start)
    assert info == DagRunInfo.exact(start)
    assert info is not None
    assert (info.run_after, info.logical_date, info.data_interval) == (start, start, DataInterval.exact(start))
