"""What nodes and the workflow measure, when they end and while they run.

In: Engine, places.  Out: `Measured`.
Must not know: who sends it. Argo: steps.go prepareMetricScope, operator.go executeTemplate and operate.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.flow import clock
from argo_yaml_provider.flow.entries import Execution, Place, Started
from argo_yaml_provider.flow.inputs import any_string
from argo_yaml_provider.flow.metrics import Measured, MetricScope, is_realtime, measure, prometheus
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.flow.results import Outputs, Result, of_attempt
from argo_yaml_provider.plan.nodes import CallKind, Json, LoopKind
from argo_yaml_provider.plan.templates import COMPOSITES

if TYPE_CHECKING:
    from argo_yaml_provider.flow.engine import Engine

NOTHING = Measured()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """What metrics can be told of a node."""

    phase: Phase
    seconds: float
    outputs: Outputs | None = None
    retries: int | None = None
    resources: Mapping[str, int] = field(default_factory=dict)


def measure_attempt(engine: Engine, place: Place, attempt: Attempt) -> Measured:
    """An attempt that failed and is followed by another."""
    return _of_template(engine, place, _of_attempt(attempt))


def measure_step(engine: Engine, place: Place, outcome: Outcome) -> Measured:
    """A leaf that has ended; a child run's verdict speaks for its root, and what ran nothing measures nothing."""
    if place.call.kind is CallKind.CHILD or not outcome.attempts:
        return NOTHING
    first, last = outcome.attempts[0], outcome.attempts[-1]
    retried = engine.strategy(place) is not None
    node = _Node(
        phase=outcome.phase,
        seconds=_between(first.started_at, last.finished_at),
        outputs=of_attempt(last),
        retries=len(outcome.attempts) - 1 if retried else None,
        resources=_sum(attempt.resources for attempt in outcome.attempts),
    )
    return _of_template(engine, place, node)


def measure_run(engine: Engine, verdict: Outcome) -> Measured:
    """All composites of the plan, and the workflow itself."""
    found = NOTHING
    for stand in engine.tree.stands.values():
        call = stand.call
        if call.kind in COMPOSITES and call.loop is not LoopKind.UNROLLED and prometheus(engine.plan.templates[call.template]):
            for place in engine.globals.places(call, None):
                found += _of_composite(engine, place)
    return found if engine.facts.depth else found + _of_workflow(engine, verdict)


def measure_running(engine: Engine, place: Place, since: float) -> Measured:
    """The realtime gauges of a leaf that runs since then, of the composites around it, and of the workflow."""
    lasting = time.time() - since
    found = _realtime(engine, place, lasting) if place.call.kind is not CallKind.CHILD else NOTHING
    frame = engine.frame_of(place)
    while frame is not None:
        if any(is_realtime(metric) for metric in prometheus(frame.template)):
            found += _realtime(engine, frame.place, _lasting(engine, frame.place, place, lasting))
        frame = engine.frame_of(frame.place) if engine.tree.parent(frame.place.call) else None
    spec = [metric for metric in prometheus(engine.spec) if is_realtime(metric)]
    return found + measure(spec, _scope(engine.variables, _so_far(engine), None))


def _lasting(engine: Engine, composite: Place, place: Place, lasting: float) -> float:
    """Since the first of its steps began, as far as this one can know."""
    before = engine.globals.tasks_before(place.call).intersection(engine.tree.tasks_of(composite.call))
    outcomes = [engine.source.outcome(task, place.index) or engine.source.outcome(task, -1) for task in sorted(before)]
    starts = [clock.nanoseconds(o.attempts[0].started_at) for o in outcomes if o is not None and o.attempts]
    return max([lasting, *((time.time_ns() - start) / clock.SECOND for start in starts if start)])


def _realtime(engine: Engine, place: Place, seconds: float) -> Measured:
    return _of_template(engine, place, _Node(phase=Phase.RUNNING, seconds=seconds), running=True)


def _of_template(engine: Engine, place: Place, node: _Node, *, running: bool = False) -> Measured:
    """The metrics of the called template."""
    found, entry = engine.execution(place), engine.entry(place)
    if not isinstance(found, Execution) or not isinstance(entry, Started):
        return NOTHING
    written = engine.plan.templates[engine.called(place, entry.step)]
    metrics = [metric for metric in prometheus(written) if is_realtime(metric) or not running]
    if not metrics:
        return NOTHING
    variables = {**found.variables, **engine.locals_of(place, entry, written), **_inputs(found.template)}
    return measure(metrics, _scope(variables, _so_far(engine), node))


def _of_composite(engine: Engine, place: Place) -> Measured:
    result = engine.result(place)
    if result is None or result.type == "Skipped":
        return NOTHING
    return _of_template(engine, place, _of_result(engine, place, result))


def _of_workflow(engine: Engine, verdict: Outcome) -> Measured:
    metrics = prometheus(engine.spec)
    root = engine.result(engine.root)
    if not metrics or root is None:
        return NOTHING
    found = engine.execution(engine.root)
    outputs = {f"workflow.outputs.parameters.{name}": value for name, value in engine.globals.all().parameters.items()}
    variables = {**engine.variables, **outputs, **(_inputs(found.template) if isinstance(found, Execution) else {})}
    variables["workflow.status"] = verdict.phase.value
    return measure(metrics, _scope(variables, _so_far(engine), _of_result(engine, engine.root, root)))


def _of_attempt(attempt: Attempt) -> _Node:
    seconds = _between(attempt.started_at, attempt.finished_at)
    return _Node(phase=attempt.phase, seconds=seconds, outputs=of_attempt(attempt), resources=attempt.resources)


def _of_result(engine: Engine, place: Place, result: Result) -> _Node:
    counts = measures_resources(engine.plan.workflow, engine.plan.templates)
    tasks = engine.tree.tasks_of(place.call) if counts else ()
    ended = [engine.source.outcome(task, place.index) for task in tasks]
    return _Node(
        phase=result.phase,
        seconds=_between(result.started_at, result.finished_at),
        outputs=result.outputs,
        resources=_sum(attempt.resources for outcome in ended if outcome for attempt in outcome.attempts),
    )


def measures_resources(workflow: Json, templates: Mapping[str, Json]) -> bool:
    """Whether a metric speaks of what pods used: only then it is worked out."""
    owners = (workflow.get("spec") or {}, *templates.values())
    return any("resourcesDuration" in str(prometheus(owner)) for owner in owners)


def _scope(variables: Mapping[str, Any], so_far: float, node: _Node | None) -> MetricScope:
    """`status`, `duration`, … beside the workflow's variables. Argo: prepareDefaultMetricScope, prepareMetricScope."""
    own: dict[str, Any] = {
        "workflow.duration": f"{so_far:f}",
        "duration": "0",
        "status": Phase.PENDING.value,
        "resourcesDuration.cpu": "0",
        "resourcesDuration.memory": "0",
    }
    realtime = {"workflow.duration": so_far}
    if node is not None:
        realtime["duration"] = node.seconds
        own |= {"duration": f"{node.seconds:f}", "status": node.phase.value} | _outputs(node.outputs)
        own |= {f"resourcesDuration.{name}": str(seconds) for name, seconds in node.resources.items()}
        if node.retries is not None:
            own["retries"] = str(node.retries)
    return MetricScope(variables={**variables, **own}, realtime=realtime)


def _outputs(outputs: Outputs | None) -> dict[str, str]:
    if outputs is None:
        return {}
    found = {f"outputs.parameters.{name}": value or "" for name, value in outputs.parameters.items()}
    if outputs.result is not None:
        found["outputs.result"] = outputs.result
    if outputs.exit_code is not None:
        found["exitCode"] = outputs.exit_code
    return found


def _inputs(template: Json) -> dict[str, str]:
    parameters = (template.get("inputs") or {}).get("parameters") or ()
    return {f"inputs.parameters.{parameter['name']}": any_string(parameter.get("value")) for parameter in parameters}


def _so_far(engine: Engine) -> float:
    """Seconds since the workflow began."""
    return max(0.0, (time.time_ns() - clock.nanoseconds(engine.facts.created_at)) / clock.SECOND)


def _between(start: str, end: str) -> float:
    return (clock.nanoseconds(end) - clock.nanoseconds(start)) / clock.SECOND if start and end else 0.0


def _sum(resources: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in resources:
        for name, seconds in one.items():
            total[name] = total.get(name, 0) + seconds
    return total
