"""The task before all others: whether, and when, the workflow starts.

In: a host, the spec's fields that say so.  Out: Outcome: Succeeded (go on), Skipped (a slot that is not run), or how it ended.
Argo: workflow/cron/operator.go, run; workflow/controller/operator.go, operate, until its first node.
Must not know: Airflow.
"""

from __future__ import annotations

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.flow.slots import judge_slot
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.step.artifacts import repository_named
from argo_yaml_provider.step.host import Host, Question


async def start_run(host: Host, spec: Json) -> Outcome:
    """Asked in Argo's order: the schedule's policies, the artifact repository, a person."""
    if (ended := await _slot(host)) is not None:
        return ended
    if host.facts.shutdown:
        return Outcome(phase=Phase.FAILED, message=f"Stopped with strategy '{host.facts.shutdown}'")
    if spec.get("artifactRepositoryRef"):
        try:
            await repository_named(host, spec["artifactRepositoryRef"])
        except RunError as error:
            host.log(str(error))
            return Outcome(phase=Phase.ERROR, message=f"failed to resolve artifact repository: {error.message}")
    if spec.get("suspend"):
        await host.ask_person(Question(node=host.facts.name), None)
    return Outcome(phase=Phase.SUCCEEDED)


async def _slot(host: Host) -> Outcome | None:
    """How the run ends at once, if the schedule's policies say so; settled once, however long a person is waited for."""
    if not host.plan.cron:
        return None

    async def judge() -> Json | None:
        ended = await _judged(host)
        return None if ended is None else ended.to_json()

    kept = await host.once(f"slot/{host.generation}", judge)
    return None if kept is None else Outcome.from_json(kept)


async def _judged(host: Host) -> Outcome | None:
    history = await host.history()
    if history is None:
        return None
    try:
        slot = judge_slot(host.plan.cron, host.facts.namespace, history)
    except ExprError as error:
        return Outcome(phase=Phase.ERROR, message=error.message)
    if slot.replaced:
        host.log(f"concurrencyPolicy Replace: {', '.join(slot.replaced)} ends")
        await host.end_runs(slot.replaced)
    return Outcome(phase=Phase.SKIPPED, message=f"slot skipped: {slot.skipped}") if slot.skipped else None
