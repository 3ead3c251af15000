"""A DAG run as the flow wants to hear of it.

In: the plan's envelope and what Airflow says of the run.  Out: RunFacts, equal whichever host builds them.
Must not know: how the host came by these values.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from argo_yaml_provider.airflow.envelope import Envelope
from argo_yaml_provider.flow.clock import rfc3339
from argo_yaml_provider.flow.facts import RunFacts

CHILD_CONF = "argo"
"""The one key of a child run's conf."""
SHUTDOWN_CONF = "argo-yaml/shutdown"
"""The key of a run's conf that says how it is being stopped; no parameter has a slash in its name."""
RESTARTED_CONF = "argo-yaml/restarted"
"""The same for when it was last retried, from when on its deadline counts."""
SCHEDULED_CONF = "argo-yaml/scheduled-time"
"""The same for the slot of a run that is made again."""
OWN_CONF = (SHUTDOWN_CONF, RESTARTED_CONF, SCHEDULED_CONF)
_SPACE = uuid.UUID("6d9e1c0e-2f6c-5a5a-9d0c-5b7a3f8f7a51")
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Kubernetes' own for generated names: no vowels, so no words."""
_MAX_NAME = 63


def run_facts(
    envelope: Envelope,
    *,
    dag_id: str,
    run_id: str,
    conf: Mapping[str, Any] | None,
    run_after: datetime,
    logical_date: datetime | None = None,
) -> RunFacts:
    """The facts of one run. `run_after` (which a clear leaves alone) is the workflow's creation time."""
    conf = conf or {}
    told = conf.get(CHILD_CONF, {}) if envelope.child or envelope.submitted else {}
    child, metadata = (told if envelope.child else {}), told.get("workflow", {}).get("metadata", {})
    globals_ = child.get("globals", {})
    return RunFacts(
        name=globals_.get("workflow.name") or metadata.get("name") or _workflow_name(envelope, dag_id, run_id, logical_date),
        namespace=globals_.get("workflow.namespace") or metadata.get("namespace") or envelope.pods.namespace,
        uid=globals_.get("workflow.uid") or metadata.get("uid") or str(uuid.uuid5(_SPACE, f"{dag_id}\n{run_id}")),
        created_at=globals_.get("workflow.creationTimestamp.RFC3339") or rfc3339(run_after),
        parameters=told.get("parameters", {}) if told else {} if envelope.child else run_parameters(envelope, conf),
        restarted_at=conf.get(RESTARTED_CONF) or child.get("restarted", ""),
        scheduled_time=conf.get(SCHEDULED_CONF) or (rfc3339(logical_date) if logical_date else None),
        service_account=envelope.pods.service_account or "default",
        inputs=child.get("inputs"),
        locals=child.get("locals", {}),
        globals=globals_,
        node=child.get("node", ""),
        depth=child.get("depth", 0),
        shutdown=shutdown_of(envelope, conf),
        result=bool(child.get("result")),
        submissions=told.get("submissions", 0),
    )


def shutdown_of(envelope: Envelope, conf: Mapping[str, Any]) -> str:
    """How the run is being stopped: as a person said, as its parent is, or as the workflow itself says."""
    parents = conf.get(CHILD_CONF, {}).get("shutdown") if envelope.child else None
    spec = envelope.plan.workflow.get("spec") or {}
    return str(conf.get(SHUTDOWN_CONF, parents or spec.get("shutdown") or ""))


def _workflow_name(envelope: Envelope, dag_id: str, run_id: str, logical_date: datetime | None) -> str:
    """Of a slot of a CronWorkflow `NAME-SECONDS`, as Argo names it; of all else the plan's name and some letters."""
    if envelope.plan.cron and logical_date and run_id.startswith(("scheduled__", "backfill__")):
        return f"{envelope.plan.name}-{int(logical_date.timestamp())}"
    return run_name(envelope.plan.name, dag_id, run_id)


def run_name(plan_name: str, dag_id: str, run_id: str) -> str:
    """The plan's name and five characters hashed from the run."""
    number = int.from_bytes(hashlib.sha256(f"{dag_id}\n{run_id}".encode()).digest()[:8])
    suffix = ""
    for _ in range(5):
        number, digit = divmod(number, len(_LETTERS))
        suffix += _LETTERS[digit]
    return f"{plan_name[: _MAX_NAME - 6].rstrip('-.')}-{suffix}"


def child_run_id(dag_id: str, run_id: str, name: str) -> str:
    """The run_id of a child run: a function of its parent's run and of `name`, so that no host starts it twice."""
    digest = hashlib.sha256(f"{dag_id}\n{run_id}\n{name}".encode()).hexdigest()
    return f"argo__{digest[:32]}"


def run_parameters(envelope: Envelope, conf: Mapping[str, Any]) -> dict[str, str]:
    """What the run's conf submits. A group in somebody's DAG takes from it only what its workflow declares."""
    submitted = submitted_parameters(conf)
    if envelope.prefix:
        arguments = envelope.plan.workflow.get("spec", {}).get("arguments") or {}
        declared = {parameter["name"] for parameter in arguments.get("parameters") or ()}
        submitted = {name: value for name, value in submitted.items() if name in declared}
    return {**submitted, **envelope.parameters}


def submitted_parameters(conf: Mapping[str, Any]) -> dict[str, str]:
    """The run's conf as `argo submit -p` would have said it; an empty field of the form (null) was not submitted."""
    given = {name: value for name, value in conf.items() if value is not None and name not in OWN_CONF}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
