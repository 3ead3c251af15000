"""Child runs: a call that Airflow cannot hold in one DAG becomes a run of a DAG of its own.

In: a call of a child plan.  Out: its run, waited for without a slot or a thread; its verdict.
Must not know: what the child does.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from argo_yaml_provider.airflow.envelope import Envelope, child_dag_id
from argo_yaml_provider.airflow.facts import CHILD_CONF, child_run_id
from argo_yaml_provider.airflow.runs import FINISHED, RunReader
from argo_yaml_provider.flow.outcome import Outcome
from argo_yaml_provider.plan.nodes import Json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from argo_yaml_provider.airflow.api import ExecutionApi, TaskRef

LOOK_EVERY = 0.5

Key = tuple[str, str]


class ChildRuns:
    """All child runs that this process waits for: one query for all of them."""

    def __init__(self, api: ExecutionApi) -> None:
        self._api = api
        self._reader = RunReader()
        self._waiting: dict[Key, asyncio.Future[None]] = {}
        self._look: asyncio.Task[None] | None = None

    async def run(self, parent: TaskRef, envelope: Envelope, child: str, name: str, conf: Json) -> Outcome:
        """Start the run, unless an earlier life of the parent has; wait for its end."""
        dag_id = child_dag_id(envelope.family, child)
        run_id = child_run_id(parent.dag_id, parent.run_id, name)
        await self._api.trigger(parent, dag_id, run_id, {CHILD_CONF: conf})
        await self._ended((dag_id, run_id))
        verdict: Outcome = await self._api.call(lambda session: self._reader.flow(session, dag_id, run_id).verdict())
        return replace(verdict, child={"dag_id": dag_id, "run_id": run_id})

    async def end(self, parent: TaskRef, names: list[str]) -> None:
        """End the runs that were started for these attempts, and all their tasks."""
        run_ids = [child_run_id(parent.dag_id, parent.run_id, name) for name in names]
        await self._api.call(lambda session: _fail_runs(session, run_ids))

    async def nodes(self, dag_id: str, run_id: str) -> list[Json]:
        """The node tree of a run."""
        return await self._api.call(lambda session: self._reader.flow(session, dag_id, run_id).nodes())

    async def _ended(self, key: Key) -> None:
        future = self._waiting.setdefault(key, asyncio.get_running_loop().create_future())
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._watch())
        await asyncio.shield(future)

    async def _watch(self) -> None:
        while self._waiting:
            await asyncio.sleep(LOOK_EVERY)
            keys = list(self._waiting)
            for key in await self._api.call(lambda session: _ended_of(session, keys)):  # noqa: B023 - called at once
                if (future := self._waiting.pop(key, None)) and not future.done():
                    future.set_result(None)


def _ended_of(session: Session, keys: list[Key]) -> list[Key]:
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    wanted = set(keys)
    statement = select(DagRun.dag_id, DagRun.run_id, DagRun.state).where(DagRun.run_id.in_({run for _, run in keys}))
    rows = {(row.dag_id, row.run_id): row.state for row in session.execute(statement)}
    return [key for key in wanted if rows.get(key, "failed") in FINISHED]


def _fail_runs(session: Session, run_ids: list[str]) -> None:
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    statement = select(DagRun.dag_id, DagRun.run_id).where(DagRun.run_id.in_(run_ids), DagRun.state.not_in(FINISHED))
    for row in session.execute(statement).all():
        fail_run(session, row.dag_id, row.run_id)


def fail_run(session: Session, dag_id: str, run_id: str) -> None:
    """End a run and all its tasks, as a person would by marking it failed."""
    from airflow.api.common.mark_tasks import set_dag_run_state_to_failed
    from airflow.models.serialized_dag import SerializedDagModel

    if dag := SerializedDagModel.get_dag(dag_id, session=session):
        set_dag_run_state_to_failed(dag=dag, run_id=run_id, commit=True, session=session)
