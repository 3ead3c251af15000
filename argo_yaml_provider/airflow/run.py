"""Run workflows to their end in an Airflow of this command's own: scheduler loop and step runner, no web server.

In: plans and submitted parameters.  Out: each workflow's node tree, as it comes about and as it ends.
Must not know: YAML files, terminals.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.home import enter_home
from argo_yaml_provider.plan.nodes import Json, Plan

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from argo_yaml_provider.airflow.executor import StepExecutor
    from argo_yaml_provider.airflow.run_hosts import RunWorkers
    from argo_yaml_provider.airflow.runs import RunReader
    from argo_yaml_provider.pods.settings import PodSettings

log = logging.getLogger(__name__)

BUNDLE = "argo-yaml"
LOOK_EVERY = 0.25
"""Seconds between looks at the runs."""
SETTLED = 2.0
MARKS: list[tuple[str, float]] = []
"""What startup is made of: (what has been reached, when). bench/startup.py reads it."""


def mark(what: str) -> None:
    """Note that something has been reached; where the environment names a file for them, the notes go there."""
    MARKS.append((what, time.time()))
    if path := os.environ.get("ARGO_YAML_MARKS"):
        Path(path).write_text(json.dumps(MARKS), encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One workflow to run."""

    name: str
    """What the caller calls it."""
    plan: Plan
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Run:
    """A workflow that runs."""

    request: Request
    dag_id: str
    run_id: str
    result: Json = field(default_factory=dict)
    """What `argo-yaml run --output json` prints of it, so far."""
    state: str = "queued"

    waiting_since: float | None = None
    """Since when only a person can go on with it."""

    @property
    def waiting(self) -> bool:
        """Whether it has waited for a person long enough for nothing else to be about to begin."""
        return self.waiting_since is not None and time.monotonic() - self.waiting_since > SETTLED

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in ("success", "failed")


@dataclass(kw_only=True)
class Stop:
    """When to end before the end."""

    timeout: float | None = None
    until_waiting: bool = False


Tell = Callable[[str], None]
Observer = Callable[[Sequence[Run]], None]


@contextmanager
def airflow(
    home: Path, tell: Callable[[str], None], before_fork: Callable[[], object] = lambda: None, execution: str = "executor"
) -> Iterator[StepExecutor | RunWorkers]:
    """A private Airflow, whose runner starts while the rest is still being imported; what uses threads must be over before."""
    enter_home(home, tell, execution)
    mark("home made")
    import airflow  # noqa: F401 - configures itself

    mark("airflow imported")
    quicken_sqlite()
    if execution != "executor":
        from argo_yaml_provider.airflow.run_hosts import RunWorkers, triggerer

        before_fork()
        # Workers wait for child runs in the triggerer, so both kinds of host need both.
        with triggerer():
            yield RunWorkers()
        return
    from airflow.executors.executor_loader import ExecutorLoader

    from argo_yaml_provider.airflow.executor import StepExecutor

    (executor,) = ExecutorLoader.init_executors()
    assert isinstance(executor, StepExecutor)
    executor.keep_pods = False
    executor.sync_wait = 0.5
    before_fork()
    executor.start_runner()
    mark("runner forked")
    try:
        yield executor
    finally:
        executor.end()
        mark("runner ended")


def quicken_sqlite() -> None:
    """The database is thrown away at the end: it need not survive a power cut."""
    from airflow import settings
    from sqlalchemy import event

    def relax(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    assert settings.engine is not None
    event.listen(settings.engine, "connect", relax)


def run_requests(
    executor: StepExecutor | RunWorkers, requests: Sequence[Request], pods: PodSettings, observe: Observer, stop: Stop
) -> list[Run]:
    """All of them at once, to their end."""
    import argo_yaml_provider.airflow.dags
    import argo_yaml_provider.airflow.scheduler  # noqa: F401

    mark("scheduler imported")
    # Pods are named by their run, and a cluster may hold those of an earlier command.
    runs = create_runs(requests, pods, series=secrets.token_hex(4))
    mark("runs created")
    finish_runs(executor, runs, observe, stop)
    return runs


def finish_runs(executor: StepExecutor | RunWorkers, runs: Sequence[Run], observe: Observer, stop: Stop) -> None:
    """Schedule runs that are in the database, to their end."""
    from argo_yaml_provider.airflow.scheduler import run_scheduler

    watch = _Watch(runs=runs, observe=observe, stop=stop)
    try:
        run_scheduler([executor], watch)
    finally:
        mark("scheduler's loop left")
        watch.look()


def create_runs(requests: Sequence[Request], pods: PodSettings, *, series: str) -> list[Run]:
    """Their DAGs, straight into the database; a run of each."""
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.session import create_session

    from argo_yaml_provider.airflow.run_dags import run_settings, write_loader

    runs: list[Run] = []
    with create_session() as session:
        if session.get(DagBundleModel, BUNDLE) is None:
            session.add(DagBundleModel(name=BUNDLE))
            session.flush()
        for number, request in enumerate(requests, 1):
            name = request.plan.name
            dag_id = f"{name}-{number}" if any(run.dag_id == name for run in runs) else name
            runs.append(Run(request=request, dag_id=dag_id, run_id=f"{series}-{number}"))
        if run_settings(pods).workers:
            write_loader([(run.dag_id, run.request.plan) for run in runs], pods)
        for run in runs:
            write_dags(session, run.request.plan, pods, run.dag_id)
            create_run(session, run)
    return runs


def write_dags(session: Session, plan: Plan, pods: PodSettings, dag_id: str) -> None:
    """The plan's DAG and those of its child plans, as a DAG processor would write them."""
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import LazyDeserializedDAG

    from argo_yaml_provider.airflow.run_dags import run_dags, run_settings

    dags = [LazyDeserializedDAG.from_dag(dag) for dag in run_dags(plan, run_settings(pods), dag_id)]
    SerializedDAG.bulk_write_to_db(BUNDLE, None, dags, session=session)
    for dag in dags:
        SerializedDagModel.write_dag(dag, BUNDLE, session=session)
    session.flush()


def create_run(session: Session, run: Run) -> None:
    from airflow._shared.timezones import timezone
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    dag = SerializedDagModel.get_dag(run.dag_id, session=session)
    assert dag is not None
    dag.create_dagrun(
        run_id=run.run_id,
        run_after=timezone.utcnow(),
        run_type=DagRunType.MANUAL,
        triggered_by=DagRunTriggeredByType.CLI,
        state=DagRunState.QUEUED,
        conf=dict(run.request.parameters),
        session=session,
    )


@dataclass(kw_only=True)
class _Watch:
    """Looks at the runs now and then; says when all are over."""

    runs: Sequence[Run]
    observe: Observer
    stop: Stop
    started: float = field(default_factory=time.monotonic)
    looked: float = 0.0

    def __call__(self, session: Session) -> bool:  # noqa: ARG002 - the scheduler's session must not see our reads
        if not self.looked:
            mark("scheduler's loop entered")
        if time.monotonic() - self.looked < LOOK_EVERY:
            return False
        self.look()
        if self.stop.timeout is not None and time.monotonic() - self.started > self.stop.timeout:
            return True
        done = all(run.over or (self.stop.until_waiting and run.waiting) for run in self.runs)
        return done and not self._submitted()

    def _submitted(self) -> bool:
        """Whether a workflow that one of them submitted goes on, though nobody waits for it."""
        from airflow.utils.session import create_session

        from argo_yaml_provider.airflow.hosts.submitted import unfinished

        if not any(may_submit(run.request.plan) for run in self.runs):
            return False
        with create_session() as session:
            return unfinished(session)

    def look(self) -> None:
        """Read the runs that were not over, and show them all."""
        from airflow.utils.session import create_session

        from argo_yaml_provider.airflow.runs import RunReader

        reader = RunReader()
        with create_session() as session:
            for run in self.runs:
                if not run.over:
                    run.state = reader.state(session, run.dag_id, run.run_id)
                    run.result = self._result(reader, session, run)
                    run.waiting_since = (run.waiting_since or time.monotonic()) if waits(run) else None
        self.looked = time.monotonic()
        if any(pod_started(run.result) for run in self.runs) and all(what != FIRST_POD for what, _ in MARKS):
            mark(FIRST_POD)
        self.observe(self.runs)

    def _result(self, reader: RunReader, session: Session, run: Run) -> Json:
        """The run's tree; one that cannot be told must not end the others."""
        try:
            return reader.flow(session, run.dag_id, run.run_id).result()
        except Exception as error:
            if not run.over:
                return run.result
            log.exception("the node tree of %s cannot be told", run.dag_id)
            return {"name": run.dag_id, "phase": "Error", "message": f"{type(error).__name__}: {error}", "nodes": []}


def may_submit(plan: Plan) -> bool:
    """Whether it has a resource template, whose manifest may be a workflow."""
    return any("resource" in template for one in (plan, *plan.children.values()) for template in one.templates.values())


def waits(run: Run) -> bool:
    """Whether all that is under way are suspends without an end of their own, or the workflow itself is one."""
    if run.result.get("phase") == "Running" and not run.result.get("nodes"):
        return bool((run.request.plan.workflow.get("spec") or {}).get("suspend"))
    timed = {one.get("name") for one in run.request.plan.templates.values() if (one.get("suspend") or {}).get("duration")}
    under_way = [
        node
        for node in run.result.get("nodes", ())
        if node.get("phase") in ("Running", "Pending")
        and node["type"] not in ("Steps", "StepGroup", "DAG", "TaskGroup", "Retry")
    ]
    return bool(under_way) and all(node["type"] == "Suspend" and node["template"] not in timed for node in under_way)


FIRST_POD = "first pod seen to run"


def pod_started(result: Json) -> bool:
    """Whether one of its pods runs or has ended."""
    return any(node["type"] == "Pod" and node.get("phase") != "Pending" for node in result.get("nodes", ()))
