"""Who runs a planned task: what the deployment, the workflow and the template say, and what each host can do.

In: a plan, one of its tasks, the settings.  Out: one of executor, triggerer, worker.
Must not know: operators, how a host runs anything.
"""

from __future__ import annotations

from argo_yaml_provider.airflow.settings import Execution, Settings, executor_configured, resolve_execution
from argo_yaml_provider.plan.nodes import CallKind, Json, Plan, PlannedTask, TaskKind

EXECUTION = "argo-yaml/execution"
"""The annotation of a workflow, or of a template for the steps that call it."""
TRIGGER = "argo_yaml_provider.airflow.hosts.triggerer.StepTrigger"
_IN_TRIGGERER = (CallKind.POD, CallKind.RESOURCE, CallKind.HTTP)


def execution_of(plan: Plan, task: PlannedTask, template: Json, settings: Settings) -> Execution:
    """The nearest that says something; what a triggerer cannot do is done elsewhere."""
    execution = settings.execution
    if not settings.fixed and (wanted := _annotated(plan, template)):
        execution = resolve_execution(wanted, f"the annotation {EXECUTION} of {plan.name}")
    if task.kind is TaskKind.START and not settings.fixed and executor_configured():
        return Execution.EXECUTOR  # the only host that can end another run
    if execution is Execution.TRIGGERER and (settings.pool or not fits_triggerer(task, template)):
        return Execution.EXECUTOR if executor_configured() else Execution.WORKER
    return execution


def fits_triggerer(task: PlannedTask, template: Json) -> bool:
    """A trigger can neither start a run nor ask a person."""
    if task.kind is not TaskKind.STEP:
        return task.kind in (TaskKind.FANOUT, TaskKind.VERDICT)
    if task.call_kind is CallKind.SUSPEND:
        return bool((template.get("suspend") or {}).get("duration"))
    return task.call_kind in _IN_TRIGGERER


def _annotated(plan: Plan, template: Json) -> str | None:
    of_workflow = (plan.cron or plan.workflow).get("metadata") or {}
    for metadata in (template, template.get("metadata") or {}, of_workflow):
        if wanted := (metadata.get("annotations") or {}).get(EXECUTION):
            return str(wanted)
    return None
