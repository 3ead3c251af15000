"""What came of a leaf: its task's outcome as a node.

In: the template, the call, the Outcome.  Out: Result; None where the node never existed.
Must not know: gates.
"""

from __future__ import annotations

from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.flow.results import Outputs, Result, of_attempt, of_verdict
from argo_yaml_provider.flow.suspend import asked_for
from argo_yaml_provider.plan.nodes import Call, CallKind, Json
from argo_yaml_provider.plan.templates import kind_of, strategy_of

_TYPES = {
    CallKind.POD: "Pod",
    CallKind.RESOURCE: "Pod",
    CallKind.HTTP: "HTTP",
    CallKind.SUSPEND: "Suspend",
    CallKind.STEPS: "Steps",
    CallKind.DAG: "DAG",
}


def node_type(template: Json, *, retried: bool) -> str:
    """The type of the node that a call of this template makes."""
    return "Retry" if retried else _TYPES[kind_of(template)]


def leaf_result(template: Json, call: Call, outcome: Outcome | None, spec: Json) -> Result | None:
    """The node's result; without an outcome it is Pending."""
    kind = node_type(template, retried=strategy_of(template, spec) is not None)
    if outcome is None:
        return Result(type=kind, phase=Phase.PENDING)
    if outcome.phase is Phase.ABSENT:
        return None
    if not outcome.attempts:
        return _without_attempt(kind, outcome)
    last = outcome.attempts[-1]
    broke = (last.unmade or bool(outcome.values.get("broke"))) and not _tries_again(strategy_of(template, spec))
    outputs = of_verdict(outcome) if call.kind is CallKind.CHILD else of_attempt(last)
    if call.kind is CallKind.SUSPEND and outputs is None and (asked := asked_for(template)):
        outputs = Outputs(parameters=dict.fromkeys(asked))
    return Result(
        type=kind,
        phase=outcome.phase,
        message=outcome.message,
        outputs=outputs,
        started_at=outcome.attempts[0].started_at,
        finished_at=last.finished_at,
        pod_ip=last.pod_ip,
        host_node=last.host_node,
        daemoned=last.daemoned,
        ready_at=last.ready_at,
        raised=broke or bool(outcome.values.get("raised")),
        attempts=outcome.attempts,
        leaving=outcome.values.get("leaving") or {},
    )


def _tries_again(strategy: Json | None) -> bool:
    """Whether an error is for the retry node to judge; else it also breaks what the step lies in. Argo: executeTemplate."""
    if strategy is None:
        return False
    policy = strategy.get("retryPolicy") or ("Always" if strategy.get("expression") else "OnFailure")
    return policy in ("Always", "OnError", "OnTransientError")


def _without_attempt(kind: str, outcome: Outcome) -> Result:
    """Skipped, omitted, an error before any pod; or found in a cache; or a suspend that kept no attempts."""
    never_ran = outcome.phase in (Phase.SKIPPED, Phase.OMITTED) or bool(outcome.values.get("before"))
    outputs = None
    if outcome.child is not None or outcome.values.get("root"):
        outputs = of_verdict(outcome)
    elif outcome.values.get("parameters"):
        outputs = Outputs(parameters=outcome.values["parameters"])
    return Result(
        type="Skipped" if never_ran else kind,
        phase=outcome.phase,
        message=outcome.message,
        outputs=outputs,
        raised=bool(outcome.values.get("raised")),
    )
