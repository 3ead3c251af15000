"""What came of a call, as far as others can see it: its phase and outputs.

In: nothing.  Out: `Result`, `Outputs`, and which phases mean what.
Must not know: how a result is worked out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.plan.nodes import Json

FAILURES = (Phase.FAILED, Phase.ERROR)
COMPLETED = (Phase.SUCCEEDED, *FAILURES)
FULFILLED = (*COMPLETED, Phase.SKIPPED, Phase.OMITTED)


class Times(TypedDict):
    """When something began and ended; '' if not known."""

    started_at: str
    finished_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """A node's outputs."""

    parameters: Mapping[str, str | None] = field(default_factory=dict)
    artifacts: Mapping[str, Json] = field(default_factory=dict)
    """Argo's own artifact objects by name."""
    result: str | None = None
    exit_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A node's end, or how it stands."""

    type: str
    """Argo's node type: Pod, Steps, DAG, TaskGroup, Retry, Skipped, Suspend, HTTP."""
    phase: Phase
    message: str = ""
    outputs: Outputs | None = None
    started_at: str = ""
    finished_at: str = ""
    pod_ip: str = ""
    host_node: str = ""
    daemoned: bool = False
    ready_at: str = ""
    """Of a daemon that died after it was ready: since when it served; `finished_at` is until when."""
    raised: bool = False
    """Whether the call broke its parent too: Argo's executeTemplate gave an error, not only a node."""
    attempts: tuple[Attempt, ...] = ()
    leaving: Mapping[str, int] = field(default_factory=dict)
    """Of a child run: the phases of its last branches (see `branches`), and how far they are from its root."""

    @property
    def known_at(self) -> str:
        """When those who wait for it could first go on."""
        return self.ready_at or self.finished_at

    def as_of(self, moment: str) -> Result:
        """As it was seen then: a daemon that died later still served."""
        if not self.ready_at or moment > self.finished_at:
            return self
        return replace(self, phase=Phase.SUCCEEDED, message="", daemoned=True, ready_at="", finished_at=self.ready_at)

    @property
    def failed(self) -> bool:
        """Failed or Error."""
        return self.phase in FAILURES

    @property
    def fulfilled(self) -> bool:
        """Over, or never begun."""
        return self.phase in FULFILLED

    @property
    def completed(self) -> bool:
        """It ran and is over: neither Skipped nor Omitted."""
        return self.phase in COMPLETED


def of_attempt(attempt: Attempt) -> Outputs | None:
    """The outputs of one pod; None where it left nothing at all."""
    artifacts = {name: {"name": name, **(found.get("location") or {})} for name, found in attempt.artifacts.items()}
    if not (attempt.parameters or artifacts or attempt.result is not None or attempt.exit_code is not None):
        return None
    return Outputs(parameters=attempt.parameters, artifacts=artifacts, result=attempt.result, exit_code=attempt.exit_code)


def of_verdict(outcome: Outcome) -> Outputs | None:
    """The outputs of a child run's root."""
    given: dict[str, Any] = outcome.values.get("root") or {}
    if not given:
        return None
    return Outputs(
        parameters=given.get("parameters") or {},
        artifacts=given.get("artifacts") or {},
        result=given.get("result"),
        exit_code=given.get("exitCode"),
    )


def span(results: Sequence[Any]) -> Times:
    """From the first start to the last end."""
    return {
        "started_at": min((r.started_at for r in results if r.started_at), default=""),
        "finished_at": max((r.finished_at for r in results if r.finished_at), default=""),
    }
