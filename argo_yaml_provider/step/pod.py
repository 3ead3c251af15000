"""The life of one attempt's pod: created or taken over, watched, its logs written, its end read, deleted.

In: a host, a decision to run a pod.  Out: the Attempt.
Must not know: Airflow, how the flow decides.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.pods.build import build_pod
from argo_yaml_provider.pods.names import PodKey, pod_labels, pod_name
from argo_yaml_provider.pods.supervise import is_supervised
from argo_yaml_provider.step.capture import Captured, read_captured
from argo_yaml_provider.step.capture import captured as captured_from
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.kube import ApiError
from argo_yaml_provider.step.logs import LogReader
from argo_yaml_provider.step.outcome import End, finished_at, pending_reason, read_end, with_message
from argo_yaml_provider.step.watch import Seen

Json = dict[str, Any]

DELETE_POD = "delete the pod"
"""A host that cancels a step by `task.cancel(DELETE_POD)` has its pod deleted; any other cancellation leaves it to be found."""


def pod_key(host: Host, attempt: int) -> PodKey:
    """What the pod of an attempt belongs to."""
    return PodKey(
        dag_id=host.dag_id,
        run_id=host.run_id,
        task_id=host.task_id,
        map_index=host.map_index,
        generation=host.generation,
        attempt=attempt,
    )


async def run_pod(host: Host, decision: Decision) -> Attempt:
    """Runs the attempt's pod to its end, from wherever an earlier host left it."""
    key = pod_key(host, decision.attempt)
    manifest = build_pod(decision, facts=host.facts, settings=host.settings, name=pod_name(key), labels=pod_labels(key))
    try:
        pod, new = await host.kube.create_pod(manifest)
    except ApiError as error:
        return Attempt(phase=Phase.ERROR, message=error.message, pod=pod_name(key))
    host.log(f"Pod {pod['metadata']['namespace']}/{pod['metadata']['name']} {'created' if new else 'found, going on with it'}")
    try:
        pod, end, captured = await _watch(host, pod, decision)
    except asyncio.CancelledError as cancelled:
        if DELETE_POD in cancelled.args:
            await asyncio.shield(_delete(host, pod))
        raise
    return _attempt(pod, end, captured)


async def _watch(host: Host, pod: Json, decision: Decision) -> tuple[Json, End, Captured]:
    """Follows the pod and its logs until its end is known, its outputs are read and its logs are written."""
    logs = LogReader(host.kube, host.log)
    reason = ""
    try:
        async with host.kube.watch_pod(pod) as feed:
            while True:
                seen = await feed.next()
                end = read_end(seen.pod, gone=seen.gone)
                if end:
                    (end, captured), _ = await asyncio.gather(_read_outputs(host, seen, decision, end), logs.finish(seen.pod))
                    return seen.pod, end, captured
                logs.update(seen.pod)
                if (now := pending_reason(seen.pod)) != reason:
                    reason = now
                    host.log(reason or "Pod goes on")
    finally:
        logs.stop()


async def _read_outputs(host: Host, seen: Seen, decision: Decision, end: End) -> tuple[End, Captured]:
    """What the step gave; a step that succeeded and did not give all it declares is an Error."""
    if not is_supervised(decision):
        return end, captured_from({}, decision)
    try:
        captured = await read_captured(host.kube, seen.pod, decision)
    except RunError as lost:
        captured, failure = captured_from({}, decision), str(lost)
    else:
        failure = "; ".join(captured.missing)
    end = read_end(with_message(seen.pod, captured.message), gone=seen.gone) or end
    if failure and end.phase == Phase.SUCCEEDED:
        return replace(end, phase=Phase.ERROR, message=failure), captured
    return end, captured


def _attempt(pod: Json, end: End, captured: Captured) -> Attempt:
    status = pod.get("status", {})
    return Attempt(
        phase=end.phase,
        message=end.message,
        exit_code=end.exit_code,
        parameters=captured.parameters,
        result=captured.result,
        pod=pod["metadata"]["name"],
        pod_ip=status.get("podIP", ""),
        host_node=pod.get("spec", {}).get("nodeName", ""),
        started_at=pod["metadata"].get("creationTimestamp", ""),
        finished_at=finished_at(pod),
    )


async def _delete(host: Host, pod: Json) -> None:
    metadata = pod["metadata"]
    await host.kube.delete_pod(metadata["namespace"], metadata["name"], uid=metadata.get("uid"))


def delete_finished(host: Host, decision: Decision, attempt: Attempt) -> None:
    """Deletes the pod, unless the workflow's podGC or the deployment wants it kept; nobody waits for it.

    An Airflow user expects KubernetesPodOperator's default: a pod whose outcome and logs are read is deleted.
    """
    strategy = decision.workflow.get("podGC", {}).get("strategy")
    action = _POD_GC.get(strategy, host.settings.on_finish_action)
    unwanted = action == "delete_pod" or (action == "delete_succeeded_pod" and attempt.phase == Phase.SUCCEEDED)
    if attempt.pod and unwanted:
        host.kube.later(host.kube.delete_pod(host.facts.namespace, attempt.pod))


_POD_GC = {
    "OnPodCompletion": "delete_pod",
    "OnPodSuccess": "delete_succeeded_pod",
    "OnWorkflowCompletion": "keep_pod",
    "OnWorkflowSuccess": "keep_pod",
}
