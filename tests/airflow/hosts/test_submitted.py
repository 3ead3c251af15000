"""What Airflow's database holds of a workflow that a manifest submitted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from argo_yaml_provider.airflow.dags import build_dag
from argo_yaml_provider.airflow.envelope import Envelope
from argo_yaml_provider.airflow.hosts import submitted
from argo_yaml_provider.airflow.settings import Execution, Settings
from argo_yaml_provider.flow.facts import RunFacts
from argo_yaml_provider.plan.compile import compile_text
from argo_yaml_provider.pods.settings import PodSettings
from argo_yaml_provider.step.host import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

(PLAN,) = compile_text("""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: sub}
spec: {entrypoint: main, templates: [{name: main, container: {image: x, command: [a]}}]}
""")
BUNDLE = "dags-folder"
CHILD = "parent.sub-1"
ASKER = RunFacts(name="asker", namespace="ns", uid="u", created_at="2026-01-01T00:00:00Z")
OBJECT: dict[str, Any] = {"kind": "Workflow", "metadata": {"name": "sub-abc", "namespace": "ns", "uid": "0" * 32}}


@pytest.fixture
def session(airflow_db: Path) -> Iterator[Session]:
    """A database with a DAG of a file, and one that it submitted."""
    from airflow.models.dagbundle import DagBundleModel
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    parent = build_dag(PLAN, Settings(execution=Execution.EXECUTOR, workers=False), dag_id="parent")
    parent.relative_fileloc = "argo.py"
    with create_session() as session:
        session.add(DagBundleModel(name=BUNDLE))
        session.flush()
        SerializedDAG.bulk_write_to_db(BUNDLE, "v1", [LazyDeserializedDAG.from_dag(parent)], session=session)
        envelope = Envelope(plan=PLAN, pods=PodSettings(), family=CHILD, submitted="parent")
        for _ in range(2):  # the second of its kind finds it there
            submitted._write(session, submitted._build(envelope), "parent")
            session.commit()
        yield session


def start(session: Session, run_id: str) -> RunRef:
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    dag = SerializedDagModel.get_dag(CHILD, session=session)
    assert dag
    dag.create_dagrun(
        run_id=run_id,
        run_after=datetime.now(UTC),
        run_type=DagRunType.MANUAL,
        triggered_by=DagRunTriggeredByType.OPERATOR,
        state=DagRunState.RUNNING,
        conf={"argo": {"workflow": OBJECT}},
        session=session,
    )
    session.commit()
    return RunRef(dag_id=CHILD, run_id=run_id)


def stale(session: Session) -> bool:
    from airflow.models.dag import DagModel

    session.expire_all()
    found = session.get(DagModel, CHILD)
    assert found
    return bool(found.is_stale)


def test_its_dag_stays_as_long_as_the_file_of_the_dag_that_submitted_it(session: Session) -> None:
    from airflow.dag_processing.manager import DagFileInfo, DagFileProcessorManager
    from airflow.models.dag import DagModel

    parsed = {DagFileInfo(rel_path=Path("argo.py"), bundle_name=BUNDLE): datetime.now(UTC) + timedelta(hours=1)}
    DagFileProcessorManager(max_runs=1).deactivate_stale_dags(parsed)  # type: ignore[no-untyped-call]
    DagModel.deactivate_deleted_dags(BUNDLE, {"argo.py"}, session=session)
    session.commit()
    assert not stale(session)
    DagModel.deactivate_deleted_dags(BUNDLE, set(), session=session)
    session.commit()
    assert stale(session)


def test_an_object_is_found_by_its_name_as_long_as_it_is_not_deleted(session: Session) -> None:
    prefix = submitted.run_prefix("ns", "sub-abc")
    assert submitted._find(session, prefix) is None
    assert not submitted.unfinished(session)
    start(session, f"{prefix}1")
    ref = start(session, f"{prefix}2")
    assert submitted._find(session, prefix) == ref
    assert submitted.unfinished(session)
    found = submitted._look(session, ref, ASKER)
    assert found
    assert (found["metadata"]["name"], found["status"]["phase"]) == ("sub-abc", "Running")
    submitted._delete(session, ref)
    session.commit()
    assert submitted._find(session, prefix) is None
    assert submitted._look(session, ref, ASKER) is None
    assert submitted._run(session, ref).state == "failed"
