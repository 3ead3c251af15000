"""A step that the host stopped because it took too long: its attempt has failed, and Argo's rules say what follows.

In: a host whose step was cancelled.  Out: `Ended`.
Must not know: Airflow, whose timeout it was.
"""

from __future__ import annotations

from datetime import UTC, datetime

from argo_yaml_provider.flow.clock import rfc3339
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.plan.nodes import TaskKind
from argo_yaml_provider.pods.names import pod_name
from argo_yaml_provider.step.host import Ended, Host
from argo_yaml_provider.step.locks import is_synchronized, release, step_locks
from argo_yaml_provider.step.pod import pod_key
from argo_yaml_provider.step.run import Asker


async def end_overdue(host: Host, message: str) -> Ended:
    """The end of the attempt that ran; the host sees to its pod."""
    task = next(task for task in host.plan.tasks if task.id == host.task_id)
    failed = Outcome(phase=Phase.FAILED, message=message)
    if task.kind is not TaskKind.STEP:
        return Ended(outcome=failed, indices=[] if task.kind is TaskKind.FANOUT else None)
    asker, attempts = Asker(host), await host.attempts()
    decision = await asker.ask(lambda flow: flow.decide(host.task_id, host.map_index, attempts))
    if decision.outcome is not None:
        return Ended(outcome=failed)
    name, now = pod_name(pod_key(host, decision.attempt)), rfc3339(datetime.now(UTC))
    attempts = (*attempts, Attempt(phase=Phase.FAILED, message=message, pod=name, started_at=now, finished_at=now))
    await host.record_attempts(attempts)
    retry = await asker.ask(lambda flow: flow.retry(host.task_id, host.map_index, attempts))
    if retry.delay is None and is_synchronized(host.plan):
        await release(host, step_locks(host, decision))
    return Ended(outcome=retry.outcome, retry_after=retry.delay)
