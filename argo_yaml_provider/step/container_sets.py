"""How a pod with a containerSet ended, and each of its containers.

In: a pod as the API server has it, its template.  Out: its end, or None while any container may still run; phases by name.
Argo: workflow/controller/operator.go, inferFailedReason, updateNodeStatus for containers.
Must not know: HTTP, Airflow.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.pods.container_sets import lead_of, needed_by
from argo_yaml_provider.pods.containers import MAIN
from argo_yaml_provider.step.outcome import START_FAILED, STORE_PREFIX, End, read_end, still_stores, terminated

Json = dict[str, Any]


def read_set_end(pod: Json, template: Json, *, gone: bool = False) -> End | None:
    """How the pod ended: once every container has, but for those that wait for one that failed."""
    needs = needed_by(template)
    ends = {name: end for name in needs if (end := terminated(pod, name))}
    lead = ends.get(lead_of(template))
    known = _foreseen(needs, ends)
    # The one that hands on the logs waits for all others.
    if gone or known.keys() != needs.keys() or (lead is None and _stores(pod)):
        generic = read_end(pod, gone=gone)
        return generic if generic and (gone or pod.get("status", {}).get("phase") == "Failed") else None
    if lead and still_stores(pod, lead):
        return None
    exit_code = str(known[MAIN].get("exitCode", 0)) if MAIN in known else None
    failed = sorted(name for name in needs if _failed(known[name]))
    if not failed:
        return End(phase=Phase.SUCCEEDED, exit_code=exit_code)
    status_message = pod.get("status", {}).get("message") if pod.get("status", {}).get("phase") == "Failed" else ""
    # Of several, the first by name: so the kubelet sorts them.
    message = status_message or _message(failed[0], known[failed[0]])
    return End(phase=Phase.FAILED, message=message, exit_code=exit_code)


def _foreseen(needs: dict[str, tuple[str, ...]], ends: dict[str, Json]) -> dict[str, Json]:
    """The ends, with those of containers that are about to give up, because one that they wait for has failed."""
    known = dict(ends)
    for name in _in_order(needs):
        failed = next((need for need in needs[name] if _failed(known.get(need))), None)
        if failed and name not in known:
            message = f'dependency "{failed}" exited with non-zero code: {known[failed]["exitCode"]}'
            known[name] = {"reason": "Error", "exitCode": int(START_FAILED), "message": message}
    return known


def _in_order(needs: dict[str, tuple[str, ...]]) -> list[str]:
    """All containers, each behind those that it waits for."""
    order: list[str] = []
    while more := [name for name in needs if name not in order and set(needs[name]) <= {*order}]:
        order += more
    return order


def _stores(pod: Json) -> bool:
    return any(status["name"].startswith(STORE_PREFIX) for status in pod.get("status", {}).get("containerStatuses", []))


def container_phases(pod: Json, template: Json) -> dict[str, str]:
    """The phases of the set's containers that have ended, or that never will begin."""
    needs = needed_by(template)
    ends = {name: terminated(pod, name) for name in needs}
    failed = {name for name in needs if _failed(ends[name])}
    # One that was out of memory leaves no word of its end: those that wait for it are stopped, instead of giving up.
    stopped = _blocked(needs, {name for name in failed if (ends[name] or {}).get("reason") == "OOMKilled"})
    unmet = dict.fromkeys(_blocked(needs, failed), Phase.ERROR) | dict.fromkeys(stopped, Phase.FAILED)
    phases = {name: _phase(end.get("exitCode", 0)) for name, end in ends.items() if end and name not in stopped}
    return {name: phase.value for name, phase in (unmet | phases).items()}


def _phase(exit_code: int) -> Phase:
    """Argo's emissary exits with 64 where it could not start the command, as one whose dependency failed."""
    if exit_code == 0:
        return Phase.SUCCEEDED
    return Phase.ERROR if str(exit_code) == START_FAILED else Phase.FAILED


def _failed(end: Json | None) -> bool:
    return bool(end) and (end or {}).get("exitCode", 0) != 0


def _blocked(needs: dict[str, tuple[str, ...]], failed: set[str]) -> set[str]:
    """All that depend on one of these, however far away."""
    blocked: set[str] = set()
    while more := {name for name, names in needs.items() if name not in blocked and (failed | blocked) & set(names)}:
        blocked |= more
    return blocked


def _message(name: str, end: Json) -> str:
    message = f"{name}: {end.get('reason', '')} (exit code {end.get('exitCode')})"
    return f"{message}: {end['message']}" if end.get("message") else message
