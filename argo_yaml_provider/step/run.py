"""One task from its start to its end, for any host: decide, run, record, decide again.

In: a `Host`.  Out: `Ended`.  Written once for executor, triggerer and worker.
Must not know: Airflow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import COLLECTED, Attempt, Outcome, Phase
from argo_yaml_provider.flow.results import of_attempt, of_verdict
from argo_yaml_provider.plan.nodes import CallKind, Json, TaskKind
from argo_yaml_provider.pods.names import pod_name
from argo_yaml_provider.step.belongings import delete_belongings
from argo_yaml_provider.step.collect import collect, collects
from argo_yaml_provider.step.daemons import spare_the_living
from argo_yaml_provider.step.data import run_data
from argo_yaml_provider.step.ending import end_daemons, put_away, put_away_all
from argo_yaml_provider.step.host import Ended, Host
from argo_yaml_provider.step.http import run_http
from argo_yaml_provider.step.keeper import keep_daemon
from argo_yaml_provider.step.locks import (
    RENEW_SECONDS,
    hold_while_away,
    holding,
    is_synchronized,
    keep,
    release,
    step_locks,
    workflow_locks,
)
from argo_yaml_provider.step.manifest import NotFetched, with_manifest
from argo_yaml_provider.step.measure import measured_run, measured_step, measuring
from argo_yaml_provider.step.memoize import find_cached, save_cached
from argo_yaml_provider.step.pod import DELETE_POD, pod_key, run_pod
from argo_yaml_provider.step.resource import run_resource
from argo_yaml_provider.step.source import Loaded
from argo_yaml_provider.step.start import start_run
from argo_yaml_provider.step.suspend import run_suspend

if TYPE_CHECKING:
    from argo_yaml_provider.flow.flow import Flow

__all__ = ["DELETE_POD", "run_task"]

T = TypeVar("T")


async def run_task(host: Host) -> Ended:
    """Runs the host's task, whatever its kind, from wherever an earlier host left it."""
    asker = Asker(host)
    task = next((task for task in host.plan.tasks if task.id == host.task_id), None)
    if task is None:
        raise RunError(f"the plan {host.plan.name!r} has no task {host.task_id!r}", help="the DAG was changed: clear the run")
    if task.kind == TaskKind.START:
        return Ended(outcome=await start_run(host, await asker.ask(lambda flow: flow.start_spec())))
    if task.kind == TaskKind.FANOUT:
        outcome, indices = await asker.ask(lambda flow: flow.fan_out(host.task_id, host.map_index), apart=True)
        return Ended(outcome=outcome, indices=indices)
    if task.kind == TaskKind.VERDICT:
        verdict = await asker.ask(lambda flow: flow.verdict(), apart=True)
        put_away_all(host, verdict.phase)
        if not host.facts.depth and is_synchronized(host.plan):
            await release(host, workflow_locks(host, await asker.ask(lambda flow: flow.lock_spec())))
        if any(template.get("daemon") for template in host.plan.templates.values()):
            await spare_the_living(host)
            end_daemons(host)
        host.kube.later(delete_belongings(host, verdict.phase))
        if not host.facts.depth and collects(host.plan):
            gone = await collect(host, await asker.ask(lambda flow: flow.nodes()))
            verdict = replace(verdict, values={**verdict.values, COLLECTED: gone})
        return await measured_run(host, asker, verdict)
    if host.map_index >= 0:
        host.turn = await asker.ask(lambda flow: flow.turn(host.task_id, host.map_index))
    return await measured_step(host, asker, await _run_step(host, asker))


class Asker:
    """Asks the flow; what it lacks is fetched, then it is asked again."""

    def __init__(self, host: Host) -> None:
        from argo_yaml_provider.flow.flow import Flow
        from argo_yaml_provider.flow.ground import ground_of

        self._loaded = Loaded(host)
        ground = ground_of(host.plan, host.facts)
        self._flow = Flow(host.plan, host.facts, self._loaded, deepest=host.settings.max_depth, ground=ground)

    async def ask(self, question: Callable[[Flow], T], *, apart: bool = False) -> T:
        """The flow's answer; what is known to take long is asked `apart`, in a thread."""
        return await self._loaded.complete(lambda: question(self._flow), apart=apart)


async def _run_step(host: Host, asker: Asker) -> Ended:
    """With the locks it needs, which it keeps until its last attempt is over."""
    attempts = await host.attempts()
    if not is_synchronized(host.plan):
        return await _run_locked(host, asker, attempts)
    decision = await asker.ask(lambda flow: flow.decide(host.task_id, host.map_index, attempts))
    locks = step_locks(host, decision)
    try:
        async with holding(host, workflow_locks(host, decision.workflow)), holding(host, locks):
            ended = await _run_locked(host, asker, attempts)
    except asyncio.CancelledError as cancelled:
        if DELETE_POD in cancelled.args:
            await asyncio.shield(release(host, locks))
        raise
    except RunError:
        await release(host, locks)
        raise
    except Exception:
        # It waits for a person, or for a server to come back: another life will go on.
        host.stay(hold_while_away(host, (*workflow_locks(host, decision.workflow), *locks)))
        raise
    if not host.facts.depth and host.task_id == host.plan.tasks[0].id:
        # Between two steps nobody lives who would renew the workflow's own; nor would a verdict that never comes release them.
        host.stay(hold_while_away(host, workflow_locks(host, decision.workflow)))
    if ended.retry_after is None:
        await release(host, locks)
    elif ended.retry_after > RENEW_SECONDS:
        await keep(host, (*workflow_locks(host, decision.workflow), *locks), ended.retry_after)
    return ended


async def _run_locked(host: Host, asker: Asker, attempts: tuple[Attempt, ...]) -> Ended:
    if attempts and (ended := await _ended(host, asker, attempts)).retry_after is None:
        return ended
    # Asked only now: what is left of a deadline has become less while the step waited.
    decision = await asker.ask(lambda flow: flow.decide(host.task_id, host.map_index, attempts))
    if decision.outcome is not None:
        return Ended(outcome=decision.outcome)
    if not attempts and (cached := await _cached(host, decision)) is not None:
        return Ended(outcome=cached)
    if decision.kind is CallKind.CHILD:
        return await _run_child(host, asker, decision, attempts)
    async with measuring(host, asker):
        attempt = await _memoized(host, decision, await _run_attempt(host, decision, attempts))
    attempts = (*attempts, attempt)
    await host.record_attempts(attempts)
    put_away(host, decision, attempt)
    if attempt.daemoned:
        host.stay(keep_daemon(host, asker, attempts))
    return await _ended(host, asker, attempts)


async def _cached(host: Host, decision: Decision) -> Outcome | None:
    """What the cache has for the step; asked once, for a host that goes on with a pod must not find what it gave."""
    if "memoize" not in decision.template:
        return None

    async def look() -> Json | None:
        found = await find_cached(host, decision)
        return None if found is None else found.to_json()

    kept = await host.once(f"memoize/{host.task_id}/{host.map_index}/{host.generation}", look)
    return None if kept is None else Outcome.from_json(kept)


async def _memoized(host: Host, decision: Decision, attempt: Attempt) -> Attempt:
    """Keeps in the cache what the attempt gave, if it succeeded."""
    wrong = await save_cached(host, decision, of_attempt(attempt)) if attempt.phase == Phase.SUCCEEDED else ""
    return replace(attempt, phase=Phase.ERROR, message=wrong) if wrong else attempt


async def _ended(host: Host, asker: Asker, attempts: tuple[Attempt, ...]) -> Ended:
    """What follows the last attempt."""
    last = attempts[-1]
    if last.phase == Phase.SUCCEEDED:
        return Ended(outcome=Outcome(phase=last.phase, message=last.message, attempts=attempts))
    retry = await asker.ask(lambda flow: flow.retry(host.task_id, host.map_index, attempts))
    return Ended(outcome=retry.outcome, retry_after=retry.delay)


async def _run_attempt(host: Host, decision: Decision, attempts: tuple[Attempt, ...]) -> Attempt:
    if "data" in decision.template:
        return await run_data(host, decision, attempts)
    if decision.kind is CallKind.POD:
        return await run_pod(host, decision, attempts)
    if decision.kind is CallKind.SUSPEND:
        return await run_suspend(host, decision)
    if decision.kind is CallKind.RESOURCE:
        try:
            decision = await with_manifest(host, decision)
        except NotFetched as failed:
            return failed.attempt
        return await run_resource(host, decision, pod_key(host, decision.attempt))
    if decision.kind is CallKind.HTTP:
        return await run_http(host, decision)
    raise RunError(f"step {decision.node!r}: a template of kind {decision.kind.value} cannot be run yet")


async def _run_child(host: Host, asker: Asker, decision: Decision, attempts: tuple[Attempt, ...]) -> Ended:
    """A child run; only one that is followed by another is recorded: the last is found again, with its verdict, by its name."""
    name = pod_name(pod_key(host, decision.attempt))
    child = await host.run_child(decision.child, name, decision.child_conf)
    if (shutdown := child.values.get("shutdown")) and shutdown != host.facts.shutdown:
        host.facts = replace(host.facts, shutdown=shutdown)  # since this step began, the run was stopped
        asker = Asker(host)
    attempt = Attempt(
        phase=child.phase,
        message=child.message,
        child=child.child,
        started_at=child.values.get("started_at", ""),
        finished_at=child.values.get("finished_at", ""),
    )
    wrong = await save_cached(host, decision, of_verdict(child)) if attempt.phase == Phase.SUCCEEDED else ""
    attempts = (*attempts, replace(attempt, phase=Phase.ERROR, message=wrong) if wrong else attempt)
    ended = await _ended(host, asker, attempts)
    if ended.retry_after is not None:
        await host.record_attempts(attempts)
        return ended
    return Ended(outcome=replace(ended.outcome, values={**child.values, **ended.outcome.values}, child=child.child))
