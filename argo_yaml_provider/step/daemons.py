"""A daemon's step is over once its pod serves; the pod goes on until the run ends.

In: pods.  Out: whether one serves, and the attempt that it then is; of one that died since, the outcome that it has now.
Must not know: hosts, who ends the pod. Argo: workflow/controller/operator.go, assessNodeStatus.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.pods.names import DAEMON_LABEL, task_labels
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.outcome import End, finished_at, read_end

Json = dict[str, Any]


def is_serving(pod: Json) -> bool:
    """Running, and every container ready."""
    status = pod.get("status", {})
    return status.get("phase") == "Running" and all(one.get("ready") for one in status.get("containerStatuses", ()))


def daemoned(pod: Json) -> Attempt:
    """A daemon has no outputs but its address."""
    status, created = pod["status"], pod["metadata"].get("creationTimestamp", "")
    ready = (one["lastTransitionTime"] for one in status.get("conditions", ()) if one["type"] == "Ready")
    return Attempt(
        phase=Phase.SUCCEEDED,
        pod=pod["metadata"]["name"],
        pod_ip=status.get("podIP", ""),
        host_node=pod.get("spec", {}).get("nodeName", ""),
        started_at=created,
        finished_at=next(ready, None) or created,
        daemoned=True,
    )


def end_of_daemon(end: End) -> End:
    """One that ends of itself before it served has failed, whatever its exit code."""
    return replace(end, phase=Phase.FAILED) if end.phase == Phase.SUCCEEDED else end


async def outcome_now(host: Host, outcome: Outcome) -> Outcome:
    """A daemon's outcome as its pod is now: one that died is told of, for good."""
    last = outcome.last
    if last is None or not last.daemoned:
        return outcome
    end = read_end_now(await host.kube.get(f"/api/v1/namespaces/{host.facts.namespace}/pods/{last.pod}"))
    if end is None:
        return outcome
    at = end.at or datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    death = {"phase": end.phase.value, "message": end.message, "exit_code": end.exit_code, "at": at}
    kept = await host.once(death_key(last.pod), lambda: _itself(death))
    return outcome.died(kept) if kept else outcome


def read_end_now(pod: Json | None) -> End | None:
    """How a daemon ended that was ready once."""
    if pod is None:
        return End(phase=Phase.ERROR, message="pod deleted")
    end = read_end(pod)
    return None if end is None else end_of_daemon(replace(end, at=finished_at(pod) or end.at))


async def spare_the_living(host: Host) -> None:
    """At the end of what encloses them: those that serve now have served to the end, whoever asks later."""
    labels = {DAEMON_LABEL: "true", **task_labels(host.dag_id, host.run_id)}
    for pod in await host.kube.list_pods(host.facts.namespace, labels):
        if read_end_now(pod) is None:
            await host.once(death_key(pod["metadata"]["name"]), lambda: _itself({}))


def death_key(pod: str) -> str:
    """Where the run keeps how a daemon ended: {} where it served to the end."""
    return f"daemon/{pod}"


async def _itself(value: Json) -> Json:
    return value
