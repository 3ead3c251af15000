"""CronWorkflows in an Airflow of their own, whose scheduler makes their runs; it ends when enough runs of each are over.

Usage: cron_runs.py FILE HOME KUBECONFIG PERIOD SLOTS [DAG_ID FROM TO COUNT: backfilled]
Their schedules have so many slots, in so many seconds each, and none after, however slow the machine is.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from argo_yaml_provider.plan.nodes import Plan

OUT = os.fdopen(os.dup(1), "w")
"""What was standard output: from here on that is standard error."""


def main() -> None:
    file, home, kubeconfig, period, slots, *backfill = sys.argv[1:]
    os.dup2(2, 1)
    from argo_yaml_provider.airflow import run as runs
    from argo_yaml_provider.plan.compile import compile_file

    plans = compile_file(file)
    with runs.airflow(Path(home), lambda _: None) as executor:
        from airflow.models.dagbundle import DagBundleModel
        from airflow.utils.session import create_session

        from argo_yaml_provider.airflow.scheduler import run_scheduler

        os.environ["AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE"] = "True"
        with create_session() as session:
            session.add(DagBundleModel(name=runs.BUNDLE))
            session.flush()
            for plan in plans:
                bounds = {} if plan.name in backfill else bounds_of(int(period), int(slots))
                write_dag(session, plan, kubeconfig, bounds)
        wanted = {plan.name: int(slots) - (1 if endless(plan) else 0) for plan in plans}
        if backfill:
            dag_id, start, end, count = backfill
            make_backfill(dag_id, start, end)
            wanted[dag_id] = int(count)
        run_scheduler([executor], Enough(wanted))
        with create_session() as session:
            print(json.dumps({plan.name: told(session, plan.name) for plan in plans}), file=OUT, flush=True)


def endless(plan: Plan) -> bool:
    """Whether a run lasts until another replaces it, or the test ends."""
    return any((template.get("suspend") or {}).get("duration") == "1h" for template in plan.templates.values())


def bounds_of(period: int, slots: int) -> dict[str, Any]:
    """So many slots from now on."""
    start = (int(time.time()) // period + 1) * period
    first, last = (datetime.fromtimestamp(at, UTC) for at in (start, start + period * (slots - 1)))
    return {"start_date": first, "end_date": last, "catchup": True}


def write_dag(session: Session, plan: Plan, kubeconfig: str, bounds: dict[str, Any]) -> None:
    """As a DAG processor does; unpaused."""
    from airflow.models.dag import DagModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import LazyDeserializedDAG

    from argo_yaml_provider.airflow.dags import build_dag
    from argo_yaml_provider.airflow.run import BUNDLE
    from argo_yaml_provider.airflow.settings import Execution, Settings
    from argo_yaml_provider.pods.settings import PodSettings

    settings = Settings(pods=PodSettings(config_file=kubeconfig), execution=Execution.EXECUTOR, workers=False)
    dag = LazyDeserializedDAG.from_dag(build_dag(plan, settings, dag_id=plan.name, **bounds))
    SerializedDAG.bulk_write_to_db(BUNDLE, None, [dag], session=session)
    SerializedDagModel.write_dag(dag, BUNDLE, session=session)
    model = session.get(DagModel, plan.name)
    assert model is not None
    model.is_paused = False


class Enough:
    """Whether as many runs of each DAG are over as are wanted."""

    def __init__(self, wanted: dict[str, int]) -> None:
        self._wanted = wanted

    def __call__(self, session: Session) -> bool:  # noqa: ARG002 - the scheduler's session must not see our reads
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session
        from sqlalchemy import func, select

        over = select(DagRun.dag_id, func.count()).where(DagRun.state.in_(("success", "failed"))).group_by(DagRun.dag_id)
        with create_session() as own:
            found = {row[0]: row[1] for row in own.execute(over)}
        return all(found.get(dag_id, 0) >= count for dag_id, count in self._wanted.items())


def make_backfill(dag_id: str, start: str, end: str) -> None:
    """As a person does."""
    from airflow.cli.cli_parser import get_parser

    words = ["--dag-id", dag_id, "--from-date", start, "--to-date", end, "--max-active-runs", "4"]
    args = get_parser().parse_args(["backfill", "create", *words, "--dag-run-conf", '{"region": "north"}'])
    args.func(args)


def told(session: Session, dag_id: str) -> list[dict[str, Any]]:
    """The runs of a DAG, in the order in which they were made."""
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    from argo_yaml_provider.airflow.runs import RunReader

    rows = session.scalars(select(DagRun).where(DagRun.dag_id == dag_id).order_by(DagRun.id))
    return [
        {
            "slot": int(row.logical_date.timestamp()),
            "started": row.start_date.timestamp() if row.start_date else None,
            "ended": row.end_date.timestamp() if row.end_date else None,
            "state": str(row.state),
            "type": str(row.run_type),
            **RunReader().flow(session, dag_id, row.run_id).result(),
        }
        for row in rows
    ]


if __name__ == "__main__":
    main()
