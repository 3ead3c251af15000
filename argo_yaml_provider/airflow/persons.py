"""A suspended step's question as Airflow's human-in-the-loop form, and what the form was answered with.

In: a `Question`; a response.  Out: the fields of a form; supplied values.
Must not know: who asks, an executor's runner or a worker.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from argo_yaml_provider.flow.suspend import Asked
from argo_yaml_provider.step.host import Question

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Json = dict[str, Any]
RESUME = "Resume"
"""The one option of a form, and what is chosen for a person who did not answer in time."""
SUSPENDED = " is suspended"
"""What a form's subject says after the node's name."""


class AwaitsPerson(BaseException):
    """The task is to be parked until its form is answered. As Airflow's own signal, no `except Exception` may swallow it."""

    def __init__(self, wait: float | None) -> None:
        self.wait = None if wait is None else timedelta(seconds=wait)
        super().__init__()


def form_of(question: Question) -> Json:
    """The form's fields, as Airflow names them."""
    return {
        "options": [RESUME],
        "defaults": [RESUME],
        "subject": f"{question.node}{SUSPENDED}",
        "body": question.problem or None,
        "params": {asked.name: _field(asked) for asked in question.asked},
    }


def _field(asked: Asked) -> Json:
    schema: Json = {"type": "string"}
    if asked.choices:
        schema["enum"] = list(asked.choices)
    return {"value": asked.proposed, "description": asked.description or None, "schema": schema, "source": "task"}


def supplied_by(response: Any) -> dict[str, str] | None:
    """What the response says; None: nobody answered, Airflow chose when the time was over."""
    if response.responded_by_user is None:
        return None
    return values_of(response.params_input or {})


def values_of(given: Mapping[str, Any]) -> dict[str, str]:
    """A form's values as parameters: text; what was left open is not there."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items() if value is not None}


def read_response(session: Session, ti_id: str) -> Any:
    """The response to the task's form; None: there is no form, or none was given yet."""
    from airflow.api_fastapi.execution_api.routes.hitl import get_hitl_detail
    from fastapi import HTTPException

    try:
        response = get_hitl_detail(UUID(ti_id), session)
    except HTTPException:
        return None
    return response if response.response_received else None


def put_form(session: Session, ti_id: str, question: Question) -> None:
    """Show the form; an earlier answer to it is forgotten."""
    from airflow.api_fastapi.execution_api.datamodels.hitl import HITLDetailRequest
    from airflow.api_fastapi.execution_api.routes.hitl import upsert_hitl_detail

    upsert_hitl_detail(UUID(ti_id), HITLDetailRequest(ti_id=UUID(ti_id), **form_of(question)), session)
