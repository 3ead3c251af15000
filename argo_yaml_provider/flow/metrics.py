"""A metric as Argo means it: its tags replaced, its `when` asked, its value read as a number.

In: `metrics.prometheus` as written, the variables of the node that ended.  Out: `Measured`; what is wrong with a metric is told
and breaks nothing.
Must not know: nodes, who sends them. Argo: operator.go computeMetrics, metrics_custom.go UpsertCustomMetric.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.template import replace_json
from argo_yaml_provider.expr.when import evaluate_when
from argo_yaml_provider.plan.nodes import Json, Plan

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Kind(StrEnum):
    """What a metric is."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One value of one metric."""

    kind: Kind
    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    relative: bool = False
    """Of a gauge: whether the value is added to what it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is to be sent, and why something is not."""

    measurements: tuple[Measurement, ...] = ()
    problems: tuple[str, ...] = ()

    def __add__(self, other: Measured) -> Measured:
        return Measured(measurements=self.measurements + other.measurements, problems=self.problems + other.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricScope:
    """What a metric may speak of."""

    variables: Mapping[str, Any]
    realtime: Mapping[str, float]
    """The durations that go on, by name; a realtime gauge is one of them."""


def prometheus(owner: Json) -> list[Json]:
    """The metrics of a template or a workflow's spec."""
    return (owner.get("metrics") or {}).get("prometheus") or []


def is_realtime(metric: Json) -> bool:
    """Whether it is sent while the node runs."""
    return bool((metric.get("gauge") or {}).get("realtime"))


def has_metrics(plan: Plan) -> bool:
    """Whether anything in the plan measures."""
    return any(prometheus(owner) for owner in _owners(plan))


def has_realtime(plan: Plan) -> bool:
    """Whether anything in the plan measures while it runs."""
    return any(is_realtime(metric) for owner in _owners(plan) for metric in prometheus(owner))


def _owners(plan: Plan) -> Iterable[Json]:
    return (plan.workflow.get("spec") or {}, *plan.templates.values())


def measure(metrics: Iterable[Json], scope: MetricScope) -> Measured:
    """Each metric's value, if its `when` holds."""
    found: list[Measurement] = []
    problems: list[str] = []
    for metric in metrics:
        try:
            one = _measured(metric, scope)
        except ExprError as error:
            problems.append(error.message)
        else:
            found += [one] if one else []
    return Measured(measurements=tuple(found), problems=tuple(problems))


def _measured(metric: Json, scope: MetricScope) -> Measurement | None:
    name = metric.get("name") or ""
    if not metric.get("help"):
        raise ExprError(f"metric '{name}' must contain a help string under 'help: ' field")
    try:
        filled = replace_json(metric, scope.variables, allow_unresolved=False)
    except ExprError as error:
        raise ExprError(f"unable to substitute parameters for metric '{name}': {error.message}") from None
    try:
        if not evaluate_when(filled.get("when") or ""):
            return None
    except ExprError as error:
        raise ExprError(f"unable to compute 'when' clause for metric '{name}': {error.message}") from None
    try:
        return _measurement(metric, filled, scope)
    except ExprError as error:
        raise ExprError(f"could not construct metric '{filled['name']}': {error.message}") from None


def _measurement(written: Json, filled: Json, scope: MetricScope) -> Measurement:
    kind = next((kind for kind in (Kind.GAUGE, Kind.HISTOGRAM, Kind.COUNTER) if filled.get(kind) is not None), None)
    if kind is None:
        raise ExprError("invalid metric spec: it has no gauge, histogram or counter")
    if not _NAME.fullmatch(filled["name"]):
        raise ExprError("metric name is invalid: use letters, digits and '_'")
    operation = filled[kind].get("operation") or "Set" if kind is Kind.GAUGE else ""
    value = _realtime(written, scope) if is_realtime(written) else _number(filled[kind].get("value") or "")
    return Measurement(
        kind=kind,
        name=filled["name"],
        value=-value if operation == "Sub" else value,
        labels={label.get("key") or "": label.get("value") or "" for label in filled.get("labels") or ()},
        relative=operation in ("Add", "Sub") and not is_realtime(written),
    )


def _realtime(metric: Json, scope: MetricScope) -> float:
    """The value of a gauge that may be nothing but a variable that goes on."""
    text = metric["gauge"].get("value") or ""
    if not (text.startswith("{{") and text.endswith("}}")):
        raise ExprError("real time metrics can only be used with metric variables")
    name = text[2:-2].strip()
    if name not in scope.realtime:
        raise ExprError(f"'{name}' is not available as a real time metric")
    return scope.realtime[name]


def _number(text: str) -> float:
    """As Go's ParseFloat reads it; what is no finite number has no place in a metric."""
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise ExprError(f"'{text}' is no number")
    return float(text)
