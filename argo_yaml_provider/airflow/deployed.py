"""The DAGs of a deployment by what they were made from: a template, a CronWorkflow, a workflow.

In: a session on the deployment's database.  Out: `Deployed`.
Must not know: what is done with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.envelope import Envelope, carried, loads
from argo_yaml_provider.airflow.load import slug
from argo_yaml_provider.plan.nodes import Plan

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_SOME = 50
"""Serialized DAGs read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The newest version of a DAG."""

    dag_id: str
    envelope: Envelope


def find_deployed(session: Session, kind: str, name: str) -> Deployed | None:
    """The DAG made from the object of that kind and name; most have its name, others are looked through."""
    likely = slug(name)
    for found in _read(session, [likely]):
        if made_from(found.envelope.plan) == (kind, name):
            return found
    others = [dag_id for dag_id in _dag_ids(session) if dag_id != likely]
    matching = (found for found in _read(session, others) if made_from(found.envelope.plan) == (kind, name))
    return next(matching, None)


def names_of(session: Session, kind: str) -> list[str]:
    """All objects of a kind that are deployed."""
    made = (made_from(found.envelope.plan) for found in _read(session, _dag_ids(session)))
    return sorted(name for one, name in made if one == kind)


def made_from(plan: Plan) -> tuple[str, str]:
    """Kind and name of the object that the plan was compiled from."""
    written = plan.cron or plan.workflow
    return str(written.get("kind") or "Workflow"), str((written.get("metadata") or {}).get("name") or plan.name)


def _dag_ids(session: Session) -> list[str]:
    from airflow.models.dag import DagModel
    from sqlalchemy import select

    return list(session.scalars(select(DagModel.dag_id).where(~DagModel.is_stale).order_by(DagModel.dag_id)))


def _read(session: Session, dag_ids: list[str]) -> Iterator[Deployed]:
    """Those among them that are a plan's own DAG; a child's is nobody's to start, and a group's is its author's."""
    from airflow.models.dag import DagModel
    from airflow.models.serialized_dag import SerializedDagModel
    from sqlalchemy import select

    for start in range(0, len(dag_ids), _SOME):
        some = dag_ids[start : start + _SOME]
        live = set(session.scalars(select(DagModel.dag_id).where(DagModel.dag_id.in_(some), ~DagModel.is_stale)))
        for row in SerializedDagModel.get_latest_serialized_dags(dag_ids=sorted(live), session=session) if live else ():
            data: dict[str, Any] = row.data or {"dag": {"tasks": []}}
            envelopes = (loads(text) for text in carried(data))
            own = next((one for one in envelopes if not one.child and not one.prefix), None)
            if own is not None:
                yield Deployed(dag_id=row.dag_id, envelope=own)
