"""One task from its start to its end, for any host: decide, run, record, decide again.

In: a `Host`.  Out: `Ended`.  Written once for executor, triggerer and worker.
Must not know: Airflow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.plan.nodes import CallKind, TaskKind
from argo_yaml_provider.pods.names import pod_name
from argo_yaml_provider.step.host import Ended, Host
from argo_yaml_provider.step.pod import DELETE_POD, delete_finished, pod_key, run_pod
from argo_yaml_provider.step.source import Loaded

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
    if task.kind == TaskKind.FANOUT:
        outcome, indices = await asker.ask(lambda flow: flow.fan_out(host.task_id, host.map_index))
        return Ended(outcome=outcome, indices=indices)
    if task.kind == TaskKind.VERDICT:
        return Ended(outcome=await asker.ask(lambda flow: flow.verdict()))
    return await _run_step(host, asker)


class Asker:
    """Asks the flow; what it lacks is fetched, then it is asked again."""

    def __init__(self, host: Host) -> None:
        from argo_yaml_provider.flow.flow import Flow

        self._loaded = Loaded(host)
        self._flow = Flow(host.plan, host.facts, self._loaded)

    async def ask(self, question: Callable[[Flow], T]) -> T:
        """The flow's answer."""
        return await self._loaded.complete(lambda: question(self._flow))


async def _run_step(host: Host, asker: Asker) -> Ended:
    attempts = await host.attempts()
    if attempts and (ended := await _ended(host, asker, attempts)).retry_after is None:
        return ended
    decision = await asker.ask(lambda flow: flow.decide(host.task_id, host.map_index, attempts))
    if decision.outcome is not None:
        return Ended(outcome=decision.outcome)
    attempt, child = await _run_attempt(host, decision)
    attempts = (*attempts, attempt)
    await host.record_attempts(attempts)
    delete_finished(host, decision, attempt)
    ended = await _ended(host, asker, attempts)
    return ended if child is None else replace(ended, outcome=replace(ended.outcome, values=child.values, child=child.child))


async def _ended(host: Host, asker: Asker, attempts: tuple[Attempt, ...]) -> Ended:
    """What follows the last attempt."""
    last = attempts[-1]
    if last.phase == Phase.SUCCEEDED:
        return Ended(outcome=Outcome(phase=last.phase, message=last.message, attempts=attempts))
    retry = await asker.ask(lambda flow: flow.retry(host.task_id, host.map_index, attempts))
    return Ended(outcome=retry.outcome, retry_after=retry.delay)


async def _run_attempt(host: Host, decision: Decision) -> tuple[Attempt, Outcome | None]:
    """One attempt of whatever kind, and the child run's outcome where it was one."""
    if decision.kind == CallKind.POD:
        return await run_pod(host, decision), None
    if decision.kind == CallKind.CHILD:
        name = pod_name(pod_key(host, decision.attempt))
        outcome = await host.run_child(decision.child, name, decision.child_conf)
        return Attempt(phase=outcome.phase, message=outcome.message, child=outcome.child), outcome
    raise RunError(f"a step of kind {decision.kind.value!r} cannot be run yet")
