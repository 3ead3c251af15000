"""A run as Airflow's tables know it, read for the flow: which outcomes there are, which tasks run, what a child run came to.

In: dag_id, run_id.  Out: a `Flow` over what has happened so far.
Must not know: how a node tree is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.envelope import OUTCOME_KEY, Envelope
from argo_yaml_provider.airflow.facts import run_facts
from argo_yaml_provider.airflow.hosts.keys import once_key, once_task
from argo_yaml_provider.airflow.hosts.plans import Version, read_version
from argo_yaml_provider.airflow.xcoms import read_xcoms
from argo_yaml_provider.flow.clock import rfc3339
from argo_yaml_provider.flow.facts import claims_key, limit_key
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.step.daemons import death_key

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from argo_yaml_provider.flow.facts import RunFacts
    from argo_yaml_provider.flow.flow import Flow


FINISHED = ("success", "failed")
"""Airflow's states of a run that is over."""


_UNDER_WAY = ("running", "deferred", "awaiting_input", "up_for_retry")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """A run that was read."""

    row: Any
    """Airflow's DagRun."""
    envelope: Envelope
    facts: RunFacts
    source: RunSource
    flow: Flow


class RunReader:
    """Reads runs; remembers the DAG versions it has seen."""

    def __init__(self) -> None:
        self._versions: dict[str, Version] = {}

    def flow(self, session: Session, dag_id: str, run_id: str) -> Flow:
        """The flow of one run, as far as it has come."""
        return self.open(session, dag_id, run_id).flow

    def open(self, session: Session, dag_id: str, run_id: str) -> OpenRun:
        """One run with all that is known of it."""
        from argo_yaml_provider.flow.flow import Flow

        run, envelope = self._run(session, dag_id, run_id)
        facts = run_facts(
            envelope, dag_id=dag_id, run_id=run_id, conf=run.conf, run_after=run.run_after, logical_date=run.logical_date
        )
        live = run.state not in FINISHED
        source = self._source(session, dag_id, run_id, envelope)
        source.live = live
        return OpenRun(
            row=run, envelope=envelope, facts=facts, source=source, flow=Flow(envelope.plan, facts, source, live=live)
        )

    def state(self, session: Session, dag_id: str, run_id: str) -> str:
        """Airflow's state of the run."""
        from airflow.models.dagrun import DagRun
        from sqlalchemy import select

        return str(session.scalar(select(DagRun.state).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)))

    def _run(self, session: Session, dag_id: str, run_id: str) -> tuple[Any, Envelope]:
        from airflow.models.dagrun import DagRun
        from airflow.models.taskinstance import TaskInstance
        from sqlalchemy import select

        run = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
        if run is None:
            raise LookupError(f"there is no run {run_id} of {dag_id}")
        row = session.execute(
            select(TaskInstance.task_id, TaskInstance.dag_version_id)
            .where(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id)
            .limit(1)
        ).one_or_none()
        version = str(row.dag_version_id if row else run.created_dag_version_id)
        if version not in self._versions:
            self._versions[version] = read_version(session, version)
        known = self._versions[version]
        return run, known.envelope(row.task_id) if row else known.only()

    def _source(self, session: Session, dag_id: str, run_id: str, envelope: Envelope) -> RunSource:
        from airflow.models.taskinstance import TaskInstance
        from sqlalchemy import select

        prefix = envelope.prefix
        source = RunSource(reader=self, session=session)
        for task_id, map_index, value in read_xcoms(session, dag_id, run_id, OUTCOME_KEY, task_id=None):
            source.outcomes[task_id.removeprefix(prefix), map_index] = Outcome.from_json(value)
        carrier = prefix + once_task(envelope.plan)
        source.once = read_once(session, dag_id, run_id, carrier)
        states = select(TaskInstance.task_id, TaskInstance.map_index, TaskInstance.state, TaskInstance.start_date).where(
            TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id
        )
        for row in session.execute(states):
            source.states[row.task_id.removeprefix(prefix), row.map_index] = (row.state, row.start_date)
        return source


@dataclass(kw_only=True)
class RunSource:
    """The flow's `Source` over one reading of the tables: everything is here, nothing is `Missing`."""

    reader: RunReader
    session: Session
    outcomes: dict[tuple[str, int], Outcome] = field(default_factory=dict)
    states: dict[tuple[str, int], tuple[str | None, Any]] = field(default_factory=dict)
    """Airflow's state and start of each task instance."""
    once: Json = field(default_factory=dict)
    live: bool = False
    """Whether the run goes on."""

    def outcome(self, task_id: str, map_index: int) -> Outcome | None:
        """The outcome of a task that has ended, and of one that runs that it does."""
        ended = self._now(self.outcomes.get((task_id, map_index)))
        return ended or self._running(*self.states.get((task_id, map_index), (None, None)))

    def _now(self, outcome: Outcome | None) -> Outcome | None:
        """A daemon that died since it was ready."""
        if outcome is None or outcome.last is None or not outcome.last.daemoned:
            return outcome
        death = self.once.get(death_key(outcome.last.pod))
        return outcome.died(death) if death else outcome

    def _running(self, state: str | None, started: datetime | None) -> Outcome | None:
        if not self.live or state not in _UNDER_WAY or started is None:
            return None
        attempt = Attempt(phase=Phase.RUNNING, started_at=rfc3339(started))
        return Outcome(phase=Phase.RUNNING, attempts=(attempt,))

    def config_map(self, name: str, key: str) -> str | None:
        """As the run's first task to ask has read it."""
        found: str | None = self.once.get(f"config_map/{name}/{key}")
        return found

    def has_limit(self, namespace: str, semaphore: str, since: str) -> bool:
        """As the run's first task to ask has found; what nobody has asked for stops nothing."""
        return bool(self.once.get(limit_key(namespace, semaphore, since), True))

    def claims_refused(self, _claims: str, since: str, /) -> str:
        """As the run's first task has found."""
        return str(self.once.get(claims_key(since), ""))

    def child_nodes(self, dag_id: str, run_id: str) -> list[Json]:
        """The tree of a child run."""
        nodes: list[Json] = self.reader.flow(self.session, dag_id, run_id).nodes()
        return nodes


def is_over(session: Session, dag_id: str, run_id: str) -> bool:
    """Whether the run has ended, or is not there any more."""
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    state = session.scalar(select(DagRun.state).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
    return state is None or state in FINISHED


def read_once(session: Session, dag_id: str, run_id: str, carrier: str) -> Json:
    """The values that this run read once, by key."""
    from airflow.models.xcom import XComModel
    from sqlalchemy import select

    rows = session.execute(
        select(XComModel.key, XComModel.value).where(
            XComModel.dag_id == dag_id,
            XComModel.run_id == run_id,
            XComModel.task_id == carrier,
            XComModel.key.startswith(once_key(""), autoescape=True),
        )
    )
    return {row.key.removeprefix(once_key("")): row.value["value"] for row in rows}
