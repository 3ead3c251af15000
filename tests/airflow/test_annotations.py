from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import DAG

from argo_yaml_provider.airflow.dags import build_dags
from argo_yaml_provider.airflow.settings import Settings
from argo_yaml_provider.plan.compile import compile_text

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: annotated
  annotations:
    argo-yaml/max-active-runs: "2"
    argo-yaml/tags: team-a, nightly
    argo-yaml/owner: ada
    argo-yaml/pool: small
    argo-yaml/assets: sales, s3://bucket/table
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: again, template: main, when: "1 == 2"}
      - {name: leaf, template: leaf}
  - name: leaf
    metadata: {annotations: {argo-yaml/publishes: "s3://bucket/model, report, {{workflow.name}}"}}
    container: {image: busybox}
"""


@pytest.fixture
def dags() -> tuple[DAG, ...]:
    (plan,) = compile_text(WORKFLOW)
    return build_dags(plan, Settings(), dag_id=plan.name)


def test_annotations_say_what_becomes_of_the_dag(dags: tuple[DAG, ...]) -> None:
    dag = dags[0]
    assert (dag.max_active_runs, set(dag.tags)) == (2, {"argo", "team-a", "nightly"})
    condition: Any = dag.timetable.asset_condition
    assert {asset.name for asset in condition.objects} == {"sales", "s3://bucket/table"}


def test_children_have_the_same_owner_tags_and_pool(dags: tuple[DAG, ...]) -> None:
    assert len(dags) == 2
    for dag in dags:
        steps = [task for task in dag.tasks if task.task_id.endswith("leaf")]
        assert [(step.owner, step.pool) for step in steps] == [("ada", "small")]
        assert {"team-a", "nightly"} <= set(dag.tags)


def test_a_step_publishes_what_its_template_says(dags: tuple[DAG, ...]) -> None:
    outlets = {task.task_id: [outlet.name for outlet in task.outlets] for task in dags[0].tasks}
    assert {name: found for name, found in outlets.items() if found} == {"leaf": ["s3://bucket/model", "report"]}


def test_what_the_loader_says_wins() -> None:
    (plan,) = compile_text(WORKFLOW)
    (dag, _) = build_dags(plan, Settings(), dag_id=plan.name, default_args={"owner": "bob"}, max_active_runs=7, schedule=None)
    assert dag.max_active_runs == 7
    assert dag.schedule is None
    assert {task.owner for task in dag.tasks} == {"bob"}
