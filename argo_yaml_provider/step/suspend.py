"""A suspend step: it waits for its duration, without a pod and without a slot's worth of work.

In: a host, a decision.  Out: the Attempt, with the defaults of the outputs that nobody supplied.
Argo: workflow/controller/operator.go, executeSuspend.
Must not know: Airflow.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.flow.retry import parse_duration
from argo_yaml_provider.step.host import Host

Json = dict[str, Any]


async def run_suspend(host: Host, decision: Decision) -> Attempt:
    """Waits until the duration, counted from when the step first ran, is over; or until the step's deadline."""
    duration = (decision.template.get("suspend") or {}).get("duration")
    if duration in (None, ""):
        raise RunError(
            f"step {decision.node!r} is suspended until somebody resumes it, and this host cannot wait for that",
            help="give the template suspend.duration",
        )
    started_at = await host.once(f"suspend/{host.task_id}/{host.map_index}/{host.generation}/{decision.attempt}", _now)
    try:
        seconds = parse_duration(str(duration)) / 1e9
    except ExprError as error:
        return Attempt(phase=Phase.ERROR, message=error.message, started_at=started_at, finished_at=await _now())
    left = seconds - (datetime.now(UTC) - datetime.fromisoformat(started_at)).total_seconds()
    limit = decision.deadline_seconds
    await asyncio.sleep(max(0.0, left if limit is None else min(left, limit)))
    if limit is not None and limit < left:
        message = "Step exceeded its deadline"
        return Attempt(phase=Phase.FAILED, message=message, started_at=started_at, finished_at=await _now())
    return _resumed(decision, started_at, await _now())


def _resumed(decision: Decision, started_at: str, finished_at: str) -> Attempt:
    given, without = supplied_defaults(decision.template)
    if without:
        message = f"raw output parameter {without[0]!r} has not been set and does not have a default value"
        return Attempt(phase=Phase.ERROR, message=message, started_at=started_at, finished_at=finished_at)
    return Attempt(phase=Phase.SUCCEEDED, parameters=given, started_at=started_at, finished_at=finished_at)


def supplied_defaults(template: Json) -> tuple[dict[str, str | None], list[str]]:
    """The values of outputs that nobody supplied, their own default or that of the input so named; and those without."""
    inputs = {entry["name"]: entry.get("default") for entry in template.get("inputs", {}).get("parameters", [])}
    given: dict[str, str | None] = {}
    without = []
    for parameter in template.get("outputs", {}).get("parameters", []):
        name, source = parameter["name"], parameter.get("valueFrom") or {}
        if "supplied" not in source:
            given[name] = parameter.get("value")
            continue
        default = source.get("default", inputs.get(name))
        if default is None:
            without.append(name)
        else:
            given[name] = str(default)
    return given, without


async def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
