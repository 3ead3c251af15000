"""A plan as Airflow DAGs: one task per planned task, one group per planned group, one more DAG per child plan.

In: Plan, Settings.  Out: airflow.sdk.DAG.
Must not know: YAML, files, Kubernetes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TaskGroup
from airflow.sdk.bases.operator import BaseOperator
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.definitions.xcom_arg import XComArg

from argo_yaml_provider.airflow.annotations import annotated_options, owner_of, published_by, with_annotations
from argo_yaml_provider.airflow.choice import execution_of
from argo_yaml_provider.airflow.compat import DictOfListsExpandInput, MappedTaskGroup
from argo_yaml_provider.airflow.cron import cron_options
from argo_yaml_provider.airflow.envelope import ATTRIBUTE, Envelope, child_dag_id, dumps, verdict_tasks
from argo_yaml_provider.airflow.forms import form_params
from argo_yaml_provider.airflow.retries import MANY, ArgoRetryPolicy
from argo_yaml_provider.airflow.settings import EXECUTOR, Execution, Settings, with_default_args
from argo_yaml_provider.plan.nodes import Call, Json, Plan, PlannedGroup, PlannedTask, TaskKind

CHILD_RUNS = 1_000_000
"""Child runs of one DAG wait for each other: a bound on their number would be a deadlock."""
_TITLE = "workflows.argoproj.io/title"
_DESCRIPTION = "workflows.argoproj.io/description"

Node = BaseOperator | MappedOperator


def build_dags(plan: Plan, settings: Settings, *, dag_id: str, source: str = "", **dag_kwargs: Any) -> tuple[DAG, ...]:
    """The plan's DAG and those of its child plans. `source` (the YAML) becomes its documentation."""
    root = build_dag(plan, settings, dag_id=dag_id, source=source, **dag_kwargs)
    defaults = dag_kwargs.get("default_args")
    return (root, *(build_child(plan, settings, family=dag_id, key=key, default_args=defaults) for key in plan.children))


def step_operator(settings: Settings) -> type[BaseOperator]:
    """The operator of a step: a KubernetesPodOperator, or, where nobody could tell, one that only serializes and runs the same.

    KubernetesPodOperator takes seconds to import, in the DAG processor for each file, in a worker for each task.
    """
    if settings.workers and (settings.pod_operator or not inside_airflow()):
        from argo_yaml_provider.airflow.operators import ArgoStepOperator

        return ArgoStepOperator
    from argo_yaml_provider.airflow.declared import DeclaredStep

    return DeclaredStep


def inside_airflow() -> bool:
    """Whether this is the DAG processor's or a task's process, in a deployment without policies that look at operators."""
    from airflow.sdk import get_parsing_context
    from airflow.settings import get_policy_plugin_manager

    if "airflow.dag_processing.processor" not in sys.modules and get_parsing_context().task_id is None:
        return False
    hooks = get_policy_plugin_manager().hook
    return not any(hook.get_hookimpls() for hook in (hooks.task_policy, hooks.dag_policy))


def build_dag(plan: Plan, settings: Settings, *, dag_id: str, source: str = "", **dag_kwargs: Any) -> DAG:
    """The plan's own DAG. More keywords are those of `airflow.sdk.DAG`, and win."""
    params = dag_kwargs.pop("params", {})
    settings = with_annotations(settings, plan)
    dag_kwargs["default_args"] = owner_of(plan) | (dag_kwargs.get("default_args") or {})
    dag = DAG(dag_id=dag_id, **{**dag_options(plan, settings, source), **dag_kwargs})  # noqa: AIR002 - it is in the options
    fill_dag(dag, plan, settings, params)
    return dag


def dag_options(plan: Plan, settings: Settings, source: str = "") -> dict[str, Any]:
    """What the workflow and the deployment say of the DAG itself."""
    return {
        "schedule": None,
        "catchup": False,
        "doc_md": documentation(plan, source),
        "description": _annotations(plan).get(_TITLE),
        "tags": list(settings.tags),
        "max_active_tasks": parallelism(plan, settings),
        "max_active_runs": settings.max_active_runs,
        **cron_options(plan),
        **annotated_options(plan),
    }


def fill_dag(dag: DAG, plan: Plan, settings: Settings, params: Mapping[str, Any]) -> None:
    """The plan's tasks, and its parameters as the trigger form; `params` win over those of the same name."""
    settings = with_default_args(settings, dag.default_args)
    envelope = Envelope(plan=plan, pods=settings.pods, family=dag.dag_id, verdicts=verdict_tasks(plan))
    add_tasks(dag, envelope, settings)
    dag.params = ParamsDict({**form_params(plan), **params})  # only now: each task made before would carry a copy


def build_child(plan: Plan, settings: Settings, *, family: str, key: str, default_args: Mapping[str, Any] | None = None) -> DAG:
    """A child plan's DAG: runs are made by their parents only, and it is never paused."""
    default_args = owner_of(plan) | dict(default_args or {})
    settings = with_default_args(with_annotations(settings, plan), default_args)
    dag_id = child_dag_id(family, key)
    dag = DAG(
        dag_id=dag_id,
        schedule=None,
        catchup=False,
        tags=[*settings.tags, "argo-child"],
        description=f"runs of {key} on behalf of {family}",
        is_paused_upon_creation=False,
        max_active_tasks=settings.max_active_tasks,
        max_active_runs=CHILD_RUNS,
        default_args=default_args,
    )
    envelope = Envelope(plan=plan.children[key], pods=settings.pods, family=family, verdicts=verdict_tasks(plan), child=True)
    add_tasks(dag, envelope, settings)
    return dag


def build_submitted(envelope: Envelope, settings: Settings) -> Iterator[DAG]:
    """The DAG of a workflow that a manifest submits, and those of its child plans; only such a manifest makes runs of it."""
    plan = envelope.plan
    envelope = replace(envelope, verdicts=verdict_tasks(plan))
    dag = DAG(
        dag_id=envelope.family,
        schedule=None,
        catchup=False,
        tags=[*settings.tags, "argo-submitted"],
        description=f"{plan.name}, submitted by {envelope.submitted}",
        is_paused_upon_creation=False,
        max_active_tasks=parallelism(plan, settings),
        max_active_runs=CHILD_RUNS,
    )
    add_tasks(dag, envelope, settings)
    yield dag
    for key in plan.children:
        yield build_child(plan, settings, family=envelope.family, key=key)


def add_tasks(dag: DAG, envelope: Envelope, settings: Settings, *, parent: TaskGroup | None = None) -> None:
    """Every group and task of the plan, wired, under `parent` (the DAG itself by default).

    Under a parent, the plan's first tasks wait for what stands before the group to succeed, as any task of Airflow does.
    """
    builder = _Builder(dag=dag, envelope=envelope, settings=settings, top=parent or dag.task_group)
    for group in envelope.plan.groups:
        builder.add_group(group)
    for task in envelope.plan.tasks:
        builder.add_task(task, last=task is envelope.plan.tasks[-1])


@dataclass(kw_only=True)
class _Builder:
    """The groups and tasks made so far; groups wait for the fan-out they are mapped over."""

    dag: DAG
    envelope: Envelope
    settings: Settings
    top: TaskGroup
    groups: dict[str, TaskGroup] = field(default_factory=dict)
    waiting: dict[str, PlannedGroup] = field(default_factory=dict)
    tasks: dict[str, Node] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.calls = {call.id: call for call in calls_of(self.envelope.plan)}

    def add_group(self, group: PlannedGroup) -> None:
        """A mapped group needs its fan-out first, so each is made when its first task is."""
        self.waiting[group.id] = group

    def group(self, group_id: str) -> TaskGroup:
        """The group, made with its parents if need be; '' is the top."""
        if not group_id:
            return self.top
        if group_id not in self.groups:
            planned = self.waiting[group_id]
            self.groups[group_id] = self.make_group(planned, self.group(planned.parent))
        return self.groups[group_id]

    def make_group(self, planned: PlannedGroup, parent: TaskGroup) -> TaskGroup:
        named: dict[str, Any] = {
            "group_id": self.envelope.prefix.replace(".", "--") + planned.id,
            "group_display_name": planned.label,
            "tooltip": planned.tooltip,
            "prefix_group_id": False,
            "parent_group": parent,
            "dag": self.dag,
        }
        if not planned.mapped_over:
            return TaskGroup(**named)
        fanout = self.tasks[planned.mapped_over]
        group = MappedTaskGroup(expand_input=DictOfListsExpandInput({"index": XComArg(fanout)}), **named)
        group.set_upstream(fanout)
        return group

    def add_task(self, planned: PlannedTask, *, last: bool) -> None:
        named: dict[str, Any] = {
            "task_id": self.envelope.prefix + planned.id,
            "task_display_name": planned.label,
            "trigger_rule": "all_done" if planned.upstream or self.top is self.dag.task_group else "all_success",
            "dag": self.dag,
            "task_group": self.group(planned.group),
        }
        if planned.kind is TaskKind.JOIN:
            node: Node = EmptyOperator(**named)
        else:
            if last:
                named[ATTRIBUTE] = dumps(self.envelope)
            node = self.make_step(planned, {**named, **self.step_options(planned)})
        of_expansion = {planned.mapped_over} if isinstance(node, MappedOperator) else set()
        node.set_upstream([self.tasks[one] for one in planned.upstream if one not in of_expansion])
        self.tasks[planned.id] = node

    def make_step(self, planned: PlannedTask, options: dict[str, Any]) -> Node:
        operator = step_operator(self.settings)
        if planned.parallelism is not None:
            options["max_active_tis_per_dagrun"] = planned.parallelism
        if options.get("in_triggerer") and planned.mapped_over:
            options["task_group"] = self.mapped_alone(planned, options["task_group"])
            return operator(**options)
        if not planned.mapped_over:
            return operator(**options)
        return operator.partial(**options).expand(index=XComArg(self.tasks[planned.mapped_over]))

    def mapped_alone(self, planned: PlannedTask, parent: TaskGroup) -> TaskGroup:
        """A mapped group for one task: Airflow starts no mapped task in the triggerer, but a task in a mapped group."""
        turns = PlannedGroup(id=f"{planned.id.replace('.', '--')}--turns", label=planned.label, mapped_over=planned.mapped_over)
        return self.make_group(turns, parent)

    def execution(self, planned: PlannedTask) -> Execution:
        """Who runs it."""
        return execution_of(self.envelope.plan, planned, self.template(planned), self.settings)

    def template(self, planned: PlannedTask) -> Json:
        """What the task calls; {} if that is nothing."""
        call = self.calls.get(planned.call)
        return self.envelope.plan.templates.get(call.template, {}) if call else {}

    def step_options(self, planned: PlannedTask) -> dict[str, Any]:
        """Everything that has no word of the workflow in it."""
        pods, execution = self.settings.pods, self.execution(planned)
        options: dict[str, Any] = {
            "retries": self.retries(planned),
            "retry_delay": timedelta(0),
            "retry_policy": ArgoRetryPolicy(),
            "do_xcom_push": planned.kind is TaskKind.FANOUT,
            **priority_of(self.envelope.plan),
            "kubernetes_conn_id": pods.conn_id,
            "namespace": pods.namespace,
            "in_cluster": pods.in_cluster,
            "cluster_context": pods.cluster_context,
            "config_file": pods.config_file,
            "service_account_name": pods.service_account,
        }
        if planned.kind is TaskKind.STEP and (outlets := published_by(self.template(planned))):
            options["outlets"] = outlets
        if execution is Execution.EXECUTOR:
            options["executor"] = EXECUTOR
        if execution is Execution.TRIGGERER:
            # A trigger makes all attempts itself, and what it says is the end: Airflow would retry that.
            options |= {"in_triggerer": True, "retries": 0}
        if pool := self.settings.pool_under(execution):
            options["pool"] = pool
        return options

    def retries(self, planned: PlannedTask) -> int:
        """Airflow's retries: spare ones for lost hosts, and those of a retryStrategy."""
        spare = self.settings.lost_host_retries
        if not planned.retries:
            return spare
        template = self.envelope.plan.templates.get(self.calls[planned.call].template, {})
        limit = str(template.get("retryStrategy", {}).get("limit", ""))
        return spare + int(limit) if limit.isdecimal() else MANY


def calls_of(plan: Plan) -> Iterator[Call]:
    """Every call of the plan, from its roots."""
    pending = [call for call in (plan.root, plan.on_exit, *plan.hooks) if call]
    while pending:
        call = pending.pop()
        yield call
        pending += [*call.turns, *call.hooks, *call.loop_hooks, *(inner for group in call.groups for inner in group)]


def parallelism(plan: Plan, settings: Settings) -> int:
    """`spec.parallelism` where it is a number: Airflow counts it per run, as Argo does."""
    wanted = plan.workflow.get("spec", {}).get("parallelism")
    return wanted if isinstance(wanted, int) and wanted > 0 else settings.max_active_tasks


def priority_of(plan: Plan) -> dict[str, Any]:
    """`spec.priority` as every step's weight; else Airflow's own, by what follows a step."""
    priority = (plan.workflow.get("spec") or {}).get("priority")
    return {} if priority is None else {"priority_weight": int(priority), "weight_rule": "absolute"}


def documentation(plan: Plan, source: str) -> str | None:
    """Title, description and YAML, as Markdown."""
    annotations = _annotations(plan)
    parts = [f"### {annotations[_TITLE]}"] if _TITLE in annotations else []
    parts += [annotations[_DESCRIPTION]] if _DESCRIPTION in annotations else []
    if source:
        fence = "````" if "```" in source else "```"
        parts.append(f"{fence}yaml\n{source.rstrip()}\n{fence}")
    return "\n\n".join(parts) or None


def _annotations(plan: Plan) -> dict[str, str]:
    return (plan.cron or plan.workflow).get("metadata", {}).get("annotations") or {}
