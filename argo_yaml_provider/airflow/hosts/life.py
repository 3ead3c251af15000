"""One task's life in the runner: it enters running, runs its step, and ends; what Airflow's task runner does, done for it.

In: a task instance, as the scheduler sent it.  Out: its XComs, state and log in Airflow.
Must not know: what a step does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import traceback
from typing import Any

from argo_yaml_provider.airflow.api import Entered, ExecutionApi, Finish, Identity, Pushed, Refused, TaskRef
from argo_yaml_provider.airflow.hosts.children import ChildRuns
from argo_yaml_provider.airflow.hosts.host import ExecutorHost
from argo_yaml_provider.airflow.hosts.plans import Plans
from argo_yaml_provider.airflow.hosts.task_log import TaskLog
from argo_yaml_provider.airflow.persons import AwaitsPerson
from argo_yaml_provider.airflow.rows import identity
from argo_yaml_provider.flow.metrics import Measurement
from argo_yaml_provider.plan.nodes import Json, TaskKind
from argo_yaml_provider.step.host import Ended

AGAIN = 5.0
"""Seconds after which a step that went wrong through no fault of its own is taken up again."""


class Shared:
    """What all lives of a runner share."""

    def __init__(self) -> None:
        from argo_yaml_provider.airflow.kubes import Kubes

        self.api = ExecutionApi()
        self.who: Identity = identity(os.getpid())
        self.plans = Plans(self.api)
        self.kubes = Kubes()
        self.children = ChildRuns(self.api)

    async def close(self) -> None:
        """Give everything back."""
        await self.kubes.close()
        self.api.close()


class Life:
    """From `/run` to the final state."""

    def __init__(self, shared: Shared, ti: Json, log_path: str, *, adopt: bool) -> None:
        self.ti = TaskRef(
            id=ti["id"], dag_id=ti["dag_id"], run_id=ti["run_id"], task_id=ti["task_id"], map_index=ti["map_index"]
        )
        self.first = ti["try_number"] <= 1 and not adopt
        self.log = TaskLog(log_path)
        self._version: str = ti["dag_version_id"]
        self._shared = shared
        self._host: ExecutorHost | None = None
        self._pod_fate = ""
        """What was said of the pod when this life was cancelled: delete, keep, orphan."""
        self._ending = False
        self._measured: tuple[Measurement, ...] = ()

    def cancel(self, task: asyncio.Task[None], pod: str) -> None:
        """Stop, unless the end is being written already."""
        from argo_yaml_provider.step.run import DELETE_POD

        if not self._ending and not self._pod_fate:
            self._pod_fate = pod
            task.cancel(*([DELETE_POD] if pod == "delete" else []))

    async def run(self) -> tuple[str, str]:
        """What the scheduler is told: success (ended under control), failed (the row says nothing yet), drop (not ours)."""
        with self.log:
            try:
                entered = await self._shared.api.enter_running(self.ti, self._shared.who)
                return await self._run_entered(entered)
            except asyncio.CancelledError:
                return await self._cancelled(), ""
            except Refused as refusal:
                self.log.write(f"this task is not (or no longer) to run here: {refusal}", level="warning")
                return "drop", ""
            finally:
                if self._host:
                    self._host.forget()

    async def _run_entered(self, entered: Entered) -> tuple[str, str]:
        from argo_yaml_provider.diagnostics import RunError

        try:
            ended = await self._run_step(entered)
        except AwaitsPerson as awaits:
            self.log.write("waits for a person: see the run's required actions")
            end = Finish(state="awaiting_input", wait=awaits.wait)
        except RunError as error:
            self.log.write(str(error), level="error")
            end = self._broken(error.message)
        except TimeoutError:
            self.log.write("execution_timeout is over", level="error")
            await self._delete_pod()
            end = self._again(entered, "execution_timeout")
        except Exception as error:  # noqa: BLE001 - an unreachable API server, a full database: the pod is still there
            self.complain(error)
            end = self._again(entered, str(error))
        else:
            end = self._finish(ended)
        self._ending = True
        await asyncio.shield(self._end(end))
        return "success", ""

    async def _run_step(self, entered: Entered) -> Ended:
        from argo_yaml_provider.step.run import run_task

        version = await self._shared.plans.version(self._version)
        envelope = version.envelope(self.ti.task_id)
        self._host = ExecutorHost(self._shared, self.ti, envelope, entered, self.log, first=self.first)
        async with asyncio.timeout(version.timeouts.get(self.ti.task_id)):
            self._host.use(await self._shared.kubes.of(envelope.pods))
            return await run_task(self._host)

    def _finish(self, ended: Ended) -> Finish:
        host = self._host
        assert host is not None
        self._measured = ended.measured
        said = f"{host.task.label}: {ended.outcome.phase} {ended.outcome.message}".rstrip()
        if ended.retry_after is not None:
            self.log.write(f"{said}; the next attempt follows in {ended.retry_after:g} s", level="warning")
            return Finish(
                state="up_for_retry", retry_delay=ended.retry_after, reason=ended.outcome.message, kept=host.unwritten()
            )
        pushed = [Pushed(key=host.outcome_key, value=ended.outcome.to_json())]
        if ended.indices is not None:
            pushed.append(Pushed(key="return_value", value=ended.indices, mapped_length=len(ended.indices)))
        fanout = host.task.kind is TaskKind.FANOUT
        state = "success" if fanout else _STATES.get(ended.outcome.phase, "failed")
        self.log.write(said, level="error" if state == "failed" else "info")
        return Finish(state=state, pushed=tuple(pushed), skipped=host.left_out(ended.outcome))

    def _broken(self, message: str) -> Finish:
        """The step is an Error, and the node tree says why."""
        from argo_yaml_provider.flow.outcome import Outcome, Phase

        if self._host is None or self._host.task.kind not in (TaskKind.STEP, TaskKind.START):
            return Finish(state="failed", reason=message)
        outcome = Outcome(phase=Phase.ERROR, message=message)
        pushed = (Pushed(key=self._host.outcome_key, value=outcome.to_json()),)
        return Finish(state="failed", reason=message, pushed=pushed, skipped=self._host.left_out(outcome))

    def _again(self, entered: Entered, reason: str) -> Finish:
        if not entered.should_retry:
            return self._broken(reason)
        return Finish(state="up_for_retry", retry_delay=AGAIN, reason=reason)

    async def _end(self, end: Finish) -> None:
        try:
            await self._shared.api.finish(self.ti, end)
        except Refused as refusal:
            self.log.write(f"Airflow did not take the state {end.state}: {refusal}", level="warning")
        else:
            if self._host and self._measured:
                self._host.measure(self._measured)
        if _remote_logging():
            await asyncio.to_thread(self.log.upload)
        if self._host:
            self._host.tidy()

    async def _cancelled(self) -> str:
        fate = self._pod_fate or "keep"
        if fate == "orphan":
            fate = await self._orphan_fate()
            if fate == "delete":
                await self._delete_pod()
        self.log.write(f"ended from outside; its pod is {'deleted' if fate == 'delete' else 'kept'}", level="warning")
        return "success" if fate == "delete" else "drop"

    async def _orphan_fate(self) -> str:
        """The row is archived. Cleared while it ran: its pod goes. Else its next try takes it over, in the same generation."""
        if self._host is None:
            return "keep"
        state, generation = await self._shared.api.call(lambda session: _successor(session, self.ti))
        return "keep" if state != "restarting" and generation == self._host.generation else "delete"

    async def _delete_pod(self) -> None:
        if self._host:
            with contextlib.suppress(Exception):
                await self._host.delete_pods()

    def complain(self, error: BaseException) -> None:
        """Into the task's log, with its traceback."""
        self.log.write(f"{type(error).__name__}: {error}", level="error", traceback="".join(traceback.format_exception(error)))


_STATES = {"Succeeded": "success", "Skipped": "skipped", "Omitted": "skipped", "Absent": "skipped"}


def _successor(session: Any, ti: TaskRef) -> tuple[str | None, int | None]:
    """State and generation of the row that took the archived one's place."""
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select

    found = session.execute(
        select(TaskInstance.state, TaskInstance.max_tries).where(
            TaskInstance.dag_id == ti.dag_id,
            TaskInstance.run_id == ti.run_id,
            TaskInstance.task_id == ti.task_id,
            TaskInstance.map_index == ti.map_index,
        )
    ).first()
    return (found.state, found.max_tries) if found else (None, None)


def _remote_logging() -> bool:
    from airflow.configuration import conf

    return conf.getboolean("logging", "remote_logging", fallback=False)
