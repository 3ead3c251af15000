"""What a CronWorkflow says of its DAG: when it runs, and from when on.

In: Plan.  Out: keywords of `airflow.sdk.DAG`.
Must not know: tasks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from argo_yaml_provider.plan.nodes import Plan

CATCHUP = "argo-yaml/catchup"
START_DATE = "argo-yaml/start-date"


def cron_options(plan: Plan) -> dict[str, Any]:
    """The schedule and what our annotations add to it; nothing for a workflow that is no CronWorkflow.

    A suspended CronWorkflow has no schedule, whatever Airflow's own switch says; it can be triggered by hand.
    """
    if not plan.cron:
        return {}
    annotations = plan.cron["metadata"].get("annotations") or {}
    options: dict[str, Any] = {"schedule": None if plan.cron["spec"].get("suspend") else _timetable(plan)}
    if CATCHUP in annotations:
        options["catchup"] = annotations[CATCHUP] == "true"
    if START_DATE in annotations:
        start = datetime.fromisoformat(annotations[START_DATE])
        options["start_date"] = start if start.tzinfo else start.replace(tzinfo=UTC)
    return options


def _timetable(plan: Plan) -> Any:
    from argo_yaml_provider.airflow.timetables import CronWorkflowTimetable

    spec = plan.cron["spec"]
    return CronWorkflowTimetable(
        tuple(spec["schedules"]), timezone=spec.get("timezone") or "", deadline=spec.get("startingDeadlineSeconds") or 0
    )
