"""A DAG that stands for a file that is wrong: it has the file's name, shows the error, and fails with it when run.

In: a dag_id, an error in words.  Out: airflow.sdk.DAG.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from argo_yaml_provider.airflow.settings import Settings

TAG = "argo-error"


class ShowError(BaseOperator):
    """Fails with the file's error."""

    ui_color = "#fbe3e4"

    def __init__(self, *, error: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.error = error

    def execute(self, context: Any) -> None:  # noqa: ARG002 - Airflow's signature
        """The error, once more, where the one looks who ran it."""
        raise AirflowFailException(self.error)


def build_placeholder(dag_id: str, error: str, settings: Settings) -> DAG:
    """The DAG. Its description is the error's first line, its documentation all of it."""
    dag = DAG(
        dag_id=dag_id,
        schedule=None,
        catchup=False,
        description=error.splitlines()[0],
        doc_md=f"### This workflow cannot run\n\n```text\n{error}\n```",
        tags=[*settings.tags, TAG],
    )
    ShowError(task_id="error", error=error, retries=0, doc=error, dag=dag)
    return dag
