"""What an event does: it starts a run for each binding whose selector takes it.

In: an `Event` from somebody who may send it.  Out: `Dispatched`, of the runs, and of the bindings that started none.
Must not know: HTTP, signatures. Argo: server/event/dispatch/operation.go.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from argo_yaml_provider.airflow.bindings import deployed_bindings
from argo_yaml_provider.airflow.deployed import find_deployed
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.evaluator import evaluate, evaluate_bool
from argo_yaml_provider.resolve.bindings import Binding

_LONGEST_NOTE = 1000
_RUN_PREFIX = "event__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What was sent."""

    namespace: str
    discriminator: str
    payload: Any
    metadata: Mapping[str, list[str]]
    """The headers that begin with `x-`, by their name in small letters."""
    sender: str
    """The name of the client, or of the service account, whose token or signature it bears."""
    once: str = ""
    """What tells it from every other event, where it can be told: then it is taken only once."""

    @property
    def environment(self) -> dict[str, Any]:
        """What expressions may speak of."""
        return {
            "namespace": self.namespace,
            "discriminator": self.discriminator,
            "metadata": dict(self.metadata),
            "payload": self.payload,
        }


@dataclass(slots=True)
class Dispatched:
    """What came of an event."""

    runs: list[tuple[str, str]] = field(default_factory=list)
    """dag_id and run_id of each run that was started."""
    repeated: list[str] = field(default_factory=list)
    """Bindings that had started their run for this very event before."""
    problems: list[str] = field(default_factory=list)
    """Why a binding started none."""
    forbidden: list[str] = field(default_factory=list)
    """The same, where the sender may not."""


def find_takers(event: Event, done: Dispatched) -> list[Binding]:
    """The bindings of its namespace whose selectors take the event."""
    from airflow.utils.session import create_session

    with create_session() as session:
        bindings = deployed_bindings(session, event.namespace)
    return [binding for binding in bindings if _takes(binding, event, done)]


def _takes(binding: Binding, event: Event, done: Dispatched) -> bool:
    try:
        return evaluate_bool(binding.selector, event.environment) and bool(binding.template)
    except (ExprError, RunError) as error:
        done.problems.append(f"binding {binding.name}: {error.message}")
        return False


def start_runs(takers: Iterable[Binding], event: Event, done: Dispatched) -> None:
    """Each binding starts its run, or fails to, by itself."""
    for binding in takers:
        try:
            _start(binding, event, done)
        except (ExprError, RunError) as error:
            done.problems.append(f"binding {binding.name}: {error.message}")


def _start(binding: Binding, event: Event, done: Dispatched) -> None:
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagNotFound, DagRunAlreadyExists, ParamValidationError
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunTriggeredByType
    from sqlalchemy.exc import IntegrityError

    with create_session() as session:
        deployed = find_deployed(session, binding.kind, binding.template)
    if deployed is None:
        raise RunError(f"there is no DAG of a {binding.kind} {binding.template!r}")
    environment = event.environment
    arguments = {name: _value(evaluate(text, environment)) for name, text in binding.arguments.items()}
    note = {name: _text(evaluate(text, environment)) for name, text in binding.note.items()}
    run_id = _run_id(binding, event)
    try:
        with create_session() as session:
            run = trigger_dag(
                dag_id=deployed.dag_id,
                triggered_by=DagRunTriggeredByType.REST_API,
                triggering_user_name=event.sender,
                run_id=run_id,
                conf=arguments,
                note=_note(binding, event, note),
                session=session,
            )
    except (DagRunAlreadyExists, IntegrityError):  # the latter where the same was sent twice at the same time
        done.repeated.append(binding.name)
    except (DagNotFound, ParamValidationError, ValueError) as error:
        raise RunError(f"{deployed.dag_id}: {error}") from None
    else:
        done.runs += [(run.dag_id, run.run_id)] if run else []


def _value(value: Any) -> str:
    """An argument: text as it is, all else as JSON. Argo: wfv1.Item."""
    return value if isinstance(value, str) else gojson.dumps(value, sort_keys=True)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise RunError(f"the metadata of a run is text, not {_value(value)[:100]}")
    return value


def _run_id(binding: Binding, event: Event) -> str | None:
    """The run that the binding names; else one that this event starts once; else (None) a new one."""
    if binding.run:
        named = _text(evaluate(binding.run, event.environment))
        return _RUN_PREFIX + hashlib.sha256(named.encode()).hexdigest()[:8] + "_" + _safe(named)
    if not event.once:
        return None
    return _RUN_PREFIX + hashlib.sha256(f"{binding.namespace}/{binding.name}\n{event.once}".encode()).hexdigest()[:32]


def _safe(text: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text)[:100]


def _note(binding: Binding, event: Event, more: dict[str, str]) -> str:
    where = f"event {event.discriminator!r} from {event.sender}, by binding {binding.name}"
    return (where + (f"\n{json.dumps(more, sort_keys=True)}" if more else ""))[:_LONGEST_NOTE]
