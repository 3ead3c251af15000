"""What a task leaves behind: its outcome, the one value that is handed on (Airflow keeps it as XCom `argo`).

Everything is JSON. Times are RFC 3339 in UTC. Nothing secret is ever in it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

COLLECTED = "collected"
"""Of a verdict's values: node and name of each artifact that artifactGC has deleted."""


class Phase(StrEnum):
    """Argo's node phases, and ABSENT for a task whose node Argo would never have created."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    SKIPPED = "Skipped"
    FAILED = "Failed"
    ERROR = "Error"
    OMITTED = "Omitted"
    ABSENT = "Absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One pod (or one request, one child run): what became of it."""

    phase: Phase
    message: str = ""
    exit_code: str | None = None
    """As Argo keeps it, a decimal string; None where no main container ended."""
    parameters: dict[str, str | None] = field(default_factory=dict)
    """Declared output parameters by name; None = declared, never produced."""
    result: str | None = None
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Output artifacts by name: {"store", "bucket", "key", "connection", "size", "media_type", "location": Argo's own JSON}."""
    pod: str = ""
    pod_ip: str = ""
    host_node: str = ""
    started_at: str = ""
    finished_at: str = ""
    daemoned: bool = False
    unmade: bool = False
    """Whether the pod could not even be made: it is wrong, or the API server refused it."""
    ready_at: str = ""
    """Of a daemon that died after it was ready: since when it served; `finished_at` is until when."""
    child: dict[str, str] | None = None
    """Of a child run: {"dag_id", "run_id"}."""
    containers: dict[str, str] = field(default_factory=dict)
    """Of a containerSet: each container's phase."""
    resources: dict[str, int] = field(default_factory=dict)
    """What the pod used, in Argo's units of resource and second; only where a metric asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a task ended. Of a retried step, phase and outputs are those of its last attempt."""

    phase: Phase
    message: str = ""
    attempts: tuple[Attempt, ...] = ()
    """Every attempt, the last one last; () where no pod was needed (skipped, fan-out, verdict)."""
    items: int | None = None
    """Of a fan-out: how many."""
    values: dict[str, Any] = field(default_factory=dict)
    """Of a verdict: {"phase", "message", "outputs": {"parameters", "artifacts"}, "globals": {...}, "root": the root's outputs};
    of that of a child run also "leaving" and "broke": whether its root breaks what it is called from.
    Of a resumed suspend: {"parameters": supplied values}. Of a step found in a cache: {"root": its outputs}."""
    child: dict[str, str] | None = None
    """Of a child run: {"dag_id", "run_id"}; its verdict is that run's."""

    def died(self, death: dict[str, Any]) -> Outcome:
        """Of a daemon: the same, once its pod has ended of itself. `death`: phase, message, exit_code, at."""
        *before, last = self.attempts
        phase, message = Phase(death["phase"]), str(death["message"])
        last = replace(
            last,
            phase=phase,
            message=message,
            exit_code=death["exit_code"],
            daemoned=False,
            ready_at=last.finished_at,
            finished_at=str(death["at"]),
        )
        return replace(self, phase=phase, message=message, attempts=(*before, last))

    @property
    def last(self) -> Attempt | None:
        """The attempt that counts."""
        return self.attempts[-1] if self.attempts else None

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for XCom: always a dict, never a bare storage URI."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Outcome:
        """The outcome that `to_json` wrote."""
        attempts = tuple(Attempt(**{**a, "phase": Phase(a["phase"])}) for a in value.get("attempts", ()))
        return cls(**{**value, "phase": Phase(value["phase"]), "attempts": attempts})
