"""One task's life in the runner: it enters running, runs its step, and ends; what Airflow's task runner does, done for it.

In: a task instance, as the scheduler sent it.  Out: its XComs, state and log in Airflow.
Must not know: what a step does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import traceback
from collections.abc import Coroutine
from dataclasses import asdict
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from argo_yaml_provider.airflow.api import Entered, ExecutionApi, Finish, Identity, Pushed, Refused, Start, TaskRef
from argo_yaml_provider.airflow.envelope import Envelope
from argo_yaml_provider.airflow.hosts.children import ChildRuns
from argo_yaml_provider.airflow.hosts.host import ExecutorHost
from argo_yaml_provider.airflow.hosts.listeners import Bundle, Listeners, Told
from argo_yaml_provider.airflow.hosts.metrics import count_end, count_start, tags_of
from argo_yaml_provider.airflow.hosts.plans import Plans
from argo_yaml_provider.airflow.hosts.task_log import TaskLog
from argo_yaml_provider.airflow.persons import AwaitsPerson
from argo_yaml_provider.airflow.retries import StepFailed
from argo_yaml_provider.airflow.rows import identity
from argo_yaml_provider.flow.metrics import Measurement
from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.plan.nodes import Json, TaskKind
from argo_yaml_provider.step.host import Ended
from argo_yaml_provider.step.turnstile import Turnstile

log = logging.getLogger(__name__)

AGAIN = 5.0
"""Seconds after which a step that went wrong through no fault of its own is taken up again."""
SHOWN_AFTER = 5.0


class Shared:
    """What all lives of a runner share."""

    def __init__(self) -> None:
        from argo_yaml_provider.airflow.kubes import Kubes

        self.api = ExecutionApi()
        self.who: Identity = identity(os.getpid())
        self.plans = Plans(self.api)
        self.kubes = Kubes()
        self.children = ChildRuns(self.api)
        self.listeners = Listeners()
        self.turnstile = Turnstile()
        self._background: set[asyncio.Task[None]] = set()
        self._staying: set[asyncio.Task[None]] = set()

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Does something that no life waits for."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._done)

    def stay(self, work: Coroutine[Any, Any, None]) -> None:
        """Does something until its run is over; without it, or after this runner, only its own purpose suffers."""
        task = asyncio.create_task(work)
        self._staying.add(task)
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._staying.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a daemon is no longer looked after", exc_info=error)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a cleared task's pods may be left", exc_info=error)

    async def close(self) -> None:
        """Give everything back."""
        for task in self._staying:
            task.cancel()
        await asyncio.gather(*self._staying, return_exceptions=True)
        self.listeners.close()
        await self.kubes.close()
        self.api.close()


class Life:
    """From `/run` to the final state."""

    def __init__(self, shared: Shared, ti: Json, log_path: str, *, adopt: bool) -> None:
        self.ti = task_ref(ti)
        self.first = ti["try_number"] <= 1 and not adopt
        self.log = TaskLog(log_path)
        self._adopt = adopt
        self._try: int = ti["try_number"]
        self._version: str = ti["dag_version_id"]
        self._shared = shared
        self._host: ExecutorHost | None = None
        self._pod_fate = ""
        """What was said of the pod when this life was cancelled: delete, keep, orphan."""
        self._ending = False
        self._measured: tuple[Measurement, ...] = ()
        self._heard: asyncio.Task[Any] | None = None
        """The listeners' hearing of the beginning."""
        self._outlets: tuple[Json, ...] = ()
        self._outcome: Outcome | None = None

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
                return await self._run_entered(await self._shared.api.enter(self._start()))
            except asyncio.CancelledError:
                return await self._cancelled(), ""
            except Refused as refusal:
                self.log.write(f"this task is not (or no longer) to run here: {refusal}", level="warning")
                return "drop", ""
            finally:
                if self._host:
                    self._host.forget()

    def _start(self) -> Start:
        """The log is opened in a thread, where a slow disk holds up no other life."""
        heard = self._shared.listeners.any
        return Start(ti=self.ti, who=self._shared.who, adopt=self._adopt, context=heard, before=self.log.open)

    async def _run_entered(self, entered: Entered) -> tuple[str, str]:
        from argo_yaml_provider.diagnostics import RunError

        tags = tags_of(self.ti.dag_id, self.ti.task_id, entered.team)
        count_start(tags)
        error: Exception | None = None
        try:
            end = self._finish(await self._run_step(entered))
        except AwaitsPerson as awaits:
            self.log.write("waits for a person: see the run's required actions")
            end = Finish(state="awaiting_input", wait=awaits.wait)
        except RunError as broken:
            self.log.write(str(broken), level="error")
            error, end = broken, self._broken(broken.message)
        except Exception as lost:  # noqa: BLE001 - an unreachable API server, a full database: the pod is still there
            self.complain(lost)
            error, end = lost, self._again(entered, str(lost))
        self._ending = True
        await asyncio.shield(self._end(end))
        now = datetime.now(UTC)
        count_end(tags, end.state, entered.begun, now)
        if self._heard:
            error = error or StepFailed(end.reason or end.state)
            moved = (self._host.moved, self._outcome) if self._host else None
            await self._shared.listeners.ended(await self._heard, end.state, now, error, moved)
        return "success", ""

    async def _run_step(self, entered: Entered) -> Ended:
        from argo_yaml_provider.step.run import run_task

        version = await self._shared.plans.version(self._version)
        envelope = version.envelope(self.ti.task_id)
        self._outlets = version.outlets.get(self.ti.task_id, ())
        self._host = ExecutorHost(self._shared, self.ti, envelope, entered, self.log, first=self.first)
        if self._shared.listeners.any:
            self._heard = asyncio.create_task(self._shared.listeners.begun(self._told(entered, envelope, version.bundle)))
        timeout = version.timeouts.get(self.ti.task_id)
        showing = asyncio.create_task(self._show_later())
        try:
            async with asyncio.timeout(_left(timeout, entered.begun)):
                self._host.use(await self._shared.kubes.of(envelope.pods))
                await self._shared.turnstile.one_by_one()
                return await run_task(self._host)
        except TimeoutError:
            if timeout is None or _left(timeout, entered.begun):
                raise
            return await self._overdue(timeout)
        finally:
            showing.cancel()

    def _told(self, entered: Entered, envelope: Envelope, bundle: Bundle) -> Told:
        return Told(
            ti=self.ti,
            try_number=self._try,
            version=self._version,
            who=self._shared.who,
            context=entered.context,
            begun=entered.begun,
            envelope=envelope,
            bundle=bundle,
        )

    async def _show_later(self) -> None:
        """What the UI shows is written at the end, but of a step that takes long somebody may want to see it before."""
        await asyncio.sleep(SHOWN_AFTER)
        if self._host:
            with contextlib.suppress(Refused):
                await self._host.show()

    async def _overdue(self, limit: float) -> Ended:
        """Airflow's execution_timeout is a failure of the attempt, which a retryStrategy may follow."""
        from argo_yaml_provider.step.timeout import end_overdue

        assert self._host is not None
        message = f"execution_timeout of {limit:g} s is over"
        self.log.write(message, level="error")
        await self._undo()
        return await end_overdue(self._host, message)

    def _finish(self, ended: Ended) -> Finish:
        host = self._host
        assert host is not None
        self._measured, self._outcome = ended.measured, ended.outcome
        message = ended.outcome.message
        said = f"{host.task.label}: {ended.outcome.phase} {message}".rstrip()
        if ended.retry_after is not None:
            self.log.write(f"{said}; the next attempt follows in {ended.retry_after:g} s", level="warning")
            kept = host.unwritten()
            return Finish(state="up_for_retry", retry_delay=ended.retry_after, reason=message, kept=kept, shown=host.shown())
        pushed = [Pushed(key=host.outcome_key, value=ended.outcome.to_json())]
        if ended.indices is not None:
            pushed.append(Pushed(key="return_value", value=ended.indices, mapped_length=len(ended.indices)))
        fanout = host.task.kind is TaskKind.FANOUT
        state = "success" if fanout else _STATES.get(ended.outcome.phase, "failed")
        self.log.write(said, level="error" if state == "failed" else "info")
        return Finish(
            state=state,
            pushed=tuple(pushed),
            reason=message,
            skipped=host.left_out(ended.outcome),
            shown=host.shown(),
            outlets=self._outlets,
        )

    def _broken(self, message: str) -> Finish:
        """The step is an Error, and the node tree says why."""
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
            await asyncio.to_thread(self.log.upload, SimpleNamespace(**asdict(self.ti), try_number=self._try))
        if self._host:
            self._host.tidy()

    async def _cancelled(self) -> str:
        fate = self._pod_fate or "keep"
        if fate == "orphan":
            fate = await self._orphan_fate()
        if fate == "delete":
            await self._undo()
        self.log.write(f"ended from outside; its pod is {'deleted' if fate == 'delete' else 'kept'}", level="warning")
        return "success" if fate == "delete" else "drop"

    async def _orphan_fate(self) -> str:
        """The row is archived. Cleared while it ran: its pod goes. Else its next try takes it over, in the same generation."""
        if self._host is None:
            return "keep"
        state, generation = await self._shared.api.call(lambda session: _successor(session, self.ti))
        return "keep" if state != "restarting" and generation == self._host.generation else "delete"

    async def _undo(self) -> None:
        """End what the step has begun; shielded, for whoever cancels it does so once more if this takes long."""
        if self._host:
            try:
                await asyncio.shield(self._host.undo())
            except Exception as error:  # noqa: BLE001 - there is nobody left to tell
                self.complain(error)

    def complain(self, error: BaseException) -> None:
        """Into the task's log, with its traceback."""
        self.log.write(f"{type(error).__name__}: {error}", level="error", traceback="".join(traceback.format_exception(error)))


async def bury(shared: Shared, ti: Json) -> None:
    """End what a task had begun that was cleared while its scheduler was dead: nobody lives that life any more."""
    ref = task_ref(ti)
    entered = await shared.api.entered_before(ref, ti["generation"])
    envelope = (await shared.plans.version(ti["dag_version_id"])).envelope(ref.task_id)
    host = ExecutorHost(shared, ref, envelope, entered, TaskLog(""), first=False)
    host.use(await shared.kubes.of(envelope.pods))
    await host.undo()


def task_ref(ti: Json) -> TaskRef:
    """The task instance of a message."""
    return TaskRef(id=ti["id"], dag_id=ti["dag_id"], run_id=ti["run_id"], task_id=ti["task_id"], map_index=ti["map_index"])


def _left(timeout: float | None, begun: datetime) -> float | None:
    """Seconds until the timeout of a task that began then."""
    return None if timeout is None else max(0.0, timeout - (datetime.now(UTC) - begun).total_seconds())


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
