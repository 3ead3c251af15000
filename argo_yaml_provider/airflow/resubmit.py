"""Resubmit a run: a new one of the same workflow, with the same parameters.

In: a run, parameters that are to be others.  Out: the new run's id; a RunError where there is no such run.
Must not know: command lines. Argo: workflow/util/util.go, FormulateResubmitWorkflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from argo_yaml_provider.airflow.facts import OWN_CONF, SCHEDULED_CONF
from argo_yaml_provider.airflow.families import open_run
from argo_yaml_provider.diagnostics import RunError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def resubmit_run(session: Session, dag_id: str, run_id: str, *, values: Mapping[str, str], person: str) -> str:
    """The run may still go on. A slot's time stays the workflow's scheduledTime."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagNotFound, ParamValidationError
    from airflow.utils.types import DagRunTriggeredByType

    run = open_run(session, dag_id, run_id)
    if run.envelope.child:
        raise RunError(f"run {run_id} of {dag_id} is a child run", help="resubmit the run that it belongs to")
    conf = {name: value for name, value in (run.row.conf or {}).items() if name not in OWN_CONF}
    slot = {SCHEDULED_CONF: run.facts.scheduled_time} if run.envelope.plan.cron and run.facts.scheduled_time else {}
    try:
        made = trigger_dag(
            dag_id=dag_id,
            triggered_by=DagRunTriggeredByType.CLI,
            triggering_user_name=person,
            conf={**conf, **values, **slot},
            note=f"resubmitted from {run_id}",
            session=session,
        )
    except (ParamValidationError, DagNotFound, ValueError) as error:
        raise RunError(f"{dag_id}: {error}", help="see the parameters of its trigger form") from None
    if made is None:
        raise RunError(f"{dag_id}: Airflow started no run")
    return str(made.run_id)
