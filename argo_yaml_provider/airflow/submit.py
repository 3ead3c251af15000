"""Start a run of a DAG that is deployed, as `argo submit` does of a workflow.

In: what to run (`workflowtemplate/NAME`, `cronwf/NAME`, a compiled file), arguments.  Out: the run, or a RunError.
Must not know: command lines, HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.deployed import Deployed, find_deployed, made_from, names_of
from argo_yaml_provider.airflow.facts import run_facts
from argo_yaml_provider.diagnostics import RunError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from argo_yaml_provider.plan.nodes import Plan

KINDS = {
    "workflowtemplate": "WorkflowTemplate",
    "wftmpl": "WorkflowTemplate",
    "clusterworkflowtemplate": "ClusterWorkflowTemplate",
    "cwft": "ClusterWorkflowTemplate",
    "cronworkflow": "CronWorkflow",
    "cronwf": "CronWorkflow",
    "cwf": "CronWorkflow",
    "workflow": "Workflow",
    "wf": "Workflow",
}
"""What may stand before the slash of `--from`."""
_MOST_NAMES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A run that was started."""

    dag_id: str
    run_id: str
    name: str
    """`{{workflow.name}}` of the run."""


def kind_and_name(text: str) -> tuple[str, str]:
    """`workflowtemplate/ci` -> WorkflowTemplate, ci."""
    kind, slash, name = text.partition("/")
    if not slash or not name or kind.lower() not in KINDS:
        kinds = "workflowtemplate, clusterworkflowtemplate, cronwf, workflow"
        raise RunError(f"{text!r} is not KIND/NAME", help=f"KIND is one of {kinds}")
    return KINDS[kind.lower()], name


def deployed_as(session: Session, kind: str, name: str) -> Deployed:
    """The DAG of an object, or why there is none."""
    found = find_deployed(session, kind, name)
    if found is None:
        raise RunError(f"no DAG of this Airflow was made from a {kind} named {name!r}", help=_others(session, kind))
    return found


def deployed_file(session: Session, plan: Plan) -> Deployed:
    """The DAG of a file that was compiled here; it must be what Airflow has parsed."""
    kind, name = made_from(plan)
    found = deployed_as(session, kind, name)
    deployed = found.envelope.plan
    if (deployed.workflow, deployed.templates) != (plan.workflow, plan.templates):
        help_text = "wait for the DAG processor, or put the file into its folder"
        raise RunError(f"the DAG {found.dag_id} was made from another version of {kind} {name!r}", help=help_text)
    return found


def _others(session: Session, kind: str) -> str:
    names = names_of(session, kind)
    if not names:
        return "put its file, with an entrypoint, into the dags folder, and wait for the DAG processor"
    shown = ", ".join(names[:_MOST_NAMES])
    return f"there are: {shown}" + (f", and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")


def submit(
    session: Session, deployed: Deployed, parameters: Mapping[str, str], *, person: str, run_id: str | None = None
) -> Submitted:
    """A manual run with these arguments; each replaces a parameter as `argo submit -p` does."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagNotFound, DagRunAlreadyExists, ParamValidationError
    from airflow.utils.types import DagRunTriggeredByType

    try:
        run = trigger_dag(
            dag_id=deployed.dag_id,
            triggered_by=DagRunTriggeredByType.CLI,
            triggering_user_name=person,
            run_id=run_id,
            conf=dict(parameters),
            session=session,
        )
    except (ParamValidationError, DagNotFound, DagRunAlreadyExists, ValueError) as error:
        raise RunError(f"{deployed.dag_id}: {error}", help="see the parameters of its trigger form") from None
    if run is None:
        raise RunError(f"{deployed.dag_id}: Airflow started no run")
    return Submitted(dag_id=run.dag_id, run_id=run.run_id, name=_name(deployed, run))


def _name(deployed: Deployed, run: Any) -> str:
    facts = run_facts(deployed.envelope, dag_id=run.dag_id, run_id=run.run_id, conf=run.conf, run_after=run.run_after)
    return facts.name
