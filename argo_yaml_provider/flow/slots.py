"""Whether a slot of a CronWorkflow's schedule is run: its `when`, stopStrategy and concurrencyPolicy.

In: the CronWorkflow, what came of its earlier runs.  Out: Slot; an ExprError where a condition cannot be answered.
Must not know: Airflow. Argo: workflow/cron/operator.go, run, enforceRuntimePolicy, checkStopingCondition.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.plan.nodes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The runs before a slot."""

    active: tuple[str, ...] = ()
    """The run_ids of those that go on."""
    ended: tuple[bool, ...] = ()
    """Of the others, in the order in which they ended: whether they succeeded."""
    last: datetime | None = None
    """The last slot that was run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What becomes of a slot."""

    skipped: str = ""
    """Why it is not run; '' if it is."""
    replaced: tuple[str, ...] = ()
    """The run_ids of those that end for it."""


def judge_slot(cron: Json, namespace: str, history: History) -> Slot:
    """The slot under the CronWorkflow's policies, asked in Argo's order."""
    spec = cron["spec"]
    if _has_stopped(cron, namespace, history):
        return Slot(skipped=f"the schedule has stopped: {spec['stopStrategy']['expression']}")
    if not _wanted(cron, namespace, history):
        return Slot(skipped=f"its condition does not hold: {spec['when']}")
    policy = spec.get("concurrencyPolicy") or "Allow"
    if policy == "Forbid" and history.active:
        return Slot(skipped=f"concurrencyPolicy Forbid, and {history.active[0]} still runs")
    return Slot(replaced=history.active if policy == "Replace" else ())


def _has_stopped(cron: Json, namespace: str, history: History) -> bool:
    """Once the expression was true after a run's end, it stays at that, whatever it says later."""
    from argo_yaml_provider.expr.evaluator import evaluate_bool

    text = (cron["spec"].get("stopStrategy") or {}).get("expression")
    if not text:
        return False
    known = _variables(cron, namespace, history)
    try:
        for count in range(len(history.ended) + 1):
            if evaluate_bool(text, {"cronworkflow": {**known, **_counts(history.ended[:count])}}):
                return True
    except ExprError as error:
        name = cron["metadata"].get("name", "")
        reason = (
            f"failed to check CronWorkflow '{name}' stopping condition: failed to evaluate stop expression: {error.message}"
        )
        raise ExprError(reason) from error
    return False


def _wanted(cron: Json, namespace: str, history: History) -> bool:
    from argo_yaml_provider.expr.when import evaluate_cron_when

    text = cron["spec"].get("when") or ""
    known = {**_variables(cron, namespace, history), **_counts(history.ended)}
    for what in ("labels", "annotations"):  # each by a name of its own, which an expression sees as one map
        known |= {f"{what}.{name}": value for name, value in known.pop(what).items()}
    try:
        return evaluate_cron_when(text, {f"cronworkflow.{name}": value for name, value in known.items()})
    except ExprError as error:
        raise ExprError(f"run policy error: {error.message}") from error


def _variables(cron: Json, namespace: str, history: History) -> dict[str, Any]:
    """`cronworkflow.*`. Its annotations are its labels, as in Argo."""
    metadata = cron["metadata"]
    labels = metadata.get("labels") or {}
    return {
        "name": metadata.get("name", ""),
        "namespace": metadata.get("namespace") or namespace,
        "labels": labels,
        "annotations": labels,
        "labels.json": gojson.dumps(metadata.get("labels"), sort_keys=True),
        "annotations.json": gojson.dumps(metadata.get("annotations"), sort_keys=True),
        "lastScheduledTime": None if history.last is None else _time(history.last),
    }


def _counts(ended: tuple[bool, ...]) -> dict[str, int]:
    return {"succeeded": sum(ended), "failed": len(ended) - sum(ended)}


def _time(moment: datetime) -> Any:
    from argo_yaml_provider.expr.clock import SECOND, Time

    return Time(int(moment.timestamp()) * SECOND)
