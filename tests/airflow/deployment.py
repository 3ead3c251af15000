"""A dags folder as a DAG processor would have written it into the database."""

from __future__ import annotations

from pathlib import Path

from argo_yaml_provider.airflow.load import folder_dags

BUNDLE = "dags-folder"


def deploy(folder: Path) -> list[str]:
    """Parse the folder; the ids of its DAGs. Call again after a change."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session
    from sqlalchemy import update

    dags = list(folder_dags(folder))
    loader = folder / "loader.py"
    loader.write_text("# airflow dag loader\n")
    for dag in dags:
        dag.fileloc, dag.relative_fileloc = str(loader), loader.name
    written = [LazyDeserializedDAG.from_dag(dag) for dag in dags]
    with create_session() as session:
        if session.get(DagBundleModel, BUNDLE) is None:
            session.add(DagBundleModel(name=BUNDLE))
            session.flush()
        session.execute(update(DagModel).values(is_stale=True))
        SerializedDAG.bulk_write_to_db(BUNDLE, None, written, session=session)
        for one in written:
            SerializedDagModel.write_dag(one, BUNDLE, session=session)
    return [dag.dag_id for dag in dags]
