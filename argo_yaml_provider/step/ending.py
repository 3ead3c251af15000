"""What becomes of a pod whose outcome and logs are read.

An Airflow user expects KubernetesPodOperator's default: it is deleted. The workflow's own podGC goes before that, and
the deployment's `on_finish_action` may keep all pods or the failed ones.
Must not know: Airflow, how a pod runs.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.pods.containers import MAIN
from argo_yaml_provider.pods.names import DAEMON_LABEL, task_labels
from argo_yaml_provider.pods.supervise import SUPERVISOR
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.kube import ApiError

_POD_GC = {
    "OnPodCompletion": "delete_pod",
    "OnPodSuccess": "delete_succeeded_pod",
    "OnWorkflowCompletion": "keep_pod",
    "OnWorkflowSuccess": "keep_pod",
}


_ENDED = {MAIN, SUPERVISOR}
"""Whose end was told already: main's perhaps by the supervisor, before its pod's status knows of it."""
_TERMS = {"In": "{key} in ({values})", "NotIn": "{key} notin ({values})", "Exists": "{key}", "DoesNotExist": "!{key}"}


def put_away(host: Host, decision: Decision, attempt: Attempt) -> None:
    """Deletes an attempt's pod or leaves it; nobody waits for it."""
    if not attempt.pod or attempt.daemoned:
        return
    pod_gc = decision.workflow.get("podGC") or {}
    strategy = pod_gc.get("strategy") or ""
    action = _POD_GC.get(strategy, host.settings.on_finish_action)
    if action == "delete_pod" or (action == "delete_succeeded_pod" and attempt.phase == Phase.SUCCEEDED):
        host.kube.later(_delete(host, attempt.pod, _terms(pod_gc) if strategy else []))
    else:
        host.kube.later(_end_sidecars(host, attempt.pod))


def put_away_all(host: Host, phase: Phase) -> None:
    """At the workflow's end: deletes the pods that podGC kept until then."""
    pod_gc = (host.plan.workflow.get("spec") or host.plan.workflow).get("podGC") or {}
    strategy = pod_gc.get("strategy")
    if strategy == "OnWorkflowCompletion" or (strategy == "OnWorkflowSuccess" and phase == Phase.SUCCEEDED):
        mine = task_labels(host.dag_id, host.run_id)
        host.kube.later(host.kube.delete_pods(host.facts.namespace, mine, terms=_terms(pod_gc)))


async def _delete(host: Host, name: str, terms: list[str]) -> None:
    """One that podGC does not choose is left. Argo: workflow/controller/pod/cleanup.go."""
    if not terms:
        await host.kube.delete_pod(host.facts.namespace, name)
        return
    await host.kube.delete_pods(host.facts.namespace, task_labels(host.dag_id, host.run_id), terms=terms, name=name)
    await _end_sidecars(host, name)


def _terms(pod_gc: dict[str, Any]) -> list[str]:
    """Which pods podGC means, as the API server is asked for them; none: all."""
    selector = pod_gc.get("labelSelector") or {}
    labels = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    return labels + [
        _TERMS[one["operator"]].format(key=one["key"], values=",".join(one.get("values") or ()))
        for one in selector.get("matchExpressions") or ()
    ]


def end_daemons(host: Host) -> None:
    """At the end of what encloses them, which is the run: a composite that calls a daemon in another is a child run."""
    labels = {DAEMON_LABEL: "true", **task_labels(host.dag_id, host.run_id)}
    host.kube.later(host.kube.delete_pods(host.facts.namespace, labels))


async def _end_sidecars(host: Host, name: str) -> None:
    """Ends what still runs in a pod that is kept: nothing but a deadline ends a container and leaves its pod."""
    path = f"/api/v1/namespaces/{host.facts.namespace}/pods/{name}"
    pod = await host.kube.get(path) or {}
    if "deletionTimestamp" in pod.get("metadata", {}):
        return
    statuses = pod.get("status", {}).get("containerStatuses", [])
    if any("running" in status.get("state", {}) and status["name"] not in _ENDED for status in statuses):
        try:
            await host.kube.call("PATCH", path, body={"spec": {"activeDeadlineSeconds": 1}})
        except ApiError as error:
            host.log(f"the sidecars of pod {name} could not be ended: {error.message}")
