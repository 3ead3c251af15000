"""Answer for a person: let suspended steps of a run go on.

In: a run, a step's name, values.  Out: the names of the steps that go on; a RunError where none may.
Must not know: command lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from argo_yaml_provider.airflow.persons import RESUME, SUSPENDED
from argo_yaml_provider.diagnostics import RunError

if TYPE_CHECKING:
    from airflow.api_fastapi.core_api.security import GetUserDep
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Person:
    """Who answers, as Airflow's API asks it of its users."""

    name: str

    def get_id(self) -> str:
        """The same as the name."""
        return self.name

    def get_name(self) -> str:
        """What the answer is signed with."""
        return self.name


def resume_steps(
    session: Session, dag_id: str, run_id: str, *, node: str | None, values: Mapping[str, str], person: Person
) -> list[str]:
    """Every step that waits, or the one named as Argo or as Airflow names it; all or none."""
    waiting = {node_of(row): row for row in _waiting(session, dag_id, run_id)}
    chosen = {name: row for name, row in waiting.items() if node is None or _is(node, name, row)}
    if not chosen:
        what = f"step {node!r} of it" if node else "step of it"
        raise RunError(f"run {run_id} of {dag_id}: no {what} is suspended", help=_help(list(waiting)))
    for name, row in chosen.items():
        _check(name, row.hitl_detail.params or {}, values)
    for row in chosen.values():
        _answer(session, row, values, person)
    return list(chosen)


def node_of(row: Any) -> str:
    """Argo's name of the node, which its form tells."""
    return str(row.hitl_detail.subject).removesuffix(SUSPENDED)


def _is(wanted: str, node: str, row: Any) -> bool:
    return wanted in (node, node.rpartition(".")[2], row.task_id)


def _help(waiting: list[str]) -> str:
    return f"these are: {', '.join(sorted(waiting))}" if waiting else "see whether the run has come that far, or is over"


def _waiting(session: Session, dag_id: str, run_id: str) -> list[Any]:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import select
    from sqlalchemy.orm import joinedload

    statement = (
        select(TaskInstance)
        .where(
            TaskInstance.dag_id == dag_id,
            TaskInstance.run_id == run_id,
            TaskInstance.state == TaskInstanceState.AWAITING_INPUT,
        )
        .options(joinedload(TaskInstance.hitl_detail))
    )
    return [row for row in session.scalars(statement) if row.hitl_detail is not None]


def _check(name: str, params: Mapping[str, Any], values: Mapping[str, str]) -> None:
    """Argo, too, refuses to resume what would lack an output."""
    asked = ", ".join(params) or "nothing"
    if unknown := [value for value in values if value not in params]:
        raise RunError(f"step {name!r} does not ask for {unknown[0]!r}", help=f"it asks for {asked}")
    if missing := [param for param, field in params.items() if param not in values and field.get("value") is None]:
        raise RunError(f"step {name!r}: no value for {missing[0]!r}", help=f"add -p {missing[0]}=…")


def _answer(session: Session, row: Any, values: Mapping[str, str], person: Person) -> None:
    from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
    from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail

    update_hitl_detail(
        row.dag_id,
        row.run_id,
        row.task_id,
        UpdateHITLDetailPayload(chosen_options=[RESUME], params_input=dict(values)),
        cast("GetUserDep", person),
        session,
        row.map_index,
    )
