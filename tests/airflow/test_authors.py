from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from argo_yaml_provider.airflow import ArgoDag, ArgoTaskGroup
from argo_yaml_provider.airflow.envelope import envelope_of, find_envelope
from argo_yaml_provider.airflow.facts import run_facts
from argo_yaml_provider.diagnostics import SpecError

TWO = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: train}
spec:
  entrypoint: main
  arguments: {parameters: [{name: epochs, value: "1"}, {name: rate, value: "2"}]}
  templates:
    - name: main
      steps:
        - - {name: a, template: say}
        - - {name: b, template: say}
          - {name: c, template: say}
    - name: say
      container: {image: busybox, command: [echo, "{{workflow.parameters.epochs}}"]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "train.yaml"
    path.write_text(TWO)
    return path


def test_a_workflow_is_a_dag(file: Path) -> None:
    dag = ArgoDag(file, schedule="@daily", params={"rate": "7"})
    assert (dag.dag_id, dag.schedule, dict(dag.params)) == ("train", "@daily", {"epochs": "1", "rate": "7"})
    assert envelope_of(dag.tasks[0]).family == "train"


def test_a_workflow_is_a_group_of_somebodys_dag(file: Path) -> None:
    with DAG("pipeline", schedule=None) as dag:
        before, after = EmptyOperator(task_id="before"), EmptyOperator(task_id="after")
        before >> ArgoTaskGroup(file, parameters={"epochs": "3"}) >> after
    first, *_, last = (one for one in dag.tasks if one.task_id.startswith("train."))
    assert before.downstream_task_ids == {first.task_id}
    assert (first.trigger_rule, last.trigger_rule) == ("all_success", "all_done")
    assert after.upstream_task_ids == {last.task_id}


def test_each_task_of_two_groups_finds_its_own_plan(file: Path) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    with DAG("pipeline", schedule=None) as dag:
        ArgoTaskGroup(file, "left", parameters={"epochs": "3"}) >> ArgoTaskGroup(file, "right")
    data = DagSerialization.to_dict(dag)
    found = {one.task_id: find_envelope(data, one.task_id) for one in dag.tasks if hasattr(one, "argo_plan")}
    assert {(name.partition(".")[0], one.prefix, one.family) for name, one in found.items()} == {
        ("left", "left.", "pipeline.left"),
        ("right", "right.", "pipeline.right"),
    }


def test_a_group_takes_from_the_conf_what_its_workflow_declares_and_its_author_left_open(file: Path) -> None:
    with DAG("pipeline", schedule=None) as dag:
        ArgoTaskGroup(file, parameters={"epochs": "3"})
    envelope = envelope_of(dag.tasks[0])
    conf = {"epochs": "9", "rate": "8", "else": "1"}
    facts = run_facts(envelope, dag_id="pipeline", run_id="r", conf=conf, run_after=datetime(2026, 1, 1, tzinfo=UTC))
    assert facts.parameters == {"epochs": "3", "rate": "8"}


def test_a_wrong_file_is_an_import_error_of_the_authors_file(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(TWO.replace("entrypoint: main", "entrypoint: mian"))
    with pytest.raises(SpecError):
        ArgoDag(path)


def test_a_relative_path_counts_from_the_authors_file(file: Path) -> None:
    code = "from argo_yaml_provider.airflow import ArgoDag\ndag = ArgoDag('train.yaml')\n"
    names: dict[str, object] = {"__file__": str(file.parent / "author.py")}
    exec(compile(code, "author.py", "exec"), names)
    assert names["dag"].dag_id == "train"  # type: ignore[attr-defined]
