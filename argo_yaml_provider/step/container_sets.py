"""How a pod with a containerSet ended, and each of its containers.

In: a pod as the API server has it, its template.  Out: its end, or None while any container may still run; phases by name.
Argo: workflow/controller/operator.go, inferFailedReason, updateNodeStatus for containers.
Must not know: HTTP, Airflow.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.pods.container_sets import needed_by
from argo_yaml_provider.pods.containers import MAIN
from argo_yaml_provider.step.outcome import START_FAILED, End, read_end, terminated

Json = dict[str, Any]


def read_set_end(pod: Json, template: Json, *, gone: bool = False) -> End | None:
    """How the pod ended: once every container has, but for those that wait for one that failed."""
    needs = needed_by(template)
    ends = {name: terminated(pod, name) for name in needs}
    failed = [name for name in sorted(needs, key=lambda name: name != MAIN) if _failed(ends[name])]
    blocked = _blocked(needs, set(failed))
    if gone or not all(ends[name] or name in blocked for name in needs):
        generic = read_end(pod, gone=gone)
        return generic if generic and (gone or pod.get("status", {}).get("phase") == "Failed") else None
    main = ends.get(MAIN)
    if main and read_end(pod) is None:
        # What main gave is still on its way to its store.
        return None
    exit_code = str(main.get("exitCode", 0)) if main else None
    if not failed:
        return End(phase=Phase.SUCCEEDED, exit_code=exit_code)
    status_message = pod.get("status", {}).get("message") if pod.get("status", {}).get("phase") == "Failed" else ""
    return End(phase=Phase.FAILED, message=status_message or _message(failed[0], ends[failed[0]] or {}), exit_code=exit_code)


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
