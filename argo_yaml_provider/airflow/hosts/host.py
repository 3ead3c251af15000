"""What a step asks of its host, answered by the Execution API.

In: a task instance that runs.  Out: the `Host` of step/host.py.
Must not know: what a step does with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from argo_yaml_provider.airflow.api import Entered, Pushed, Shown, TaskRef
from argo_yaml_provider.airflow.envelope import OUTCOME_KEY, Envelope
from argo_yaml_provider.airflow.facts import run_facts
from argo_yaml_provider.airflow.history import read_history
from argo_yaml_provider.airflow.hosts.keys import attempts_key, once_key, once_task
from argo_yaml_provider.airflow.hosts.rendered import rendered_fields
from argo_yaml_provider.airflow.hosts.slots import left_out
from argo_yaml_provider.airflow.hosts.submitted import SubmittedRuns
from argo_yaml_provider.airflow.measure import send
from argo_yaml_provider.airflow.persons import AwaitsPerson, put_form, read_response, supplied_by
from argo_yaml_provider.airflow.runs import is_over
from argo_yaml_provider.airflow.shutdown import shut_down_run
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.metrics import Measurement
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.flow.shutdown import TERMINATE
from argo_yaml_provider.flow.slots import History
from argo_yaml_provider.plan.nodes import CallKind, Json, PlannedTask
from argo_yaml_provider.pods.artifacts import NONE
from argo_yaml_provider.pods.names import pod_name
from argo_yaml_provider.step.host import Question, WorkflowRuns
from argo_yaml_provider.step.own_secret import connections_of, with_own_secrets
from argo_yaml_provider.step.pod import delete_pods, pod_key

if TYPE_CHECKING:
    from argo_yaml_provider.airflow.hosts.life import Shared
    from argo_yaml_provider.airflow.hosts.task_log import TaskLog
    from argo_yaml_provider.step.kube import Kube


class PatientKube:
    """The shared client, but what is to be done later waits until Airflow knows how the task ended.

    A pod that is deleted before would be missing to whoever takes over from a runner that dies in between.
    """

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._waiting: list[Coroutine[Any, Any, Any]] = []
        self.manifest: Json | None = None
        """The last pod that was asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kube, name)

    async def create_pod(self, manifest: Json) -> tuple[Json, bool]:
        """Remembered, for the UI."""
        self.manifest = with_own_secrets(manifest, connections_of(manifest))
        return await self._kube.create_pod(manifest)

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Not yet."""
        self._waiting.append(work)

    def tidy(self) -> None:
        """Now."""
        for work in self._waiting:
            self._kube.later(work)
        self._waiting.clear()

    def forget(self) -> None:
        """Never: another life will see to it."""
        for work in self._waiting:
            work.close()
        self._waiting.clear()


_AGAIN, _ALL = 0.5, ""
"""Seconds before a task that has left no outcome yet is looked at again; how the reading of all tasks is remembered."""
_ONE_BY_ONE = 4
"""A step that reads more tasks than this gets all outcomes of its run in one query."""


class ExecutorHost:
    """One task's view of its run."""

    kube: Kube
    outcome_key = OUTCOME_KEY
    turn = ""
    moved = NONE
    _patient: PatientKube | None = None
    _showed: Json | None = None
    """The pod that the UI shows."""

    def __init__(self, shared: Shared, ti: TaskRef, envelope: Envelope, entered: Entered, log: TaskLog, *, first: bool) -> None:
        self.plan = envelope.plan
        self.settings = envelope.pods
        self.dag_id, self.run_id, self.map_index = ti.dag_id, ti.run_id, ti.map_index
        self.task_id = ti.task_id.removeprefix(envelope.prefix)
        self.generation = entered.max_tries
        self.facts = run_facts(
            envelope,
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            conf=entered.conf,
            run_after=entered.run_after,
            logical_date=entered.logical_date,
        )
        self.workflows: WorkflowRuns = SubmittedRuns(shared.api, ti, envelope, self.facts)
        self.task: PlannedTask = next(task for task in self.plan.tasks if task.id == self.task_id)
        self._shared, self._ti, self._envelope, self._log, self._first = shared, ti, envelope, log, first
        self._outcomes: dict[str, dict[int, Json]] = {}
        self._all_read = False
        self._read_at: dict[str, float] = {}
        self._reading = asyncio.Lock()
        self._attempts: tuple[Attempt, ...] | None = None
        self._staying: list[Coroutine[Any, Any, None]] = []

    def use(self, kube: Kube) -> None:
        """This is the cluster."""
        self._patient = PatientKube(kube)
        self.kube = cast("Kube", self._patient)

    def tidy(self) -> None:
        """Airflow knows how the task ended: its pods may go."""
        if self._patient:
            self._patient.tidy()
        for work in self._staying:
            self._shared.stay(self._stay(work))
        self._staying.clear()

    def forget(self) -> None:
        """This life did not come to an end that Airflow knows of."""
        if self._patient:
            self._patient.forget()
        for work in self._staying:
            work.close()
        self._staying.clear()

    def shown(self) -> Shown:
        """What the UI is to show, and does not show yet."""
        manifest = self._patient.manifest if self._patient else None
        new = manifest if manifest is not self._showed else None
        return Shown(turn=self.turn, fields=rendered_fields(new) if new else None)

    async def show(self) -> None:
        """Show it now, while the step goes on."""
        manifest = self._patient.manifest if self._patient else None
        await self._shared.api.show(self._ti, self.shown)
        self._showed = manifest

    async def undo(self) -> None:
        """End all that this generation of the task has begun: its pods, its child runs."""
        if self._patient:
            await delete_pods(self)
        if self.task.call_kind is CallKind.CHILD:
            names = [pod_name(pod_key(self, attempt)) for attempt in range(len(await self.attempts()) + 1)]
            await self._shared.children.end(self._ti, names)

    async def outcome(self, task_id: str, map_index: int) -> Outcome | None:
        """Read once a life: what has ended stays as it is. What has not is looked for again by a hook that watches it."""
        async with self._reading:
            if map_index not in self._outcomes.get(task_id, {}) and time.monotonic() - self._last_read(task_id) > _AGAIN:
                await self._read(task_id)
        value = self._outcomes.get(task_id, {}).get(map_index)
        return None if value is None else Outcome.from_json(value)

    def _last_read(self, task_id: str) -> float:
        return self._read_at.get(_ALL if self._all_read else task_id, float("-inf"))

    async def _read(self, task_id: str) -> None:
        prefix, everything = self._envelope.prefix, len(self._outcomes) >= _ONE_BY_ONE
        wanted = None if everything else prefix + task_id
        rows = await self._shared.api.xcoms(self.dag_id, self.run_id, OUTCOME_KEY, task_id=wanted)
        self._outcomes.setdefault(task_id, {})
        for found, index, value in rows:
            self._outcomes.setdefault(found.removeprefix(prefix), {})[index] = value
        self._all_read = everything
        self._read_at[_ALL if everything else task_id] = time.monotonic()

    @property
    def _attempts_key(self) -> str:
        return attempts_key(self.generation)

    async def attempts(self) -> tuple[Attempt, ...]:
        """A first try has none, and does not ask."""
        if self._attempts is None:
            kept = None if self._first else await self._shared.api.kept(self._ti, self._attempts_key)
            self._attempts = tuple(Attempt(**{**one, "phase": Phase(one["phase"])}) for one in kept or ())
        return self._attempts

    async def record_attempts(self, attempts: tuple[Attempt, ...]) -> None:
        """Written together with the task's end: until then their pods tell of them."""
        self._attempts = attempts

    def left_out(self, outcome: Outcome) -> tuple[str, ...]:
        """Other tasks of the run that are not to run."""
        return left_out(self.plan, self._envelope.prefix, self.task_id, outcome)

    def unwritten(self) -> Json:
        """What the next try must find."""
        from dataclasses import asdict

        return {self._attempts_key: [asdict(one) for one in self._attempts]} if self._attempts else {}

    async def once(self, key: str, compute: Callable[[], Awaitable[Any]]) -> Any:
        """Kept as an XCom of the plan's first task, which every host can find."""
        carrier = TaskRef(
            id="", dag_id=self.dag_id, run_id=self.run_id, task_id=self._envelope.prefix + once_task(self.plan), map_index=-1
        )
        name = once_key(key)
        kept = await self._shared.api.xcom(carrier, name)
        if kept is None:
            kept = {"value": await compute()}
            await self._shared.api.push(carrier, Pushed(key=name, value=kept))
        return kept["value"]

    def log(self, line: str, *, container: str = "") -> None:
        """One line of the task's log."""
        self._log.write(line, **({"container": container} if container else {}))

    def measure(self, measured: tuple[Measurement, ...]) -> None:
        """Through the metrics of Airflow's own servers, for this is one."""
        from airflow.observability import stats

        if wrong := send(measured, stats):
            self._log.write(wrong, level="warning")

    async def run_child(self, child: str, name: str, conf: Json) -> Outcome:
        """A run of the child plan's DAG, to its end."""
        return await self._shared.children.run(self._ti, self._envelope, child, name, conf)

    def stay(self, work: Coroutine[Any, Any, None]) -> None:
        """Beside the lives of this runner, until it ends; begun once Airflow knows of this one's end."""
        self._staying.append(work)

    async def _stay(self, work: Coroutine[Any, Any, None]) -> None:
        with self._log:
            await work

    async def is_over(self) -> bool:
        """Whether Airflow has ended the run, or forgotten it."""
        return await self._shared.api.call(lambda session: is_over(session, self.dag_id, self.run_id))

    async def publish(self, outcome: Outcome) -> None:
        """The task has ended: only its XCom changes."""
        await self._shared.api.push(self._ti, Pushed(key=self.outcome_key, value=outcome.to_json()))

    async def child_nodes(self, dag_id: str, run_id: str) -> list[Json]:
        """The node tree of a child run."""
        return await self._shared.children.nodes(dag_id, run_id)

    async def history(self) -> History | None:
        """From the runs of the DAG; a group in somebody's own DAG has no slots."""
        if self._envelope.prefix:
            return None
        return await self._shared.api.call(lambda session: read_history(session, self.dag_id, self.run_id))

    async def end_runs(self, run_ids: tuple[str, ...]) -> None:
        """As `argo-yaml terminate` does; one that has ended meanwhile needs nothing more."""
        for run_id in run_ids:
            with suppress(RunError):
                await self._shared.api.call(partial(shut_down_run, dag_id=self.dag_id, run_id=run_id, strategy=TERMINATE))

    async def ask_person(self, question: Question, wait: float | None) -> dict[str, str] | None:
        """The form's answer; while there is none, this life ends, and Airflow begins another when there is."""
        response = None if question.problem else await self._shared.api.call(lambda db: read_response(db, self._ti.id))
        if response is None:
            await self._shared.api.call(lambda db: put_form(db, self._ti.id, question))
            raise AwaitsPerson(wait)
        return supplied_by(response)
