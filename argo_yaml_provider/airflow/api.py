"""The Execution API, async: what a runner asks of Airflow for its tasks.

In: calls of a step's life.  Out: what Airflow's own Execution API does for them, run in this process in a few threads.
Its functions are called themselves, not over HTTP: no token, no API server whose outage would fail every running step, and a
third of the CPU (measured: 16 ms a step, against 42 over the in-process application and as much again over a socket). A step's
usual beginning and end take a tenth of that, many in one transaction: usual.py, batches.py.
Must not know: plans, Kubernetes.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from argo_yaml_provider.airflow.batches import Batches, OfMany
from argo_yaml_provider.airflow.hosts.keys import once_key
from argo_yaml_provider.airflow.usual import begin, end, show, show_turns
from argo_yaml_provider.airflow.xcoms import delete_xcom, read_xcom, read_xcoms, write_xcom

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row
    from sqlalchemy.orm import Session

Json = dict[str, Any]
Answer = TypeVar("Answer")
Item = TypeVar("Item")
_TRIES = 8


class Refused(Exception):
    """Airflow says no: an HTTP status and the reason it gives."""

    def __init__(self, status: int, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(f"{status} {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who runs a task: Airflow tells two hosts apart by these."""

    hostname: str
    unixname: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What a task is told when it begins to run."""

    max_tries: int
    should_retry: bool
    conf: Json
    run_after: datetime
    logical_date: datetime | None
    begun: datetime
    """When the task began to run, also if that was under another runner."""
    context: Any = None
    """All that Airflow tells of the task and its run (TIRunContext), for listeners; None where nobody asked."""

    @property
    def team(self) -> str | None:
        """The team of the DAG's bundle."""
        return getattr(self.context.dag_run, "team_name", None) if self.context else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the UI shows of a task beside its state."""

    turn: str = ""
    """Argo's name of the loop's turn, instead of the map index."""
    fields: Json | None = None
    """Rendered fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """One XCom to write."""

    key: str
    value: Any
    mapped_length: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRef:
    """One task instance."""

    id: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A task that is to run here."""

    ti: TaskRef
    who: Identity
    adopt: bool = False
    """It runs already, under a runner that is gone."""
    context: bool = False
    """Whether somebody wants to know all that Airflow tells of it."""
    before: Callable[[], None] = lambda: None
    """Called in a thread before anything else, and perhaps again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """How a task ended: an Airflow state, what it pushes, what its next try finds."""

    state: str
    pushed: tuple[Pushed, ...] = ()
    retry_delay: float | None = None
    reason: str = ""
    kept: Json = field(default_factory=dict)
    """Task state store entries."""
    skipped: tuple[str, ...] = ()
    """Other tasks of its run that are not to run."""
    wait: timedelta | None = None
    """Of a task that awaits a person's input: for how long; None: for ever."""
    shown: Shown = field(default_factory=Shown)
    outlets: tuple[Json, ...] = ()
    """Assets that a success updates, as Airflow's AssetProfile."""


End = tuple[TaskRef, Finish]
Show = tuple[TaskRef, Callable[[], Shown]]
GATHERED = 0.2
"""Seconds that the first that is to be shown waits for others: nobody waits for it."""


class ExecutionApi:
    """Runs the API's functions in threads of its own; SQLite, which has one writer, gets one."""

    def __init__(self) -> None:
        from airflow import settings

        dialect = settings.engine.dialect.name if settings.engine else ""
        self._threads = ThreadPoolExecutor(1 if dialect == "sqlite" else 4, thread_name_prefix="execution-api")
        self._line = Line()
        self._begins = Batches(self._of_many(begin_usual))
        self._ends = Batches(self._of_many(end_usual))
        self._shows = Batches(self._of_many(show_running), gathered=GATHERED)

    def _of_many(self, work: Callable[[Session, Sequence[Item]], Sequence[Answer]]) -> OfMany[Item, Answer]:
        return lambda items: self.call(lambda session: work(session, items))

    async def call(self, work: Callable[[Session], Answer]) -> Answer:
        """`work` in a thread, in a session of its own, tried again while the database is busy."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _with_session, self._line, work)

    async def entered_before(self, ti: TaskRef, generation: int) -> Entered:
        """What a task was told that ran elsewhere, in an earlier generation."""
        return await self.call(lambda session: _entered_before(session, ti, generation))

    async def enter(self, start: Start) -> Entered:
        """The task runs here from now on; its XComs of earlier tries are gone. Raises Refused."""
        usual = not start.adopt and not start.context
        if usual and (entered := await self._begins.add(start)):
            return entered
        return await self.call(lambda session: enter_running(session, start))

    async def finish(self, ti: TaskRef, end: Finish) -> None:
        """Push, keep and end, in one transaction. Raises Refused."""
        if not await self._ends.add((ti, end)):
            await self.call(lambda session: finish(session, ti, end))

    async def show(self, ti: TaskRef, shown: Callable[[], Shown]) -> None:
        """For the UI, while the task runs; what is shown is worked out in the thread."""
        await self._shows.add((ti, shown))

    async def xcom(self, ti: TaskRef, key: str) -> Any:
        """A value that the task pushed; None if it did not."""
        return await self.call(lambda session: read_xcom(session, ti, key))

    async def xcoms(self, dag_id: str, run_id: str, key: str, *, task_id: str | None = None) -> list[tuple[str, int, Any]]:
        """(task_id, map_index, value) of every task of the run, or of one task's every turn."""
        return await self.call(lambda session: read_xcoms(session, dag_id, run_id, key, task_id=task_id))

    async def push(self, ti: TaskRef, pushed: Pushed) -> None:
        """Push one value now."""
        await self.call(lambda session: write_xcom(session, ti, pushed))

    async def kept(self, ti: TaskRef, key: str) -> Any:
        """An entry of the task state store, which survives tries; None if there is none."""
        return await self.call(lambda session: read_kept(session, ti, key))

    async def keep(self, ti: TaskRef, key: str, value: Any) -> None:
        """Put an entry into the task state store."""
        await self.call(lambda session: _keep(session, ti, key, value))

    async def trigger(self, parent: TaskRef, dag_id: str, run_id: str, conf: Json) -> None:
        """Start a run of another DAG; nothing if it has been started."""
        await self.call(lambda session: _trigger(session, parent, dag_id, run_id, conf))

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Line(threading.local):
    """A thread's own connection; one from the pool for each call, first asked whether it lives, is a seventh of a step's CPU.

    A lost one is made anew by SQLAlchemy, at the next try.
    """

    _held: Connection | None = None

    def session(self) -> Session:
        """Over it."""
        from airflow import settings

        assert settings.NonScopedSession is not None
        assert settings.engine is not None
        if self._held is None:
            self._held = settings.engine.connect()
        made: Session = settings.NonScopedSession(bind=self._held)
        return made


def _with_session(line: Line, work: Callable[[Session], Answer]) -> Answer:
    from fastapi import HTTPException
    from sqlalchemy.exc import OperationalError

    for attempt in range(_TRIES):
        try:
            with line.session() as session:
                answer = work(session)
                session.commit()
                return answer
        except HTTPException as error:
            detail = error.detail
            reason = detail.get("reason", "") if isinstance(detail, dict) else str(detail)
            raise Refused(error.status_code, reason) from None
        except OperationalError:
            if attempt == _TRIES - 1:
                raise
            time.sleep(random.uniform(0.05, 0.2) * (attempt + 1))  # noqa: S311 - only spreads the tries
    raise AssertionError


def begin_usual(session: Session, starts: Sequence[Start]) -> list[Entered | None]:
    """Those that start for the first time; None for each other."""
    for start in starts:
        start.before()
    begun = datetime.now(UTC)
    rows = begin(session, [start.ti for start in starts], starts[0].who, begun)
    return [_entered(rows[start.ti], begun) if start.ti in rows else None for start in starts]


def _entered(row: Row[Any], begun: datetime) -> Entered:
    return Entered(
        max_tries=row.max_tries,
        should_retry=row.max_tries != 0 and row.try_number <= row.max_tries,
        conf=row.conf or {},
        run_after=row.run_after,
        logical_date=row.logical_date,
        begun=begun,
    )


def enter_running(session: Session, start: Start) -> Entered:
    """As `ti_run` of Airflow's Execution API."""
    from airflow.api_fastapi.execution_api.datamodels.taskinstance import TIEnterRunningPayload
    from airflow.api_fastapi.execution_api.datamodels.token import TIClaims, TIToken
    from airflow.api_fastapi.execution_api.routes.task_instances import ti_run
    from airflow.utils.state import TaskInstanceState
    from fastapi import Response

    start.before()
    ti, who = start.ti, start.who
    begun = (_begun(session, ti) if start.adopt else None) or datetime.now(UTC)
    payload = TIEnterRunningPayload(
        state=TaskInstanceState.RUNNING,
        hostname=who.hostname,
        unixname=who.unixname,
        pid=who.pid,
        start_date=begun,
    )
    token = TIToken(id=UUID(ti.id), claims=TIClaims(scope="execution"))
    context = ti_run(UUID(ti.id), payload, Response(), session, _dag_bag(), None, token)
    for key in context.xcom_keys_to_clear or ():
        if not key.startswith(once_key("")):  # these are the run's, not the task's
            delete_xcom(session, ti, key)
    run = context.dag_run
    return Entered(
        max_tries=context.max_tries,
        should_retry=context.should_retry,
        conf=run.conf or {},
        run_after=run.run_after,
        logical_date=run.logical_date,
        begun=context.start_date or begun,
        context=context,
    )


def _entered_before(session: Session, ti: TaskRef, generation: int) -> Entered:
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    run = session.scalars(select(DagRun).where(DagRun.dag_id == ti.dag_id, DagRun.run_id == ti.run_id)).one()
    return Entered(
        max_tries=generation,
        should_retry=False,
        conf=run.conf or {},
        run_after=run.run_after,
        logical_date=run.logical_date,
        begun=run.run_after,
    )


def _begun(session: Session, ti: TaskRef) -> datetime | None:
    """When a task that runs already began."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import select

    running = TaskInstance.state == TaskInstanceState.RUNNING
    return session.scalar(select(TaskInstance.start_date).where(TaskInstance.id == UUID(ti.id), running))


def show_running(session: Session, shows: Sequence[Show]) -> list[None]:
    """Rendered fields, and the names of the loops' turns, of tasks that run."""
    tasks = {ti: shown() for ti, shown in sorted(shows, key=_locked_as)}
    if turns := {ti: shown.turn for ti, shown in tasks.items() if shown.turn}:
        show_turns(session, turns)
    _show_fields(session, tasks)
    return [None] * len(shows)


def _locked_as(show: Show) -> UUID:
    """All who lock many tasks do it in one order."""
    return UUID(show[0].id)


def _show_fields(session: Session, tasks: Mapping[TaskRef, Shown]) -> None:
    fields = {ti: shown.fields for ti, shown in tasks.items() if shown.fields is not None}
    show(session, fields)
    for ti in fields:
        _forget_old(session, ti)


def _forget_old(session: Session, ti: TaskRef) -> None:
    """Rendered fields of the task in older runs, once for all turns of a loop."""
    from airflow.models.renderedtifields import RenderedTaskInstanceFields

    if _is_news((ti.dag_id, ti.run_id, ti.task_id)):
        RenderedTaskInstanceFields.delete_old_records(ti.task_id, ti.dag_id, session=session)


def _is_news(task: tuple[str, str, str]) -> bool:
    """Whether this process has not shown the task in this run before: old rows are deleted once for all turns of a loop."""
    if task in _SHOWN:
        return False
    _SHOWN[task] = None
    while len(_SHOWN) > _SHOWN_KEPT:
        _SHOWN.pop(next(iter(_SHOWN)), None)
    return True


_SHOWN: dict[tuple[str, str, str], None] = {}
_SHOWN_KEPT = 10_000


def end_usual(session: Session, ends: Sequence[End]) -> list[bool]:
    """Which of them had a usual end, and have it now."""
    ended = end(session, dict(ends), datetime.now(UTC))
    for ti, one in ends:
        if ti in ended and one.shown.fields is not None:
            _forget_old(session, ti)
    return [ti in ended for ti, _ in ends]


def finish(session: Session, ti: TaskRef, end: Finish) -> None:
    """As the pushes of a worker and then `ti_update_state` of Airflow's Execution API."""
    from airflow.api_fastapi.execution_api.routes.task_instances import ti_update_state

    for pushed in end.pushed:
        write_xcom(session, ti, pushed)
    for key, value in end.kept.items():
        _keep(session, ti, key, value)
    if end.skipped:
        _skip(session, ti, end.skipped)
    _show_fields(session, {ti: end.shown})
    ti_update_state(UUID(ti.id), _state_payload(end, datetime.now(UTC)), session, _dag_bag())


def _skip(session: Session, ti: TaskRef, task_ids: tuple[str, ...]) -> None:
    from airflow.api_fastapi.execution_api.datamodels.taskinstance import TISkippedDownstreamTasksStatePayload
    from airflow.api_fastapi.execution_api.routes.task_instances import ti_skip_downstream

    payload = TISkippedDownstreamTasksStatePayload(tasks=list(task_ids))
    ti_skip_downstream(UUID(ti.id), payload, session)


@cache
def _dag_bag() -> Any:
    """Airflow's cache of serialized DAGs: where a DAG is to fail fast, the API looks there for what to stop."""
    from airflow.api_fastapi.common.dagbag import create_dag_bag

    return create_dag_bag()


def _state_payload(end: Finish, now: datetime) -> Any:
    from airflow.api_fastapi.execution_api.datamodels import taskinstance as models
    from airflow.api_fastapi.execution_api.datamodels.asset import AssetProfile
    from airflow.utils.state import IntermediateTIState, TerminalTIState

    turn = {"rendered_map_index": end.shown.turn} if end.shown.turn else {}
    if end.state == "success":
        return models.TISuccessStatePayload(
            state=TerminalTIState.SUCCESS,
            end_date=now,
            task_outlets=[AssetProfile(**outlet) for outlet in end.outlets],
            outlet_events=[],
            **turn,
        )
    if end.state == "up_for_retry":
        return models.TIRetryStatePayload(
            state=IntermediateTIState.UP_FOR_RETRY,
            end_date=now,
            retry_delay_seconds=end.retry_delay or 0.0,
            retry_reason=end.reason or None,
            **turn,
        )
    if end.state == "awaiting_input":
        return models.TIAwaitingInputStatePayload(
            state=IntermediateTIState.AWAITING_INPUT, timeout=end.wait, next_method="resume", next_kwargs={}
        )
    return models.TITerminalStatePayload(state=models.TerminalStateNonSuccess(end.state), end_date=now, **turn)


def read_kept(session: Session, ti: TaskRef, key: str) -> Any:
    """An entry of the task state store; None if there is none."""
    from airflow.api_fastapi.execution_api.routes.task_state_store import get_task_state_store
    from fastapi import HTTPException

    try:
        return get_task_state_store(UUID(ti.id), key, session).value
    except HTTPException:
        return None


def _keep(session: Session, ti: TaskRef, key: str, value: Any) -> None:
    from airflow.api_fastapi.execution_api.datamodels.task_state_store import TaskStateStorePutBody
    from airflow.api_fastapi.execution_api.routes.task_state_store import set_task_state_store

    set_task_state_store(UUID(ti.id), key, TaskStateStorePutBody(value=value), session)


def _trigger(session: Session, parent: TaskRef, dag_id: str, run_id: str, conf: Json) -> None:
    from airflow.api_fastapi.execution_api.datamodels.dagrun import TriggerDAGRunPayload
    from airflow.api_fastapi.execution_api.datamodels.token import TIClaims, TIToken
    from airflow.api_fastapi.execution_api.routes.dag_runs import trigger_dag_run
    from fastapi import HTTPException

    token = TIToken(id=UUID(parent.id), claims=TIClaims(scope="execution"))
    try:
        trigger_dag_run(dag_id, run_id, TriggerDAGRunPayload(conf=conf), session, token)
    except HTTPException as error:
        if error.status_code != 409:  # a conflict: an earlier life of the parent has started it
            raise
