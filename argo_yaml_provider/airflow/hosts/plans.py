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
from argo_yaml_provider.airflow.hosts.listeners import Bundle
from argo_yaml_provider.step.turnstile import Turnstile

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
    outlets: dict[str, tuple[Json, ...]]
    """Assets that tasks update, as Airflow's AssetProfile."""
    bundle: Bundle
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
        self._turnstile = Turnstile()
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
            return await self._turnstile.after(self._versions[version_id])
        except Exception:
            self._versions.pop(version_id, None)
            raise


def read_version(session: Session, version_id: str) -> Version:
    """One version, from the serialized DAG."""
    from airflow.models.dag_version import DagVersion
    from airflow.models.serialized_dag import SerializedDagModel
    from sqlalchemy import select

    row = session.scalar(select(SerializedDagModel).where(SerializedDagModel.dag_version_id == UUID(str(version_id))))
    if row is None or row.data is None:
        raise LookupError(f"the serialized DAG of version {version_id} is gone")
    named = session.get(DagVersion, UUID(str(version_id)))
    bundle = Bundle(name=(named and named.bundle_name) or "", version=named and named.bundle_version)
    return Version(data=_slim(row.data), timeouts=_timeouts(row.data), outlets=_outlets(row.data), bundle=bundle)


def _tasks(data: Json) -> list[Json]:
    return [task.get("__var", task) for task in data["dag"]["tasks"]]


def _slim(data: Json) -> Json:
    """Only the tasks that carry a plan: everything else of a big DAG would be kept in vain."""
    carried = [task for task in _tasks(data) if task.get(ATTRIBUTE) or task.get("partial_kwargs", {}).get(ATTRIBUTE)]
    return {"dag": {"tasks": carried}}


def _timeouts(data: Json) -> dict[str, float]:
    found = {task["task_id"]: _said(task, "execution_timeout") for task in _tasks(data)}
    return {task_id: float(seconds) for task_id, seconds in found.items() if seconds is not None}


def _outlets(data: Json) -> dict[str, tuple[Json, ...]]:
    found = {task["task_id"]: _said(task, "outlets") or () for task in _tasks(data)}
    return {task_id: tuple(filter(None, map(_profile, outlets))) for task_id, outlets in found.items() if outlets}


def _said(task: Json, name: str) -> Any:
    """An attribute of a task; a mapped one's stands among its partial arguments, with its type."""
    value = task.get(name, task.get("partial_kwargs", {}).get(name))
    return value["__var"] if isinstance(value, dict) else value


def _profile(outlet: Json) -> Json | None:
    """Airflow: task_runner.py, _build_asset_profiles."""
    kind, said = _ASSETS.get(outlet.get("__type", "")), outlet.get("__var", outlet)
    if kind is None:
        return None
    return {"type": kind, **{name: said[name] for name in ("name", "uri") if said.get(name)}}


_ASSETS = {"asset": "Asset", "asset_alias": "AssetAlias", "asset_ref": "AssetNameRef"}
