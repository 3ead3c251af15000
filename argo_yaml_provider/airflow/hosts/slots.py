"""What a worker may know of the other runs of its CronWorkflow: what Airflow's Task SDK tells it.

In: the DAG, the slot.  Out: History; tasks left out.
Must not know: policies, the metadata database. The SDK counts runs that have ended but tells neither their order nor which are
a backfill's, and lets no task end another run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.flow.slots import History
from argo_yaml_provider.plan.names import START
from argo_yaml_provider.plan.nodes import Plan, TaskKind

Send = Callable[[Any], Any]
NO_REPLACE = RunError(
    "concurrencyPolicy Replace: an Airflow worker cannot end another run",
    help="put argo_yaml_provider.airflow.executor.StepExecutor into [core] executor, or write Forbid",
)


def read_slots(send: Send, dag_id: str, slot: datetime) -> History:
    """The runs before the slot."""
    skipped = _count(send, dag_id, states=["skipped"], task_ids=[START])
    succeeded, failed = _count(send, dag_id, states=["success"]) - skipped, _count(send, dag_id, states=["failed"])
    active = [run.run_id for state in ("running", "queued") for run in _before(send, dag_id, slot, state)]
    last = next((run.logical_date for run in _before(send, dag_id, slot, None) if _counts(send, run)), None)
    return History(
        active=tuple(name for name in active if not name.startswith("backfill__")),
        ended=(True,) * max(succeeded, 0) + (False,) * failed,
        last=last,
    )


def _before(send: Send, dag_id: str, slot: datetime, state: str | None) -> Iterator[Any]:
    """Runs before the slot, the latest first."""
    from airflow.sdk.execution_time.comms import GetPreviousDagRun

    at: datetime | None = slot
    while at is not None:
        run = send(GetPreviousDagRun(dag_id=dag_id, logical_date=at, state=state)).dag_run
        if run is not None and (state is None or not _was_skipped(send, run)):
            yield run
        at = run.logical_date if run is not None else None


def _counts(send: Send, run: Any) -> bool:
    return run.run_id.startswith("scheduled__") and not _was_skipped(send, run)


def _was_skipped(send: Send, run: Any) -> bool:
    return _count(send, run.dag_id, states=["skipped"], task_ids=[START], run_ids=[run.run_id]) > 0


def _count(send: Send, dag_id: str, *, task_ids: list[str] | None = None, **which: Any) -> int:
    from airflow.sdk.execution_time.comms import GetDRCount, GetTICount

    asked = GetTICount(dag_id=dag_id, task_ids=task_ids, **which) if task_ids else GetDRCount(dag_id=dag_id, **which)
    found: Any = send(asked)
    return int(getattr(found, "count", found))


def left_out(plan: Plan, prefix: str, task_id: str, outcome: Outcome) -> tuple[str, ...]:
    """The tasks of a workflow that does not start; of a slot that is skipped, the verdict too."""
    if task_id != START or outcome.phase is Phase.SUCCEEDED:
        return ()
    kept = (TaskKind.START,) if outcome.phase is Phase.SKIPPED else (TaskKind.START, TaskKind.VERDICT)
    return tuple(prefix + task.id for task in plan.tasks if task.kind not in kept)
