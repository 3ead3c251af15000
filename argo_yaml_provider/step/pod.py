"""The life of one attempt's pod: created or taken over, watched, its logs written, its end and its outputs read.

In: a host, a decision to run a pod.  Out: the Attempt.
Must not know: Airflow, how the flow decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.pods.affinity import on_other_hosts
from argo_yaml_provider.pods.artifacts import Moves, plan_moves
from argo_yaml_provider.pods.build import build_pod, with_pod_name
from argo_yaml_provider.pods.container_sets import lead_of
from argo_yaml_provider.pods.names import ATTEMPT_LABEL, DAEMON_LABEL, PodKey, pod_labels, pod_name
from argo_yaml_provider.pods.supervise import NoEntrypoint, is_supervised
from argo_yaml_provider.step.announced import Announcement
from argo_yaml_provider.step.artifacts import Stored, repository_of, stored_of, with_way_out
from argo_yaml_provider.step.belongings import make_belongings
from argo_yaml_provider.step.capture import Captured, captured, read_captured
from argo_yaml_provider.step.container_sets import container_phases, read_set_end
from argo_yaml_provider.step.daemons import daemoned, end_of_daemon, is_serving
from argo_yaml_provider.step.entrypoints import look_up
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.kube import Kube
from argo_yaml_provider.step.limits import Limit, limit_of
from argo_yaml_provider.step.logs import LogReader
from argo_yaml_provider.step.outcome import STORE_PREFIX, End, finished_at, pending_reason, read_end, terminated, with_message
from argo_yaml_provider.step.reports import read_reports
from argo_yaml_provider.step.usage import asks_for_usage, used
from argo_yaml_provider.step.watch import PodFeed, Seen

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
        workflow=host.facts.name,
    )


async def delete_pods(host: Host) -> None:
    """Those of all attempts of this generation of the task."""
    labels = {name: value for name, value in pod_labels(pod_key(host, 0)).items() if name != ATTEMPT_LABEL}
    await host.kube.delete_pods(host.facts.namespace, labels)


async def run_pod(host: Host, decision: Decision, attempts: Sequence[Attempt] = ()) -> Attempt:
    """Runs the attempt's pod to its end, from wherever an earlier host left it."""
    key = pod_key(host, decision.attempt)
    try:
        await make_belongings(host, decision)
        repository = await repository_of(host, decision)
        named = with_pod_name(decision, host.facts, pod_name(key))
        host.moved = moves = plan_moves(named, repository, pod_name=pod_name(key))
        manifest = await _manifest(host, decision, key, moves)
        pod, new = await host.kube.create_pod(_off_failed_nodes(manifest, decision, attempts))
    except NoEntrypoint:
        raise
    except RunError as error:
        # As in Argo: a pod that cannot be built, or that the API server refuses, is an Error of its node.
        message = f"{error.message}: {error.help}" if error.help else error.message
        return Attempt(phase=Phase.ERROR, message=message, pod=pod_name(key), unmade=True)
    metadata = pod["metadata"]
    host.log(f"Pod {metadata['namespace']}/{metadata['name']} {'created' if new else 'found: going on with it'}")
    try:
        return await _watch(host, pod, decision, moves)
    except asyncio.CancelledError as cancelled:
        if DELETE_POD in cancelled.args:
            await asyncio.shield(host.kube.delete_pod(metadata["namespace"], metadata["name"], uid=metadata.get("uid")))
        raise


async def _manifest(host: Host, decision: Decision, key: PodKey, moves: Moves) -> Json:
    """The pod; what a supervised image starts is looked up where nobody said it."""

    def build() -> Json:
        name, labels = pod_name(key), pod_labels(key)
        if decision.template.get("daemon"):
            labels[DAEMON_LABEL] = "true"
        return build_pod(decision, facts=host.facts, settings=settings, name=name, labels=labels, moves=moves)

    settings = host.settings
    try:
        return build()
    except NoEntrypoint as unknown:
        found = await look_up(host, unknown.image, decision)
        if found is None:
            raise
        settings = replace(settings, images={**(settings.images or {}), unknown.image: found})
        return build()


def _off_failed_nodes(manifest: Json, decision: Decision, attempts: Sequence[Attempt]) -> Json:
    strategy = decision.template.get("retryStrategy") or decision.workflow.get("retryStrategy") or {}
    if (strategy.get("affinity") or {}).get("nodeAntiAffinity") is None:
        return manifest
    return on_other_hosts(manifest, [attempt.host_node for attempt in attempts])


async def _watch(host: Host, pod: Json, decision: Decision, moves: Moves) -> Attempt:
    """Follows the pod until its end is known, its outputs are read and its logs are written."""
    logs = LogReader(host.kube, host.log)
    reason = ""
    async with host.kube.watch_pod(pod) as feed:
        announcement = Announcement(host.kube, feed, expected=_is_announced(host, decision, moves))
        seen = Seen(pod=pod)
        try:
            while True:
                seen, end = await _next(host, feed, seen, decision)
                if end:
                    end = replace(end, message=with_way_out(end.message, moves))
                    end = end_of_daemon(end) if decision.template.get("daemon") else end
                    given, _ = await asyncio.gather(_outputs(host, seen, decision, end, moves), logs.finish(seen.pod))
                    attempt = _with_containers(_attempt(seen.pod, *given), seen.pod, decision)
                    return replace(attempt, resources=used(seen.pod)) if asks_for_usage(host.plan) else attempt
                logs.update(seen.pod)
                announcement.update(seen.pod)
                if decision.template.get("daemon") and is_serving(seen.pod):
                    host.log("the daemon is ready")
                    return daemoned(seen.pod)
                if (now := pending_reason(seen.pod)) != reason:
                    reason = now
                    host.log(f"waiting: {reason}" if reason else "the wait is over")
        finally:
            logs.stop()
            announcement.stop()


def _is_announced(host: Host, decision: Decision, moves: Moves) -> bool:
    """Whether the supervisor may say that the step has ended, and that is all there is to know."""
    alone = not moves.outputs and "containerSet" not in decision.template and not decision.template.get("daemon")
    return alone and is_supervised(decision, moves) and not asks_for_usage(host.plan)


async def _next(host: Host, feed: PodFeed, seen: Seen, decision: Decision) -> tuple[Seen, End | None]:
    """The pod's next state, and its end if that is one; or the end of what it may take."""
    limit: Limit | None = limit_of(seen.pod, decision)
    try:
        async with asyncio.timeout(limit.seconds if limit else None):
            seen = await feed.next()
    except TimeoutError:
        assert limit
        # Whatever becomes of other pods: one that never started must not start later.
        metadata = seen.pod["metadata"]
        host.kube.later(host.kube.delete_pod(metadata["namespace"], metadata["name"], uid=metadata.get("uid")))
        return seen, limit.end
    return seen, _end(seen.pod, decision, gone=seen.gone)


async def _outputs(host: Host, seen: Seen, decision: Decision, end: End, moves: Moves) -> tuple[End, Captured, Stored]:
    """What the step gave; a step that succeeded and did not give all it declares is an Error."""
    lead = lead_of(decision.template)
    if not is_supervised(decision, moves) or terminated(seen.pod, lead) is None:
        return end, captured({}, decision), Stored()
    try:
        found = await read_captured(host.kube, seen.pod, decision)
    except (RunError, OSError) as lost:
        found, failures = captured({}, decision), [str(lost)]
    else:
        failures = list(found.missing)
    stored = await _stored(host.kube, seen.pod, moves)
    end = _end(with_message(seen.pod, found.message, lead), decision, gone=seen.gone) or end
    failure = "; ".join((*failures, *stored.problems))
    if failure and end.phase == Phase.SUCCEEDED:
        end = replace(end, phase=Phase.ERROR, message=failure)
    return end, found, stored


async def _stored(kube: Kube, pod: Json, moves: Moves) -> Stored:
    try:
        return stored_of(pod, moves, await read_reports(kube, pod, STORE_PREFIX))
    except (RunError, OSError) as lost:
        return Stored(problems=(f"what became of the artifacts cannot be read: {lost}",))


def _end(pod: Json, decision: Decision, *, gone: bool) -> End | None:
    """The pod's end, judged by main alone or by all containers of a set."""
    if "containerSet" in decision.template:
        return read_set_end(pod, decision.template, gone=gone)
    return read_end(pod, gone=gone)


def _with_containers(attempt: Attempt, pod: Json, decision: Decision) -> Attempt:
    if "containerSet" not in decision.template:
        return attempt
    return replace(attempt, containers=container_phases(pod, decision.template))


def _attempt(pod: Json, end: End, outputs: Captured, stored: Stored) -> Attempt:
    status = pod.get("status", {})
    return Attempt(
        phase=end.phase,
        message=end.message,
        exit_code=end.exit_code,
        parameters=outputs.parameters,
        result=outputs.result,
        artifacts=stored.artifacts,
        pod=pod["metadata"]["name"],
        pod_ip=status.get("podIP", ""),
        host_node=pod.get("spec", {}).get("nodeName", ""),
        started_at=pod["metadata"].get("creationTimestamp", ""),
        finished_at=finished_at(pod) or end.at,
    )
