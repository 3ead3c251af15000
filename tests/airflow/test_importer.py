from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.dag_processing.importers import DagImporterRegistry, get_importer_registry

from argo_yaml_provider.airflow.importer import WorkflowImporter

WORKFLOW = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: one}
spec: {entrypoint: a, templates: [{name: a, container: {image: x}}]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("AIRFLOW__ARGO_YAML__CACHE_DIR", str(tmp_path / "cache"))
    DagImporterRegistry.reset()
    get_importer_registry().register(WorkflowImporter())
    (tmp_path / "dags").mkdir()
    yield tmp_path / "dags"
    DagImporterRegistry.reset()


def test_a_dag_bag_finds_workflows_and_no_other_yaml(folder: Path) -> None:
    (folder / "one.yaml").write_text(WORKFLOW)
    (folder / "values.yaml").write_text("a: 1\n")
    bag = DagBag(dag_folder=str(folder), bundle_path=folder)
    assert {dag_id: dag.fileloc for dag_id, dag in bag.dags.items()} == {"one": str(folder / "one.yaml")}
    assert bag.import_errors == {}


def test_a_wrong_workflow_is_an_error_at_its_line_and_column(folder: Path) -> None:
    (folder / "one.yaml").write_text(WORKFLOW.replace("entrypoint: a", "entrypoint: b"))
    result = WorkflowImporter().import_file(folder / "one.yaml", bundle_path=folder)
    (error,) = result.errors
    assert (result.dags, error.file_path, error.line_number, error.column_number) == ([], "one.yaml", 4, 20)
    assert error.message.startswith('one.yaml:4:20: the entrypoint "b" is not defined [unknown-template]\n')
