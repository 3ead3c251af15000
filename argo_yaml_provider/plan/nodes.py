"""What will run, in what order: the Plan, frozen and JSON-friendly.

A Plan is the resolved workflow (its merged spec and every template it can reach, as Argo's own JSON) and a tree of `Call`s:
one for each place where a template is called. The flow evaluates that tree by Argo's rules; Airflow shows it as tasks
and groups. Both speak of a call by its `id`, which is stable, unique in the plan, and legal as a task_id and group_id.

Must not know: Airflow, Kubernetes, the file system.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class CallKind(StrEnum):
    """What stands behind a call."""

    POD = "pod"
    """container, script, containerSet, data: a pod."""
    RESOURCE = "resource"
    HTTP = "http"
    SUSPEND = "suspend"
    STEPS = "steps"
    DAG = "dag"
    CHILD = "child"
    """A run of a child plan: recursion, a run-time loop inside a run-time loop, a retried composite."""


class LoopKind(StrEnum):
    """How a call with withItems, withParam or withSequence becomes tasks."""

    UNROLLED = "unrolled"
    """The items are literal in the file: `turns` holds one call per item."""
    MAPPED = "mapped"
    """The items are known at run time: a fan-out task returns them, and the call's task or group is mapped over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One place where a template is called: a step, a DAG task, a hook, an exit handler, or the entrypoint."""

    id: str
    """Airflow's task_id of a leaf, group_id of a composite or of a loop."""
    name: str
    """Argo's own step or task name; an unrolled turn has `step(0:item)`; the root has ''."""
    kind: CallKind
    template: str
    """Key into `Plan.templates`."""
    source: Json
    """The step or DAG task as written (arguments, when, depends, withItems, hooks, …), as Argo's JSON; {} for the root."""
    loop: LoopKind | None = None
    item: int | None = None
    """Of an unrolled turn: its index."""
    turns: tuple[Call, ...] = ()
    """Of an unrolled loop: the calls, one per item. The loop call itself then has no groups."""
    groups: tuple[tuple[Call, ...], ...] = ()
    """Of a steps template: its groups in order. Of a dag template: one group with its tasks."""
    hooks: tuple[Call, ...] = ()
    """Life-cycle hooks and exit handlers of this call; `name` is `onExit` or `hooks.NAME`."""
    loop_hooks: tuple[Call, ...] = ()
    """Of a loop in a dag template: the hooks of the loop as a whole. `hooks` are those of each turn."""
    child: str = ""
    """Of a CHILD: key into `Plan.children`."""


class TaskKind(StrEnum):
    """What an Airflow task does."""

    STEP = "step"
    """Gate, pod (or http, resource, suspend, child run), outcome."""
    FANOUT = "fanout"
    """Works out a loop's items and returns their list of indices, for Airflow to map over."""
    JOIN = "join"
    """An EmptyOperator that saves m x n edges."""
    START = "start"
    """Before all others, where something must hold before the first pod: whether the workflow starts at all."""
    VERDICT = "verdict"
    """The workflow's phase and outputs; the run's state follows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """One Airflow task."""

    id: str
    label: str
    """Argo's name of the step, for the UI."""
    kind: TaskKind
    call: str = ""
    """Id of the call it serves (STEP, FANOUT)."""
    call_kind: CallKind | None = None
    group: str = ""
    """Id of the innermost PlannedGroup, '' at the top."""
    upstream: tuple[str, ...] = ()
    """Ids of tasks that must have ended (trigger rule all_done)."""
    mapped_over: str = ""
    """Id of the FANOUT task whose list this task is mapped over; '' if it is not (or only its group is)."""
    retries: bool = False
    """Whether a retryStrategy applies."""
    parallelism: int | None = None
    """Of a mapped task: how many of its instances may run at a time (the parallelism of the template around it)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGroup:
    """One Airflow task group: a template call, or an unrolled loop."""

    id: str
    label: str
    parent: str = ""
    mapped_over: str = ""
    """Id of the FANOUT task, for a mapped task group."""
    tooltip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One workflow as it will run. `plan.serialize.dumps/loads` turn it to and from stable JSON text."""

    name: str
    """Argo's metadata.name, or generateName without its dash, or the file's stem."""
    workflow: Json
    """metadata and the merged spec (workflowTemplateRef applied), without `templates`; Argo's JSON."""
    templates: dict[str, Json]
    """Every reachable template by its key (`scope/resource/name`), with templateDefaults merged."""
    root: Call
    on_exit: Call | None = None
    hooks: tuple[Call, ...] = ()
    """Workflow-level hooks other than `exit`."""
    tasks: tuple[PlannedTask, ...] = ()
    """In topological order."""
    groups: tuple[PlannedGroup, ...] = ()
    """Parents before children."""
    children: dict[str, Plan] = field(default_factory=dict)
    """Child plans by key; the key is also the suffix of the child's dag_id. All live in the outermost plan only."""
    dynamic: dict[str, str] = field(default_factory=dict)
    """Where a templateRef's name holds a tag: every template it may mean, by key, with its key in `children`."""
    cron: Json = field(default_factory=dict)
    """Of a CronWorkflow: its own metadata, and its spec without the workflowSpec; {} otherwise."""
    library: tuple[Json, ...] = ()
    """WorkflowTemplates that the manifests of its resource templates may refer to, where these are Workflows themselves."""
    file: str = ""
    """Where it came from, relative to the dags folder, for messages."""
