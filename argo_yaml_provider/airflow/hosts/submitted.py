"""Workflows that a manifest submits: their DAGs, written into the database when they are first known, and their runs.

A DAG is named by what is in it, so that equal workflows share one, and no run ever sees its DAG change. It belongs to the file
of the DAG whose run submitted it: when that is gone, so is this.
In: a plan, a Workflow object.  Out: the run that stands for it; the object as its run has come along.
Must not know: manifests, conditions, what a step does with the object.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.envelope import Envelope, child_dag_id
from argo_yaml_provider.airflow.facts import CHILD_CONF
from argo_yaml_provider.airflow.hosts.children import fail_run
from argo_yaml_provider.airflow.runs import FINISHED, RunReader
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.clock import rfc3339
from argo_yaml_provider.plan.nodes import Json, Plan
from argo_yaml_provider.step.host import RunRef

if TYPE_CHECKING:
    from airflow.sdk import DAG
    from sqlalchemy.orm import Session

    from argo_yaml_provider.airflow.api import ExecutionApi, TaskRef
    from argo_yaml_provider.flow.facts import RunFacts

NEVER_STALE = datetime(9999, 1, 1, tzinfo=UTC)
"""When its DAGs were parsed last: the DAG processor, which never sees them in a file, does not miss them."""
_RUN_PREFIX = "argo:"
_DELETED = "deleted"


class SubmittedRuns:
    """`step.host.WorkflowRuns` of one task, in the metadata database."""

    def __init__(self, api: ExecutionApi, parent: TaskRef, envelope: Envelope, facts: RunFacts) -> None:
        self._api, self._parent, self._envelope, self._facts = api, parent, envelope, facts

    async def submit(self, plan: Plan, workflow: Json, series: str) -> RunRef:
        """The DAG, if this is the first workflow of its kind, and the run."""
        plan, parameters = _without_values(plan)
        metadata = workflow["metadata"]
        envelope = self._envelope_of(plan, metadata["namespace"])
        dags = await asyncio.to_thread(_build, envelope)
        await self._api.call(lambda session: _write(session, dags, self._parent.dag_id))
        run_id = f"{run_prefix(metadata['namespace'], metadata['name'])}{series[:8]}"
        told = {"workflow": workflow, "parameters": parameters, "submissions": self._facts.submissions + 1}
        await self._api.trigger(self._parent, envelope.family, run_id, {CHILD_CONF: told})
        return RunRef(dag_id=envelope.family, run_id=run_id)

    async def find(self, namespace: str, name: str) -> RunRef | None:
        """The newest, whatever DAG it is of."""
        return await self._api.call(lambda session: _find(session, run_prefix(namespace, name)))

    async def look(self, ref: RunRef) -> Json | None:
        """The object, with a status made of what the run has come to."""
        return await self._api.call(lambda session: _look(session, ref, self._facts))

    async def delete(self, ref: RunRef) -> None:
        """The run stays in Airflow's history, but for workflows it is gone."""
        await self._api.call(lambda session: _delete(session, ref))

    def _envelope_of(self, plan: Plan, namespace: str) -> Envelope:
        from argo_yaml_provider.plan.serialize import dumps

        origin = self._envelope.submitted or self._envelope.family
        digest = hashlib.sha256(f"{namespace}\n{dumps(plan)}".encode()).hexdigest()[:8]
        return Envelope(
            plan=plan,
            pods=replace(self._envelope.pods, namespace=namespace),
            family=child_dag_id(origin, f"{plan.name}-{digest}"),
            submitted=origin,
        )


def run_prefix(namespace: str, name: str) -> str:
    """What the run_ids of all runs that ever stood for an object begin with."""
    return f"{_RUN_PREFIX}{namespace}:{name}:"


def unfinished(session: Session) -> bool:
    """Whether a submitted workflow goes on."""
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    statement = select(DagRun.id).where(DagRun.run_id.startswith(_RUN_PREFIX), DagRun.state.not_in(FINISHED)).limit(1)
    return session.scalar(statement) is not None


def _without_values(plan: Plan) -> tuple[Plan, dict[str, str]]:
    """The plan that all workflows share which differ in the values of their arguments alone; those values."""
    spec = plan.workflow.get("spec") or {}
    declared = (spec.get("arguments") or {}).get("parameters") or ()
    values = {one["name"]: str(one["value"]) for one in declared if one.get("value") is not None}
    bare = [{key: value for key, value in one.items() if key != "value"} for one in declared]
    metadata = {**(plan.workflow.get("metadata") or {}), "generateName": f"{plan.name}-"}
    for own in ("name", "ownerReferences"):
        metadata.pop(own, None)
    spec = {**spec, "arguments": {**(spec.get("arguments") or {}), "parameters": bare}} if declared else spec
    return replace(plan, workflow={**plan.workflow, "metadata": metadata, "spec": spec}), values


def _build(envelope: Envelope) -> list[DAG]:
    from argo_yaml_provider.airflow.dags import build_submitted
    from argo_yaml_provider.airflow.settings import Execution, read_settings

    settings = replace(read_settings(), pods=envelope.pods, execution=Execution.EXECUTOR, workers=False)
    return list(build_submitted(envelope, settings))


def _write(session: Session, dags: list[DAG], parent: str) -> None:
    """As a DAG processor would have done that found them in the parent's file."""
    from airflow.models.dag import DagModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from sqlalchemy import update

    above = session.get(DagModel, parent)
    if above is None or above.bundle_name is None:
        raise RunError(f"the DAG {parent} is not in the database any more", help="clear the step once it is there again")
    for dag in dags:
        dag.fileloc = __file__  # a file of every machine, for Airflow keeps its text
        dag.relative_fileloc = above.relative_fileloc
    lazy = [LazyDeserializedDAG.from_dag(dag) for dag in dags]
    SerializedDAG.bulk_write_to_db(above.bundle_name, above.bundle_version, lazy, session=session)
    for one in lazy:
        SerializedDagModel.write_dag(one, above.bundle_name, above.bundle_version, session=session)
    ids = [dag.dag_id for dag in dags]
    session.execute(update(DagModel).where(DagModel.dag_id.in_(ids)).values(last_parsed_time=NEVER_STALE))


def _find(session: Session, prefix: str) -> RunRef | None:
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    statement = select(DagRun).where(DagRun.run_id.startswith(prefix, autoescape=True)).order_by(DagRun.id.desc())
    for run in session.scalars(statement):
        return None if _told(run).get(_DELETED) else RunRef(dag_id=run.dag_id, run_id=run.run_id)
    return None


def _look(session: Session, ref: RunRef, asker: RunFacts) -> Json | None:
    run = _run(session, ref)
    if run is None or _told(run).get(_DELETED):
        return None
    metadata = {"name": asker.name, "namespace": asker.namespace, "uid": asker.uid, "creationTimestamp": asker.created_at}
    unknown = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata}
    workflow: Json = _told(run).get("workflow") or unknown
    status = _status(session, run)
    labels = {
        **(workflow["metadata"].get("labels") or {}),
        "workflows.argoproj.io/phase": status["phase"],
        **({"workflows.argoproj.io/completed": "true"} if "finishedAt" in status else {}),
    }
    return {**workflow, "metadata": {**workflow["metadata"], "labels": labels}, "status": status}


def _status(session: Session, run: Any) -> Json:
    started = {"startedAt": rfc3339(run.start_date)} if run.start_date else {}
    if run.state not in FINISHED:
        return {"phase": "Pending" if run.state == "queued" else "Running", **started}
    result = RunReader().flow(session, run.dag_id, run.run_id).verdict()
    # A run that a person failed has no verdict that says so.
    phase = "Failed" if run.state == "failed" and result.phase == "Succeeded" else result.phase.value
    parameters = (result.values.get("outputs") or {}).get("parameters") or {}
    outputs = [{"name": name, "value": value} for name, value in parameters.items()]
    return {
        "phase": phase,
        **({"message": result.message} if result.message else {}),
        **started,
        "finishedAt": rfc3339(run.end_date or datetime.now(UTC)),
        "conditions": [{"type": "Completed", "status": "True"}],
        **({"outputs": {"parameters": outputs}} if outputs else {}),
    }


def _delete(session: Session, ref: RunRef) -> None:
    run = _run(session, ref)
    if run is None:
        return
    run.conf = {**(run.conf or {}), CHILD_CONF: {**_told(run), _DELETED: True}}
    if run.state not in FINISHED:
        session.flush()
        fail_run(session, ref.dag_id, ref.run_id)


def _run(session: Session, ref: RunRef) -> Any:
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    return session.scalar(select(DagRun).where(DagRun.dag_id == ref.dag_id, DagRun.run_id == ref.run_id))


def _told(run: Any) -> Json:
    told: Json = (run.conf or {}).get(CHILD_CONF) or {}
    return told
