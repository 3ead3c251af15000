"""XComs of any task of a run, as Airflow's API server and the deployment's XCom backend keep them.

In: a session, a task instance, a key.  Out: values read, written, deleted.
Must not know: outcomes, plans.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from argo_yaml_provider.airflow.api import Pushed, TaskRef


def _backend() -> Any:
    """The deployment's XCom backend, where it has one of its own."""
    from airflow.sdk.bases.xcom import BaseXCom
    from airflow.sdk.execution_time.xcom import XCom

    return None if XCom is BaseXCom else XCom


def read_xcom(session: Session, ti: TaskRef, key: str) -> Any:
    """A value that the task pushed; None if it did not."""
    from airflow.models.xcom import XComModel
    from sqlalchemy import select

    row = session.scalar(
        select(XComModel.value).where(
            XComModel.dag_id == ti.dag_id,
            XComModel.run_id == ti.run_id,
            XComModel.task_id == ti.task_id,
            XComModel.map_index == ti.map_index,
            XComModel.key == key,
        )
    )
    if row is None or (backend := _backend()) is None:
        return row
    return backend.deserialize_value(SimpleNamespace(value=row, key=key))


def read_xcoms(session: Session, dag_id: str, run_id: str, key: str, *, task_id: str | None) -> list[tuple[str, int, Any]]:
    """(task_id, map_index, value) of all that was pushed under a key."""
    from airflow.models.xcom import XComModel
    from sqlalchemy import select

    statement = select(XComModel.task_id, XComModel.map_index, XComModel.value).where(
        XComModel.dag_id == dag_id, XComModel.run_id == run_id, XComModel.key == key
    )
    if task_id is not None:
        statement = statement.where(XComModel.task_id == task_id)
    rows = [(str(row[0]), int(row[1]), row[2]) for row in session.execute(statement)]
    if backend := _backend():
        return [(task, index, backend.deserialize_value(SimpleNamespace(value=value, key=key))) for task, index, value in rows]
    return rows


def stored(ti: TaskRef, pushed: Pushed) -> Any:
    """What the database is to hold for a value: the value, or what the backend makes of it."""
    if (backend := _backend()) is None:
        return pushed.value
    named = {"task_id": ti.task_id, "dag_id": ti.dag_id, "run_id": ti.run_id, "map_index": ti.map_index}
    return backend.serialize_value(pushed.value, key=pushed.key, **named)


def write_xcom(session: Session, ti: TaskRef, pushed: Pushed) -> None:
    """Push a value on behalf of the task."""
    from airflow.api_fastapi.execution_api.routes.xcoms import set_xcom

    set_xcom(
        session=session,
        key=pushed.key,
        value=stored(ti, pushed),
        task_id=ti.task_id,
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        map_index=ti.map_index,
        dag_result=False,
        mapped_length=pushed.mapped_length,
    )


def delete_xcom(session: Session, ti: TaskRef, key: str) -> None:
    """Forget a value, wherever the backend keeps it."""
    from airflow.api_fastapi.execution_api.routes.xcoms import delete_xcom as delete

    if backend := _backend():
        value = read_xcom(session, ti, key)
        backend.purge(SimpleNamespace(key=key, value=value, dag_id=ti.dag_id, run_id=ti.run_id, task_id=ti.task_id))
    delete(session, ti.dag_id, ti.run_id, ti.task_id, key, ti.map_index)
