"""Plans by the DAG version that a task instance names, read once from the serialized DAG and kept.

In: a dag_version_id.  Out: its envelope, and each task's execution_timeout.
Must not know: steps.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from argo_yaml_provider.airflow.envelope import ATTRIBUTE, Envelope, find_envelope, loads

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from argo_yaml_provider.airflow.api import ExecutionApi
    from argo_yaml_provider.plan.nodes import Json

_KEPT = 128


@dataclass(kw_only=True)
class Version:
    """What a host needs of one version of a DAG."""

    data: Json
    timeouts: dict[str, float]
    envelopes: dict[str, Envelope] = field(default_factory=dict)

    def envelope(self, task_id: str) -> Envelope:
        """The envelope of the plan that the task belongs to."""
        if task_id not in self.envelopes:
            self.envelopes[task_id] = find_envelope(self.data, task_id)
        return self.envelopes[task_id]

    def only(self) -> Envelope:
        """The envelope of a DAG that has one plan."""
        (task,) = self.data["dag"]["tasks"][:1]
        text = task.get(ATTRIBUTE) or task["partial_kwargs"][ATTRIBUTE]
        return loads(text)


class Plans:
    """The versions in use; a thousand tasks that ask at once cause one read."""

    def __init__(self, api: ExecutionApi) -> None:
        self._api = api
        self._versions: OrderedDict[str, asyncio.Future[Version]] = OrderedDict()

    async def version(self, version_id: str) -> Version:
        """The version, from the database if it is not here."""
        if version_id not in self._versions:
            self._versions[version_id] = asyncio.ensure_future(
                self._api.call(lambda session: read_version(session, version_id))
            )
            while len(self._versions) > _KEPT:
                self._versions.popitem(last=False)
        self._versions.move_to_end(version_id)
        try:
            return await asyncio.shield(self._versions[version_id])
        except Exception:
            self._versions.pop(version_id, None)
            raise


def read_version(session: Session, version_id: str) -> Version:
    """One version, from the serialized DAG."""
    from airflow.models.serialized_dag import SerializedDagModel
    from sqlalchemy import select

    row = session.scalar(select(SerializedDagModel).where(SerializedDagModel.dag_version_id == UUID(str(version_id))))
    if row is None or row.data is None:
        raise LookupError(f"the serialized DAG of version {version_id} is gone")
    return Version(data=_slim(row.data), timeouts=_timeouts(row.data))


def _tasks(data: Json) -> list[Json]:
    return [task.get("__var", task) for task in data["dag"]["tasks"]]


def _slim(data: Json) -> Json:
    """Only the tasks that carry a plan: everything else of a big DAG would be kept in vain."""
    carried = [task for task in _tasks(data) if task.get(ATTRIBUTE) or task.get("partial_kwargs", {}).get(ATTRIBUTE)]
    return {"dag": {"tasks": carried}}


def _timeouts(data: Json) -> dict[str, float]:
    found: dict[str, float] = {}
    for task in _tasks(data):
        seconds: Any = task.get("execution_timeout", task.get("partial_kwargs", {}).get("execution_timeout"))
        if seconds is not None:
            found[task["task_id"]] = float(seconds)
    return found
