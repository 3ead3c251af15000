"""Stays with a daemon after its task has ended: tries it again where it dies, and ends it with the run, however that ends.

In: a host that can stay, the daemon's attempts.  Out: its newest outcome, published; no pod once the run is over.
Argo: workflow/controller/dag.go, which executes daemoned tasks again and again; a steps template leaves them alone.
Must not know: Airflow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.plan.nodes import Call, CallKind, Plan
from argo_yaml_provider.step.daemons import outcome_now
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.pod import run_pod

if TYPE_CHECKING:
    from argo_yaml_provider.flow.flow import Flow

T = TypeVar("T")
LOOK_SECONDS = 2.0


class Asks(Protocol):
    """Asks the flow."""

    async def ask(self, question: Callable[[Flow], T]) -> T:
        """The flow's answer."""


async def keep_daemon(host: Host, asker: Asks, attempts: tuple[Attempt, ...]) -> None:
    """Until the run is over, or nothing more is tried."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if await host.is_over():
            await host.kube.delete_pod(host.facts.namespace, attempts[-1].pod)
            return
        served = Outcome(phase=Phase.SUCCEEDED, attempts=attempts)
        now = await outcome_now(host, served)
        if now is served:
            continue
        host.log(f"the daemon has died: {now.message}")
        again = await _next_attempts(host, asker, now.attempts)
        if again is None:
            return
        attempts = again
        await host.publish(Outcome(phase=attempts[-1].phase, message=attempts[-1].message, attempts=attempts))


async def _next_attempts(host: Host, asker: Asks, attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...] | None:
    """Those so far and more, until one serves; None: none does."""
    if not is_retried(host.plan, next(task.call for task in host.plan.tasks if task.id == host.task_id)):
        return None
    again: tuple[Attempt, ...] | None = attempts
    while again is not None and not again[-1].daemoned:
        again = await _try_again(host, asker, again)
    return again


async def _try_again(host: Host, asker: Asks, attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...] | None:
    retry = await asker.ask(lambda flow: flow.retry(host.task_id, host.map_index, attempts))
    if retry.delay is None:
        return None
    await asyncio.sleep(retry.delay)
    decision = await asker.ask(lambda flow: flow.decide(host.task_id, host.map_index, attempts))
    if decision.outcome is not None or await host.is_over():
        return None
    return (*attempts, await run_pod(host, decision, attempts))


def is_retried(plan: Plan, call_id: str) -> bool:
    """Whether the call is a task of a dag, and not a step."""
    pending = [call for call in (plan.root, plan.on_exit, *plan.hooks) if call]
    while pending:
        call = pending.pop()
        members = [member for group in call.groups for member in group]
        if any(_is(member, call_id) for member in members):
            return call.kind is CallKind.DAG
        pending += [*members, *call.turns, *call.hooks]
    return False


def _is(member: Call, call_id: str) -> bool:
    return member.id == call_id or any(turn.id == call_id for turn in member.turns)
