"""Templates that are deployed, and runs of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from argo_yaml_provider.cli import main
from tests.airflow.deployment import deploy

BUILD = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  entrypoint: main
  arguments:
    parameters:
      - {name: branch, value: main, description: What is built.}
      - {name: level, value: low, enum: [low, high]}
      - {name: tag}
  templates:
    - name: main
      container: {image: busybox, command: [echo], args: ["{{workflow.parameters.branch}}", "MESSAGE"]}
"""
SHARED = BUILD.replace("kind: WorkflowTemplate", "kind: ClusterWorkflowTemplate").replace("name: build", "name: shared")
USER = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: nightly-USER}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - name: call
            templateRef: {name: build, template: main}
"""
CRON = """\
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: hourly, annotations: {argo-yaml/dag-id: each-hour}}
spec:
  schedules: ["0 * * * *"]
  workflowSpec:
    entrypoint: main
    templates: [{name: main, container: {image: busybox, command: ["true"]}}]
"""


@pytest.fixture
def folder(airflow_db: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "dags"
    folder.mkdir()
    texts = {"build.yaml": BUILD, "shared.yaml": SHARED, "cron.yaml": CRON}
    for name, text in texts.items():
        (folder / name).write_text(text)
    deploy(folder)
    return folder


def submit(*words: str | Path) -> tuple[int, str, str]:
    answer = CliRunner().invoke(main, ["submit", *map(str, words)])
    return answer.exit_code, answer.stdout, answer.stderr


def conf_of(dag_id: str) -> list[Any]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return [run.conf for run in session.scalars(select(DagRun).where(DagRun.dag_id == dag_id))]


def test_the_form_has_choices_descriptions_and_required_marks(folder: Path) -> None:
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        dag = SerializedDagModel.get_dag("build", session=session)
        assert dag is not None
        fields = {name: dag.params.get_param(name) for name in dag.params}
    assert (fields["branch"].description, fields["branch"].value) == ("What is built.", "main")
    assert fields["level"].schema["enum"] == ["low", "high"]
    # The form marks a field that has no value and may not stay empty.
    assert (fields["tag"].dump()["value"], fields["tag"].schema["type"]) == (None, "string")


def test_a_run_is_submitted_from_what_is_deployed(folder: Path) -> None:
    given = ["-p", "tag=v1", "-p", "branch=feature"]
    for origin, dag_id, parameters in (
        ("workflowtemplate/build", "build", given),
        ("clusterworkflowtemplate/shared", "shared", given),
        ("cronwf/hourly", "each-hour", []),
    ):
        code, stdout, stderr = submit("--from", origin, *parameters, "--output", "json")
        assert code == 0, stderr
        said = json.loads(stdout)
        assert (said["dag_id"], said["phase"]) == (dag_id, "Pending")
        assert conf_of(dag_id) == [{"tag": "v1", "branch": "feature"} if parameters else {}]


def test_a_file_is_submitted_as_the_dag_that_was_made_from_it(folder: Path) -> None:
    code, stdout, stderr = submit(folder / "build.yaml", "-p", "tag=v1")
    assert code == 0, stderr
    assert " of build)" in stdout
    changed = folder.parent / "build.yaml"
    changed.write_text(BUILD.replace("MESSAGE", "changed"))
    code, _, stderr = submit(changed, "-p", "tag=v1")
    assert (code, conf_of("build")) == (1, [{"tag": "v1"}])
    assert "the DAG build was made from another version of WorkflowTemplate 'build'" in stderr


def test_what_cannot_start_is_refused_in_words(folder: Path) -> None:
    unknown = "error: no DAG of this Airflow was made from a WorkflowTemplate named 'biuld'\n   = help: there are: build\n"
    kinds = "KIND is one of workflowtemplate, clusterworkflowtemplate, cronwf, workflow"
    for words, error in (
        (["workflowtemplate/biuld"], unknown),
        (["job/x"], f"error: 'job/x' is not KIND/NAME\n   = help: {kinds}\n"),
        (["workflowtemplate/build"], "tag"),
        (["workflowtemplate/build", "-p", "tag=1", "-p", "level=medium"], "'medium'"),
    ):
        code, stdout, stderr = submit("--from", *words)
        assert (code, stdout, conf_of("build")) == (1, "", [])
        assert error in stderr


def test_a_changed_template_changes_every_dag_that_refers_to_it_and_no_run_that_has_begun(folder: Path) -> None:
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session

    from argo_yaml_provider.airflow.runs import RunReader

    build = BUILD.replace("      - {name: tag}\n", "").replace("workflow.parameters.branch", "workflow.name")
    for user in ("a", "b"):
        (folder / f"{user}.yaml").write_text(USER.replace("USER", user))
    (folder / "build.yaml").write_text(build)
    deploy(folder)
    code, stdout, _ = submit("--from", "workflow/nightly-a", "--output", "json")
    assert code == 0
    begun = json.loads(stdout)
    (folder / "build.yaml").write_text(build.replace("MESSAGE", "changed"))
    deploy(folder)
    with create_session() as session:
        for user in ("a", "b"):
            assert "changed" in json.dumps(SerializedDagModel.get(f"nightly-{user}", session=session).data)  # type: ignore[union-attr]
        kept = RunReader().open(session, begun["dag_id"], begun["run_id"]).envelope.plan
        assert "changed" not in json.dumps(kept.templates)
