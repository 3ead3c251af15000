"""What travels in the serialized DAG: the plan, and the settings it runs under, as one stable JSON text.

It sits on one task of the DAG (the plan's last), as the operator attribute `argo_plan`; a host finds it by `find_envelope`.
Must not know: Airflow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from typing import Any

from argo_yaml_provider.plan.nodes import Json, Plan
from argo_yaml_provider.pods.settings import PodSettings

ATTRIBUTE = "argo_plan"
OUTCOME_KEY = "argo"
"""The XCom key of a task's outcome."""
_POD_DEFAULTS = {item.name: getattr(PodSettings(), item.name) for item in fields(PodSettings)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One plan as a DAG carries it."""

    plan: Plan
    pods: PodSettings
    family: str
    """dag_id of the outermost plan's DAG: `child_dag_id(family, key)` are its children's."""
    verdicts: dict[str, str] = field(default_factory=dict)
    """Of every child plan by key: the id of its last task, whose outcome is a child run's verdict."""
    child: bool = False
    """Whether runs of this DAG are child runs, told what to do by the conf of their parent."""
    submitted: str = ""
    """Of a workflow that another one's manifest submits: the family of the first that did; its object is in a run's conf."""
    parameters: dict[str, str] = field(default_factory=dict)
    """Of an ArgoTaskGroup: parameters whose values its author fixed; a run's conf does not change them."""
    prefix: str = ""
    """Stands before each planned id in the DAG's task_ids (of an ArgoTaskGroup)."""


def verdict_tasks(plan: Plan) -> dict[str, str]:
    """`Envelope.verdicts` of the outermost plan."""
    return {key: child.tasks[-1].id for key, child in plan.children.items()}


def child_dag_id(family: str, key: str) -> str:
    """The dag_id of a child plan."""
    return f"{family}.{key}"


def dumps(envelope: Envelope) -> str:
    """The same envelope gives the same text."""
    from argo_yaml_provider.plan.serialize import dumps as dump_plan

    head = {
        "pods": {name: value for name, value in asdict(envelope.pods).items() if value != _POD_DEFAULTS[name]},
        "family": envelope.family,
        "verdicts": envelope.verdicts,
        "child": envelope.child,
        **({"submitted": envelope.submitted} if envelope.submitted else {}),
        "parameters": envelope.parameters,
        "prefix": envelope.prefix,
    }
    return json.dumps({"head": head, "plan": dump_plan(envelope.plan)}, sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=256)
def loads(text: str) -> Envelope:
    """The envelope that `dumps` wrote; read once per text, since a run's tasks all share it."""
    from argo_yaml_provider.plan.serialize import loads as load_plan

    value = json.loads(text)
    head = value["head"]
    return Envelope(
        plan=load_plan(value["plan"]),
        pods=PodSettings(**head["pods"]),
        family=head["family"],
        verdicts=head["verdicts"],
        child=head["child"],
        submitted=head.get("submitted", ""),
        parameters=head["parameters"],
        prefix=head["prefix"],
    )


def find_envelope(serialized_dag: Json, task_id: str) -> Envelope:
    """The envelope that the task belongs to, in a DAG as `SerializedDAG.to_dict` shaped it."""
    for text in carried(serialized_dag):
        envelope = loads(text)
        if belongs(envelope, task_id):
            return envelope
    raise LookupError(f"no plan of this DAG has a task {task_id!r}")


def carried(serialized_dag: Json) -> Iterator[str]:
    """The text of every envelope in a DAG as `SerializedDAG.to_dict` shaped it."""
    dag = serialized_dag.get("dag", serialized_dag)
    for task in reversed(dag["tasks"]):
        data: dict[str, Any] = task.get("__var", task)
        text = data.get(ATTRIBUTE) or data.get("partial_kwargs", {}).get(ATTRIBUTE)
        if text:
            yield text


def envelope_of(operator: Any) -> Envelope:
    """The envelope of an operator in a DAG that was parsed here."""
    for task in reversed(list(operator.dag.task_dict.values())):
        text = getattr(task, ATTRIBUTE, None) or getattr(task, "partial_kwargs", {}).get(ATTRIBUTE)
        if text and belongs(loads(text), operator.task_id):
            return loads(text)
    raise LookupError(f"DAG {operator.dag.dag_id} has no plan with a task {operator.task_id!r}")


def belongs(envelope: Envelope, task_id: str) -> bool:
    """Whether the DAG's task is one of this plan's."""
    own = task_id.removeprefix(envelope.prefix)
    return task_id.startswith(envelope.prefix) and any(task.id == own for task in envelope.plan.tasks)
