"""Workflow files for Airflow's registry of DAG importers (AIP-85), whose interface still moves.

    from airflow.dag_processing.importers import get_importer_registry
    get_importer_registry().register(WorkflowImporter())     # in airflow_local_settings.py

The dag processor of Airflow 3.3 looks for Python files only; a DagBag of a folder finds workflows then. Prefer the bundle.
In: a file.  Out: DagImportResult, each problem at its line and column.
Must not know: how DAGs are made.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from airflow.dag_processing.importers import AbstractDagImporter, DagImportError, DagImportResult

from argo_yaml_provider.airflow.files import SUFFIXES, workflow_files
from argo_yaml_provider.airflow.load import Folder, entry_dags
from argo_yaml_provider.airflow.settings import read_settings


class WorkflowImporter(AbstractDagImporter):
    """Every workflow of a .yaml, .yml or .json file is a DAG."""

    @classmethod
    def supported_extensions(cls) -> list[str]:
        """Those of workflow files."""
        return list(SUFFIXES)

    def import_file(
        self,
        file_path: str | Path,
        *,
        bundle_path: Path | None = None,
        bundle_name: str | None = None,  # noqa: ARG002 - Airflow's signature
        safe_mode: bool = True,  # noqa: ARG002 - Airflow's signature
    ) -> DagImportResult:
        """The DAGs of a file, or all that is wrong with it."""
        path, settings = Path(file_path), read_settings()
        place = self.get_relative_path(path, bundle_path)
        result = DagImportResult(file_path=place)
        for entry in Folder(folder=bundle_path or path.parent, settings=settings).read(path):
            if entry.error:
                result.errors.append(_error(place, entry.error))
                continue
            for dag in entry_dags(entry, settings):
                dag.fileloc, dag.relative_fileloc = str(path), place
                result.dags.append(dag)
        return result

    def list_dag_files(self, directory: str | os.PathLike[str], safe_mode: bool = True) -> Iterator[str]:  # noqa: ARG002 - Airflow's signature
        """Files that hold something of Argo's, and no other YAML."""
        return map(str, workflow_files(Path(directory)))


def _error(place: str, text: str) -> DagImportError:
    """Line and column of the first problem; the text has them of all."""
    _, line, column = ([*text.partition(" ")[0].split(":"), "", ""])[:3]
    return DagImportError(
        file_path=place,
        message=text,
        error_type="workflow",
        line_number=int(line) if line.isdigit() else None,
        column_number=int(column) if column.isdigit() else None,
    )
