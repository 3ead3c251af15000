"""A suspend step: it waits for its duration or for a person, without a pod and without a slot's worth of work.

In: a host, a decision.  Out: the Attempt, with what was supplied, or the defaults of what was not.
Argo: workflow/controller/operator.go, executeSuspend; a resume without a value that has no default is refused.
Must not know: Airflow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.flow.suspend import asked_of, seconds_of, supplied_outputs
from argo_yaml_provider.step.host import Host, Question

_DEADLINE = "Step exceeded its deadline"


async def run_suspend(host: Host, decision: Decision) -> Attempt:
    """Waits until it may go on, counted from when the step first ran; or until the step's deadline."""
    started_at = await host.once(f"suspend/{host.task_id}/{host.map_index}/{host.generation}/{decision.attempt}", _now)
    try:
        seconds = seconds_of(decision.template)
        if seconds is None:
            values = await _answered(host, decision)
        else:
            begun = datetime.fromisoformat(started_at)
            values = await _slept(decision, seconds - (datetime.now(UTC) - begun).total_seconds())
    except ExprError as error:
        return Attempt(phase=Phase.ERROR, message=error.message, started_at=started_at, finished_at=await _now())
    if values is None:
        return Attempt(phase=Phase.FAILED, message=_DEADLINE, started_at=started_at, finished_at=await _now())
    return Attempt(phase=Phase.SUCCEEDED, parameters={**values}, started_at=started_at, finished_at=await _now())


async def _slept(decision: Decision, seconds: float) -> Mapping[str, str] | None:
    """The defaults, after so many seconds; None: its deadline comes first."""
    limit = decision.deadline_seconds
    await asyncio.sleep(max(0.0, seconds if limit is None else min(seconds, limit)))
    return None if limit is not None and limit < seconds else supplied_outputs(decision.template, {})


async def _answered(host: Host, decision: Decision) -> Mapping[str, str] | None:
    """What a person supplied, once it is all there; None: its deadline came first."""
    limit, problem = decision.deadline_seconds, ""
    while limit is None or limit > 0:
        question = Question(node=decision.node, asked=asked_of(decision.template), problem=problem)
        supplied = await host.ask_person(question, limit)
        if supplied is None:
            return None
        try:
            return supplied_outputs(decision.template, supplied)
        except ExprError as error:
            problem = error.message
            host.log(f"not resumed: {problem}")
    return None


async def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
