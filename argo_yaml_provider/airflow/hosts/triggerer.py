"""A step run by Airflow's triggerer: it starts there, without a worker, and ends there, all its attempts within one try.

In: the task instance that the triggerer hands its trigger.  Out: the outcome under XCom `argo`, the event that ends the task.
A triggerer that goes away leaves everything as it is: another one starts the same trigger, which finds the pod by its name.
Must not know: how a step is run (step.run), nor the metadata database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk.execution_time.xcom import XCom
from airflow.triggers.base import BaseTrigger, TaskFailedEvent, TaskSkippedEvent, TaskSuccessEvent, TriggerEvent

from argo_yaml_provider.airflow.envelope import OUTCOME_KEY, envelope_of
from argo_yaml_provider.airflow.hosts.keys import attempts_key
from argo_yaml_provider.airflow.hosts.turns import Limits
from argo_yaml_provider.airflow.hosts.turns_kube import TurnsKube, Waited, shared
from argo_yaml_provider.airflow.hosts.values import RunValues, attempts_from_json, attempts_to_json
from argo_yaml_provider.airflow.measure import send
from argo_yaml_provider.airflow.settings import lost_host_retries, triggerer_limit
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.metrics import Measurement
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.flow.slots import History
from argo_yaml_provider.plan.nodes import Json, TaskKind
from argo_yaml_provider.pods.names import PREFIX, task_labels
from argo_yaml_provider.step.host import Ended, Question
from argo_yaml_provider.step.kube import Kube

AGAIN = 5.0
"""Seconds after which a step that went wrong through no fault of its own is taken up again."""
EARLY = timedelta(seconds=1)
"""How long before Airflow would, which needs a worker for it, a step that takes longer than its execution_timeout is ended."""
_RETURN_VALUE = "return_value"
_EVENTS: dict[Phase, type[TriggerEvent]] = {
    Phase.SUCCEEDED: TaskSuccessEvent,
    Phase.SKIPPED: TaskSkippedEvent,
    Phase.OMITTED: TaskSkippedEvent,
    Phase.ABSENT: TaskSkippedEvent,
}


class StepTrigger(BaseTrigger):
    """One step, from its start to its end."""

    timeout_after: datetime | None = None
    _life: Life | None = None
    _work: asyncio.Task[TriggerEvent] | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Nothing: the task instance says it all."""
        return f"{__name__}.StepTrigger", {}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """The event that ends the task. Whoever cancels this leaves the step as it is, for `on_kill` to decide."""
        await shared().ready()
        self._life = Life(TriggererHost(self.task_instance, self.log), self.timeout_after)
        self._work = asyncio.create_task(self._life.run())
        yield await asyncio.shield(self._work)

    async def on_kill(self) -> None:
        """Somebody ended or cleared the task: its pod goes. Not if another triggerer has it, or its next try, which tidies."""
        from argo_yaml_provider.step.run import DELETE_POD

        if self._life and not await self._life.host.is_deferred():
            await self._stop(DELETE_POD)

    async def cleanup(self) -> None:
        """Let go."""
        await self._stop()

    async def _stop(self, *why: str) -> None:
        if self._work and not self._work.done():
            self._work.cancel(*why)
            await asyncio.wait([self._work])


class HandedOver(BaseException):
    """What comes next needs a worker. As Airflow's own signals, no `except Exception` may swallow it."""


class TriggererHost(RunValues):
    """`step.host.Host` for one try of one task instance."""

    kube: Kube

    def __init__(self, ti: Any, logger: Any) -> None:
        # Each clear counts the try up, and nothing else does: attempts are made within it.
        super().__init__(envelope_of(ti.task), ti, ti.get_template_context()["dag_run"], generation=ti.try_number)
        self.task = next(task for task in self.plan.tasks if task.id == self.task_id)
        self.logger = logger
        self.priority: int = ti.task.priority_weight
        self._full_id: str = ti.task_id
        self._attempts: tuple[Attempt, ...] | None = None

    async def read_xcom(self, key: str, task_id: str, map_index: int) -> Any:
        return await XCom.aget_one(key=key, dag_id=self.dag_id, task_id=task_id, run_id=self.run_id, map_index=map_index)

    async def write_xcom(self, key: str, value: Any, task_id: str, map_index: int, *, length: int | None = None) -> None:
        named = {"dag_id": self.dag_id, "task_id": task_id, "run_id": self.run_id, "map_index": map_index}
        await XCom.aset(key, value, **named, _mapped_length=length)

    async def attempts(self) -> tuple[Attempt, ...]:
        """As the triggerer that was here before kept them, if there was one."""
        if self._attempts is None:
            kept = await self.read_xcom(attempts_key(self.generation), self._full_id, self.map_index)
            self._attempts = attempts_from_json(kept and kept["attempts"])
        return self._attempts

    async def record_attempts(self, attempts: tuple[Attempt, ...]) -> None:
        self._attempts = attempts
        kept = {"attempts": attempts_to_json(attempts)}
        await self.write_xcom(attempts_key(self.generation), kept, self._full_id, self.map_index)

    def log(self, line: str, *, container: str = "") -> None:
        self.logger.info("%s", f"[{container}] {line}" if container else line)

    def measure(self, measured: tuple[Measurement, ...]) -> None:
        """Through the metrics of Airflow's own servers, for this is one."""
        from airflow.observability import stats

        if wrong := send(measured, stats):
            self.logger.warning("%s", wrong)

    async def history(self) -> History | None:
        """A trigger cannot look at other runs."""
        raise HandedOver

    async def end_runs(self, run_ids: tuple[str, ...]) -> None:  # noqa: ARG002 - the protocol's signature
        """Nor end them."""
        raise HandedOver

    async def run_child(self, child: str, name: str, conf: Json) -> Outcome:  # noqa: ARG002 - the protocol's signature
        """A trigger cannot start a run."""
        raise HandedOver

    async def child_nodes(self, dag_id: str, run_id: str) -> list[Json]:  # noqa: ARG002 - the protocol's signature
        """None: a tree is drawn from the metadata database, when the run is over; no step asks for one."""
        return []

    async def ask_person(self, question: Question, wait: float | None) -> dict[str, str] | None:  # noqa: ARG002
        """A trigger cannot show a form."""
        raise HandedOver

    async def publish_indices(self, indices: list[int]) -> None:
        """What Airflow maps over."""
        await self.write_xcom(_RETURN_VALUE, indices, self._full_id, self.map_index, length=len(indices))

    async def forget_tries_before(self) -> None:
        """What they pushed, which a worker would have cleared, and the pods that nobody was there to delete."""
        if self.generation > 1:
            named = {"dag_id": self.dag_id, "task_id": self._full_id, "run_id": self.run_id, "map_index": self.map_index}
            for key in (OUTCOME_KEY, _RETURN_VALUE):
                await asyncio.to_thread(XCom.delete, key, **named)
            mine = task_labels(self.dag_id, self.run_id, self.task_id, self.map_index)
            await self.kube.delete_pods(self.facts.namespace, mine, terms=[f"{PREFIX}generation!={self.generation}"])

    async def delete_pods(self) -> None:
        """End every pod of this try."""
        mine = task_labels(self.dag_id, self.run_id, self.task_id, self.map_index)
        await self.kube.delete_pods(self.facts.namespace, {**mine, PREFIX + "generation": str(self.generation)})

    async def is_deferred(self) -> bool:
        """Whether the task waits for a trigger, be it this one, in another triggerer, or that of its next try."""
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        named = {"task_ids": [self._full_id], "run_ids": [self.run_id], "map_index": self.map_index}
        states = await asyncio.to_thread(RuntimeTaskInstance.get_task_states, self.dag_id, **named)  # type: ignore[arg-type]
        return any(state == "deferred" for tasks in states.values() for state in tasks.values())

    @property
    def limits(self) -> Limits:
        """How many steps may have a pod at once: of this triggerer, of the workflow, of the loop's template."""
        spec = self.plan.workflow.get("spec") or self.plan.workflow
        found = {"triggerer": triggerer_limit()}
        workflow = self.facts.globals.get("workflow.uid") or self.facts.uid
        if isinstance(written := spec.get("parallelism"), int) and written > 0:
            found[f"workflow {workflow}"] = written
        if self.task.parallelism is not None:
            found[f"loop {self.dag_id} {self.run_id} {self.task_id}"] = self.task.parallelism
        return found


class Life:
    """What one trigger does."""

    def __init__(self, host: TriggererHost, timeout_after: datetime | None) -> None:
        self.host = host
        self._until = timeout_after and timeout_after - EARLY

    async def run(self) -> TriggerEvent:
        """To the end of the step, or to where a worker has to go on."""
        kube = TurnsKube(await shared().kubes.of(self.host.settings), self.host)
        self.host.kube = kube.as_kube
        seconds = None if self._until is None else (self._until - datetime.now(UTC)).total_seconds()
        try:
            async with asyncio.timeout(seconds):
                return await self._to_the_end(kube)
        except TimeoutError:
            await self.host.delete_pods()
            return await self._broken("execution_timeout is over")
        except HandedOver:
            self.host.log("goes on in a worker")
            return TriggerEvent({})  # type: ignore[no-untyped-call]
        finally:
            kube.end_turn()

    async def _to_the_end(self, kube: TurnsKube) -> TriggerEvent:
        await self.host.forget_tries_before()
        spare = lost_host_retries()
        while True:
            try:
                ended = await self._attempt()
            except RunError as error:
                return await self._broken(str(error))
            except Exception as error:
                if spare == 0:
                    return await self._broken(f"{type(error).__name__}: {error}")
                spare -= 1
                self.host.logger.exception("the step is taken up again in %g s", AGAIN)
                await asyncio.sleep(AGAIN)
                continue
            if ended.retry_after is None:
                return await self._finish(ended)
            kube.end_turn()
            self.host.log(f"{ended.outcome.phase} {ended.outcome.message}; the next attempt follows in {ended.retry_after:g} s")
            await asyncio.sleep(ended.retry_after)

    async def _attempt(self) -> Ended:
        from argo_yaml_provider.step.run import run_task

        while True:
            with suppress(Waited):
                return await run_task(self.host)

    async def _finish(self, ended: Ended) -> TriggerEvent:
        outcome = ended.outcome
        await self.host.publish(outcome)
        self.host.measure(ended.measured)
        self.host.log(f"{self.host.task.label}: {outcome.phase} {outcome.message}".rstrip())
        if ended.indices is not None:
            await self.host.publish_indices(ended.indices)
            return TaskSuccessEvent()
        return _EVENTS.get(outcome.phase, TaskFailedEvent)()  # type: ignore[call-arg]

    async def _broken(self, message: str) -> TriggerEvent:
        """The step is an Error, and the node tree says why."""
        self.host.logger.error("%s", message)
        if self.host.task.kind is TaskKind.STEP:
            await self.host.publish(Outcome(phase=Phase.ERROR, message=message))
        return TaskFailedEvent()
