"""What the flow must be told of a run: everything that is not in the plan and not in an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from argo_yaml_provider.flow.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """One run of one plan. Two hosts that are told of the same run build equal facts."""

    name: str
    """`{{workflow.name}}`: the plan's name and five characters hashed from the run; ≤ 63 characters."""
    namespace: str
    uid: str
    created_at: str
    """RFC 3339, UTC."""
    restarted_at: str = ""
    """When it was last retried; '' if it never was."""
    parameters: dict[str, str] = field(default_factory=dict)
    """Submitted values (`-p`, the trigger form); each replaces the whole parameter, as `argo submit -p` does."""
    scheduled_time: str | None = None
    entrypoint: str = ""
    """Overrides spec.entrypoint; only the compiler acts on it."""
    service_account: str = "default"
    inputs: dict[str, Any] | None = None
    """Of a child run: the called template's arguments, resolved: {"parameters": [...], "artifacts": [...]}."""
    locals: dict[str, str] = field(default_factory=dict)
    """Of a child run: what only its root template may speak of: `retries`, `lastRetry.*`."""
    globals: dict[str, str] = field(default_factory=dict)
    """Of a child run: the parent's `workflow.*` variables, taken over as they are."""
    node: str = ""
    """Of a child run: the full Argo node name of its root, as in the parent's tree; '' = the workflow's name."""
    shutdown: str = ""
    """`Stop` or `Terminate`, once a person has said so."""
    depth: int = 0
    """Of a child run: how many parents it has."""
    result: bool = False
    """Of a child run: whether its parent speaks of its result, so that a root that is a pod must capture it."""
    submissions: int = 0
    """Of a workflow that another one's manifest submitted: how many submitted each other until then."""


def limit_key(namespace: str, semaphore: str, since: str) -> str:
    """By which a run keeps whether a semaphore has a limit."""
    return f"has_limit/{namespace}/{semaphore}/{since}"


def claims_key(since: str) -> str:
    """By which a run keeps why its claims could not be made."""
    return f"claims_refused/{since}"


class Missing(Exception):
    """The source does not hold this yet: fetch it, then ask the flow again (what it worked out stays)."""

    def __init__(self, kind: str, *key: object, also: tuple[Missing, ...] = ()) -> None:
        self.kind, self.key = kind, key
        self.also = also
        """More that is already known to be missing: fetch all at once, or only the first."""
        super().__init__(f"{kind} {key} is not loaded")

    @classmethod
    def all(cls, missing: Sequence[Missing]) -> Missing:
        """Several as one."""
        first, *rest = [one for many in missing for one in (many, *many.also)]
        return cls(first.kind, *first.key, also=tuple(cls(one.kind, *one.key) for one in rest))


class Source(Protocol):
    """Where the flow reads what it does not know. A method raises `Missing` where its answer must be fetched first."""

    def outcome(self, task_id: str, map_index: int) -> Outcome | None:
        """The outcome of a task that has ended; None: it has not (status), or there is none."""

    def config_map(self, name: str, key: str) -> str | None:
        """A ConfigMap's value, as it was when this run first asked; None: no such ConfigMap or key."""

    def has_limit(self, namespace: str, semaphore: str, since: str) -> bool:
        """Whether a semaphore has one, as it was when this run first asked, or first after it was retried (`since`)."""

    def claims_refused(self, claims: str, since: str, /) -> str:
        """Why these claims (JSON), which are made by now, could not be made; '' if they were. `since`: as above."""

    def child_nodes(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The node tree of a child run, shaped as `flow.Flow.nodes()` gives it."""
