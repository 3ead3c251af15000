"""The metrics of a task that Airflow's task runner emits, by the same names and tags.

In: a task that begins or has ended.  Out: Airflow's metrics, to wherever the deployment sends them.
Must not know: steps.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

OPERATOR = "ArgoStepOperator"


def start_metrics() -> None:
    """Connect to where the deployment's metrics go, once a process."""
    from airflow.sdk._shared.observability.metrics import stats
    from airflow.sdk.configuration import conf
    from airflow.sdk.observability.metrics import stats_utils

    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=conf.getboolean("metrics", "legacy_names_on"))


def tags_of(dag_id: str, task_id: str, team: str | None) -> dict[str, str]:
    """The tags of all of them."""
    return {"dag_id": dag_id, "task_id": task_id, **({"team_name": team} if team else {})}


def count_start(tags: dict[str, str]) -> None:
    """A task begins to run."""
    from airflow.sdk._shared.observability.metrics import stats

    stats.incr("ti.start", tags=tags)


def count_end(tags: dict[str, str], state: str, begun: datetime, ended: datetime) -> None:
    """A task has ended in a state."""
    from airflow.sdk._shared.observability.metrics import stats

    named: dict[str, Any] = {**tags, "operator_name": OPERATOR}
    if result := _RESULTS.get(state):
        stats.incr(f"operator_{result}", tags=named)
        stats.incr(f"ti_{result}", tags=tags)
    stats.incr("ti.finish", tags={**tags, "state": state})
    stats.timing("task.duration", (ended - begun).total_seconds() * 1000, tags=tags)


_RESULTS = {"success": "successes", "failed": "failures", "up_for_retry": "failures"}
