"""WorkflowEventBindings as DAGs without a schedule, so that they are seen, paused and versioned like all else.

In: a binding, or a session on the deployment's database.  Out: a DAG; the bindings that are deployed and not paused.
Must not know: HTTP, what an event is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.resolve.bindings import Binding

if TYPE_CHECKING:
    from airflow.sdk import DAG
    from sqlalchemy.orm import Session

    from argo_yaml_provider.airflow.settings import Settings

TAG = "argo-event-binding"
"""By which the webhook finds them."""
_TASK = "event"


def build_binding(dag_id: str, binding: Json, settings: Settings, *, source: str = "") -> DAG:
    """The DAG of a binding: one task that does nothing and carries what the webhook must know."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    read = Binding.from_json(binding)
    target = f"{read.kind} {read.template}" if read.template else "nothing"
    dag = DAG(
        dag_id=dag_id,
        schedule=None,
        catchup=False,
        is_paused_upon_creation=False,
        description=f"events that start {target}",
        doc_md=f"Runs of this DAG do nothing. Pause it, and events are passed over.\n\n```yaml\n{source}\n```",
        tags=[*settings.tags, TAG],
    )
    kept = {**binding, "namespace": read.namespace or settings.pods.namespace}
    EmptyOperator(task_id=_TASK, doc_json=json.dumps(kept, sort_keys=True), dag=dag)
    return dag


def deployed_bindings(session: Session, namespace: str) -> list[Binding]:
    """Those of a namespace, in the order of their DAGs' names."""
    from airflow.models.dag import DagModel, DagTag
    from airflow.models.serialized_dag import SerializedDagModel
    from sqlalchemy import select

    tagged = (
        select(DagModel.dag_id)
        .join(DagTag, DagTag.dag_id == DagModel.dag_id)
        .where(DagTag.name == TAG, ~DagModel.is_stale, ~DagModel.is_paused)
        .order_by(DagModel.dag_id)
    )
    dag_ids = list(session.scalars(tagged))
    if not dag_ids:
        return []
    rows = {row.dag_id: row for row in SerializedDagModel.get_latest_serialized_dags(dag_ids=dag_ids, session=session)}
    bindings = [_binding(rows[dag_id].data) for dag_id in dag_ids if dag_id in rows]
    return [binding for binding in bindings if binding.namespace == namespace]


def _binding(data: Any) -> Binding:
    (task,) = data["dag"]["tasks"]
    return Binding.from_json(json.loads(task.get("__var", task)["doc_json"]))
