"""A step run by an ordinary Airflow worker: the Host protocol over the Task SDK.

In: the operator and its context.  Out: the outcome under XCom `argo`, and the task's state by Airflow's own exceptions.
Must not know: how a step is run (step.run), nor the metadata database.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk.exceptions import AirflowRuntimeError, AirflowSkipException, ErrorType, TaskAwaitingInput, TaskDeferred
from airflow.sdk.execution_time.hitl import upsert_hitl_detail
from airflow.sdk.execution_time.xcom import XCom
from airflow.sdk.observability import stats

from argo_yaml_provider.airflow.connections import connection_extras, open_kube, task_connection
from argo_yaml_provider.airflow.envelope import OUTCOME_KEY, Envelope, child_dag_id, envelope_of
from argo_yaml_provider.airflow.facts import CHILD_CONF, child_run_id
from argo_yaml_provider.airflow.hosts.keys import attempts_key
from argo_yaml_provider.airflow.hosts.slots import NO_REPLACE, left_out, read_slots
from argo_yaml_provider.airflow.hosts.values import RunValues, attempts_from_json, attempts_to_json
from argo_yaml_provider.airflow.measure import send
from argo_yaml_provider.airflow.persons import AwaitsPerson, form_of, supplied_by
from argo_yaml_provider.airflow.retries import StepFailed
from argo_yaml_provider.flow.metrics import Measurement
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.flow.slots import History
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.step.host import Ended, Question
from argo_yaml_provider.step.kube import Kube

if TYPE_CHECKING:
    from argo_yaml_provider.airflow.hosts.callbacks import CallingKube

T = TypeVar("T")
_SUPERVISOR = threading.Lock()

_NOT_RUN = (Phase.SKIPPED, Phase.OMITTED, Phase.ABSENT)
_POLL_SECONDS = 5.0
_END_SECONDS = 60.0
"""What the end of a step that took too long may take."""


def run_in_worker(operator: Any, context: Mapping[str, Any]) -> list[int] | None:
    """Run the task to its end (or to its next wait) and tell Airflow how it went."""
    from argo_yaml_provider.step.run import DELETE_POD

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        task = loop.create_task(_run(operator, context))
        operator.stop = lambda: loop.call_soon_threadsafe(task.cancel, DELETE_POD)
        try:
            ended = loop.run_until_complete(task)
        except BaseException:
            # A signal's handler may raise wherever the process is: the task is still there, and its pod.
            if not task.done():
                task.cancel(DELETE_POD)
                with suppress(asyncio.CancelledError):
                    loop.run_until_complete(task)
            raise
    return tell_airflow(ended)


def tell_airflow(ended: Ended) -> list[int] | None:
    """The task's state: a return is a success, and a fan-out always is one, or Airflow would not expand the loop."""
    if ended.indices is not None:
        return ended.indices
    outcome = ended.outcome
    if ended.retry_after is not None:
        raise StepFailed(outcome.message or outcome.phase, ended.retry_after)
    if outcome.phase in _NOT_RUN:
        raise AirflowSkipException(outcome.message or outcome.phase)
    if outcome.phase is not Phase.SUCCEEDED:
        raise StepFailed(outcome.message or outcome.phase)
    return None


async def _run(operator: Any, context: Mapping[str, Any]) -> Ended:
    envelope = envelope_of(operator)
    extras = await talk(connection_extras, envelope.pods.conn_id)
    async with open_kube(envelope.pods, extras, shared=False, read=_connection) as kube:
        callbacks = _calling(kube, operator, context)
        host = WorkerHost(operator, context, envelope, callbacks or kube)
        ended = await _run_in_time(host, _take_over_timeout())
        operator.moved = host.moved, ended.outcome
        if callbacks:
            await callbacks.completed()
        if ended.retry_after is None:
            await host.publish(ended.outcome)
        if tasks := left_out(envelope.plan, envelope.prefix, host.task_id, ended.outcome):
            await leave_out(tasks)
        host.measure(ended.measured)
        return ended


def _take_over_timeout() -> float | None:
    """Seconds left of the task's execution_timeout, which Airflow enforces by an alarm that raises wherever the process is.

    A step has to end its pod and to write down its attempt; so the end comes from here, and the alarm waits until that hangs.
    """
    from airflow.sdk.execution_time.timeout import timeout

    if not isinstance(getattr(signal.getsignal(signal.SIGALRM), "__self__", None), timeout):
        return None
    left = signal.getitimer(signal.ITIMER_REAL)[0]
    if left:
        signal.setitimer(signal.ITIMER_REAL, left + _END_SECONDS)
    return left or None


async def _run_in_time(host: WorkerHost, limit: float | None) -> Ended:
    """As in the executor's runner, a step that takes longer has failed, and a retryStrategy may follow."""
    from argo_yaml_provider.step.pod import delete_pods
    from argo_yaml_provider.step.run import DELETE_POD, run_task
    from argo_yaml_provider.step.timeout import end_overdue

    if limit is None:
        return await run_task(host)
    work = asyncio.create_task(run_task(host))
    try:
        await asyncio.wait({work}, timeout=limit)
    except asyncio.CancelledError as cancelled:
        await _cancel(work, *cancelled.args)
        raise
    if work.done():
        return work.result()
    await _cancel(work, DELETE_POD)
    message = f"execution_timeout of {host.execution_timeout:g} s is over"
    host.log(message)
    await delete_pods(host)
    return await end_overdue(host, message)


async def _cancel(work: asyncio.Task[Ended], *said: str) -> None:
    work.cancel(*said)
    with suppress(asyncio.CancelledError):
        await work


def _connection(conn_id: str) -> Any:
    with _SUPERVISOR:
        return task_connection(conn_id)


def _calling(kube: Kube, operator: Any, context: Mapping[str, Any]) -> CallingKube | None:
    if not getattr(operator, "callbacks", None):
        return None
    from argo_yaml_provider.airflow.hosts.callbacks import CallingKube

    return CallingKube(kube, operator, context)


class WorkerHost(RunValues):
    """`step.host.Host` for one try of one task instance."""

    def __init__(self, operator: Any, context: Mapping[str, Any], envelope: Envelope, kube: Kube) -> None:
        ti = context["ti"]
        super().__init__(envelope, ti, context["dag_run"], generation=ti.max_tries)
        self.kube = kube
        self._store = context["task_state_store"]
        self._operator = operator
        self._ti_id = ti.id
        self._run = context["dag_run"]

    @property
    def execution_timeout(self) -> float:
        """As its DAG says it, in seconds."""
        return float(self._operator.execution_timeout.total_seconds())

    async def attempts(self) -> tuple[Attempt, ...]:
        return attempts_from_json(await talk(self._store.get, attempts_key(self.generation)))

    async def record_attempts(self, attempts: tuple[Attempt, ...]) -> None:
        await talk(self._store.set, attempts_key(self.generation), attempts_to_json(attempts))

    def log(self, line: str, *, container: str = "") -> None:
        self._operator.log.info("%s", f"[{container}] {line}" if container else line)
        if container and (progress := getattr(self.kube, "progress", None)):
            progress(line, container)

    async def run_child(self, child: str, name: str, conf: Json) -> Outcome:
        """The child run's verdict; until it has one, this task gives back its slot and waits in the triggerer.

        Waiting in the worker would be a deadlock: recursion would fill every slot with parents.
        """
        dag_id = child_dag_id(self.envelope.family, child)
        run_id = child_run_id(self.dag_id, self.run_id, name)
        state = await start_or_look(dag_id, run_id, {CHILD_CONF: conf})
        if state not in ("success", "failed"):
            raise TaskDeferred(trigger=_child_trigger(dag_id, run_id), method_name="resume")
        return await self._child_verdict(child, dag_id, run_id, state)

    async def child_nodes(self, dag_id: str, run_id: str) -> list[Json]:  # noqa: ARG002 - the protocol's signature
        """None: a tree is drawn from the metadata database, when the run is over; no step asks for one."""
        return []

    def measure(self, measured: tuple[Measurement, ...]) -> None:
        """Through the metrics of the task's process."""
        if wrong := send(measured, stats):
            self._operator.log.warning("%s", wrong)

    async def history(self) -> History | None:
        """For a run that the schedule made."""
        from airflow.sdk.execution_time import task_runner

        if self.envelope.prefix or self._run.run_type != "scheduled":
            return None
        return await talk(read_slots, task_runner.SUPERVISOR_COMMS.send, self.dag_id, self._run.logical_date)

    async def end_runs(self, run_ids: tuple[str, ...]) -> None:  # noqa: ARG002 - the protocol's signature
        raise NO_REPLACE

    async def ask_person(self, question: Question, wait: float | None) -> dict[str, str] | None:
        """The form's answer; while there is none, the task gives back its slot and Airflow resumes it when there is."""
        event = getattr(self._operator, "event", None)
        if question.problem or not isinstance(event, Mapping) or "params_input" not in event:
            await talk(upsert_hitl_detail, ti_id=self._ti_id, **form_of(question))
            raise TaskAwaitingInput(method_name="resume", timeout=AwaitsPerson(wait).wait)
        return supplied_by(SimpleNamespace(**event))

    async def _child_verdict(self, child: str, dag_id: str, run_id: str, state: str) -> Outcome:
        value = await _xcom(OUTCOME_KEY, dag_id, self.envelope.verdicts[child], run_id, -1)
        where = {"dag_id": dag_id, "run_id": run_id}
        if value is None:
            return Outcome(phase=Phase.ERROR, message=f"child run {run_id} ended as {state}, without a verdict", child=where)
        return Outcome.from_json({**value, "child": where})

    async def read_xcom(self, key: str, task_id: str, map_index: int) -> Any:
        return await _xcom(key, self.dag_id, task_id, self.run_id, map_index)

    async def write_xcom(self, key: str, value: Any, task_id: str, map_index: int, *, length: int | None = None) -> None:
        named = {"dag_id": self.dag_id, "task_id": task_id, "run_id": self.run_id, "map_index": map_index}
        await talk(XCom.set, key, value, **named, _mapped_length=length)


async def start_or_look(dag_id: str, run_id: str, conf: Json) -> str:
    """The state of the run, which is made if it is not there yet."""
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import DagRunStateResult, ErrorResponse, GetDagRunState, TriggerDagRun

    comms = task_runner.SUPERVISOR_COMMS
    try:
        made = await talk(comms.send, TriggerDagRun(dag_id=dag_id, run_id=run_id, conf=conf))
    except AirflowRuntimeError as error:
        made = error.error
    if isinstance(made, ErrorResponse) and made.error is not ErrorType.DAGRUN_ALREADY_EXISTS:
        raise AirflowRuntimeError(made)
    found = await talk(comms.send, GetDagRunState(dag_id=dag_id, run_id=run_id))
    assert isinstance(found, DagRunStateResult)
    return found.state.value  # str() would be the member's name


async def talk(question: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """One exchange with Airflow's supervisor, in a thread and one at a time: that of `dag.test()` can do no other."""

    def ask() -> T:
        with _SUPERVISOR:
            return question(*args, **kwargs)

    return await asyncio.to_thread(ask)


async def leave_out(tasks: tuple[str, ...]) -> None:
    """Skip other tasks of the run."""
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import SkipDownstreamTasks

    await talk(task_runner.SUPERVISOR_COMMS.send, SkipDownstreamTasks(tasks=list(tasks)))


def _child_trigger(dag_id: str, run_id: str) -> Any:
    from airflow.providers.standard.triggers.external_task import DagStateTrigger
    from airflow.utils.state import DagRunState

    ended = [DagRunState.SUCCESS, DagRunState.FAILED]
    return DagStateTrigger(dag_id=dag_id, run_ids=[run_id], states=ended, poll_interval=_POLL_SECONDS)


async def _xcom(key: str, dag_id: str, task_id: str, run_id: str, map_index: int) -> Any:
    return await talk(XCom.get_one, key=key, dag_id=dag_id, task_id=task_id, run_id=run_id, map_index=map_index)
