"""How an attempt ended, read from its pod's status by Argo's rules.

In: a pod as the API server has it.  Out: its end, or None while it goes on.  Judged by main's own end, never by the pod's
phase, which comes a second later.
Argo: workflow/controller/operator.go, assessNodeStatus, inferFailedReason, getPendingReason.
Must not know: HTTP, Airflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.pods.containers import MAIN
from argo_yaml_provider.pods.supervise import SUPERVISOR

Json = dict[str, Any]

FETCH_PREFIX, STORE_PREFIX, DELETE_PREFIX = "argo-fetch-", "argo-store-", "argo-delete-"
"""Names of the containers that move artifacts."""
START_FAILED = "64"
"""What Argo's emissary exits with where the command cannot be started."""
_START_REASONS = {"StartError", "ContainerCannotRun"}
_KILLED = {137, 143}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a pod ended."""

    phase: Phase
    message: str = ""
    exit_code: str | None = None
    at: str = ""
    """When, where no container says it."""


def read_end(pod: Json, *, gone: bool = False) -> End | None:
    """How the pod ended, if it has."""
    status = pod.get("status", {})
    main = terminated(pod, MAIN)
    if main and not gone and still_stores(pod, main):
        return None
    exit_code = _exit_code(main)
    if status.get("phase") == "Failed" and status.get("message"):
        return End(phase=Phase.FAILED, message=status["message"], exit_code=exit_code)
    failure = _failure(pod) if main or status.get("phase") == "Failed" else None
    if failure:
        return End(phase=failure[0], message=failure[1], exit_code=exit_code)
    if main and main.get("exitCode") == 0:
        return End(phase=Phase.SUCCEEDED, exit_code=exit_code)
    if gone:
        return End(phase=Phase.ERROR, message="pod deleted", exit_code=exit_code)
    if status.get("phase") == "Failed":
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        return End(phase=Phase.FAILED, message=f"can't find failed message for pod {name} namespace {namespace}")
    return None


def still_stores(pod: Json, main: Json) -> bool:
    """Whether outputs of main, which has ended, are on their way. A supervisor that was killed has handed nothing on."""
    if pod["status"].get("phase") in ("Succeeded", "Failed"):
        return False
    if not main.get("message") or main.get("reason") in _START_REASONS:
        return False
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return any(status["name"].startswith(STORE_PREFIX) and "terminated" not in status.get("state", {}) for status in statuses)


def pending_reason(pod: Json) -> str:
    """Why the pod has not started yet, in the kubelet's or the scheduler's words; '' where nothing is wrong."""
    status = pod.get("status", {})
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = container.get("state", {}).get("waiting")
        if waiting and waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return ": ".join(filter(None, [container["name"], waiting["reason"], waiting.get("message")]))
    for condition in status.get("conditions", []):
        if condition.get("reason") == "Unschedulable":
            return ": ".join(filter(None, ["Unschedulable", condition.get("message")]))
    return ""


def terminated(pod: Json, container: str) -> Json | None:
    """The `terminated` state of a container, if it has ended."""
    for status in pod.get("status", {}).get("containerStatuses", []):
        if status["name"] == container:
            state: Json | None = status.get("state", {}).get("terminated")
            return state
    return None


def with_message(pod: Json, message: str, container: str = MAIN) -> Json:
    """The pod, with what main itself said at its end in place of what the supervisor handed on."""
    end = terminated(pod, container)
    return with_end(pod, container, {**end, "message": message}) if end else pod


def with_end(pod: Json, container: str, end: Json) -> Json:
    """The pod, with a container ended so."""
    statuses = [
        {**status, "state": {"terminated": end}} if status["name"] == container else status
        for status in pod.get("status", {}).get("containerStatuses", [])
    ]
    return {**pod, "status": {**pod.get("status", {}), "containerStatuses": statuses}}


def finished_at(pod: Json) -> str:
    """When the last of its containers ended; '' if none has."""
    statuses = [*pod.get("status", {}).get("initContainerStatuses", []), *pod.get("status", {}).get("containerStatuses", [])]
    ends = [status.get("state", {}).get("terminated", {}).get("finishedAt") for status in statuses]
    return max(filter(None, ends), default="")


def _exit_code(main: Json | None) -> str | None:
    if main is None:
        return None
    without_program = main.get("reason") in _START_REASONS and 'exec: "' in main.get("message", "")
    return START_FAILED if without_program else str(main.get("exitCode", 0))


def _failure(pod: Json) -> tuple[Phase, str] | None:
    """The first container that failed, in Argo's order: init containers, main, the supervisor, sidecars."""
    status = pod["status"]
    rank = {MAIN: 0, SUPERVISOR: 1}
    containers = sorted(status.get("containerStatuses", []), key=lambda container: rank.get(container["name"], 2))
    for container in [*status.get("initContainerStatuses", []), *containers]:
        name, state = container["name"], container.get("state", {})
        if (waiting := state.get("waiting")) and status.get("phase") == "Failed":
            reason = f"{waiting.get('reason', '')}: {waiting.get('message', '')}"
            return Phase.ERROR, f"Pod failed before {name} container starts due to {reason}"
        end = state.get("terminated")
        if name.startswith(STORE_PREFIX):
            continue
        if not end or end.get("exitCode") == 0 or (name not in rank and end.get("exitCode") in _KILLED):
            continue
        fetched = name.startswith(FETCH_PREFIX)
        message = f"{'init' if fetched else name}: {end.get('reason', '')} (exit code {end.get('exitCode')})"
        if end.get("message"):
            message += f": {end['message']}"
        return Phase.ERROR if fetched or name == SUPERVISOR else Phase.FAILED, message
    return None
