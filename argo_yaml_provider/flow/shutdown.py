"""What `stop` and `terminate` do to nodes.

In: the strategy, a node's kind, what it has tried.  Out: whether it may run; the outcome of one that may not.
Must not know: who says so. Argo: exec_control.go, operator.go failNodesWithoutCreatedPodsAfterDeadlineOrShutdown.
"""

from __future__ import annotations

from datetime import UTC, datetime

from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.plan.nodes import CallKind

STOP, TERMINATE = "Stop", "Terminate"


def may_run(strategy: str, *, exits: bool) -> bool:
    """Whether a node starts; only exit handlers do when a run is stopped. Argo: ShutdownStrategy.ShouldExecute."""
    return strategy not in (STOP, TERMINATE) or (strategy == STOP and exits)


def stopped(strategy: str) -> str:
    """The message of what has no pod of its own: a workflow, a suspend, a step that is tried again."""
    return f"Stopped with strategy '{strategy}'"


def shut_down(
    strategy: str, kind: CallKind, before: tuple[Attempt, ...], *, retried: bool, started_at: str = "", tries: bool = True
) -> Outcome:
    """The outcome of a leaf that may not run, or (`started_at`) no longer.

    `tries`: whether this ends an attempt; not where it only waited for the next.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    message = stopped(strategy)
    if kind in (CallKind.POD, CallKind.RESOURCE):
        message = f"workflow shutdown with strategy: {' ' if started_at else ''}{strategy}"  # as Argo writes it
    attempt = Attempt(phase=Phase.FAILED, message=message, started_at=started_at or now, finished_at=now)
    attempts = (*before, attempt) if tries else before
    return Outcome(phase=attempts[-1].phase, message=stopped(strategy) if retried else message, attempts=attempts)
