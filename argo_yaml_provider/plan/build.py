"""Turn a resolved workflow into the Plan that will run.

In: resolve.Resolved.  Out: plan.Plan, frozen and JSON-friendly.
Must not know: Airflow, Kubernetes, the file system.
"""

from __future__ import annotations

from dataclasses import replace

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.plan.calls import CallBuilder, Children, Spot
from argo_yaml_provider.plan.joins import with_joins
from argo_yaml_provider.plan.names import VERDICT
from argo_yaml_provider.plan.nodes import Call, Json, Plan, PlannedTask, TaskKind
from argo_yaml_provider.plan.start import needs_start, with_start
from argo_yaml_provider.plan.templates import COMPOSITES, exit_hook, expression_hooks
from argo_yaml_provider.resolve.manifests import library_for
from argo_yaml_provider.resolve.resolved import Resolved

_AT_THE_END = ("artifactGC", "metrics", "synchronization", "volumeClaimTemplates", "podDisruptionBudget")
"""What the verdict sees to."""


def build_plan(resolved: Resolved, *, file: str = "") -> Plan:
    """The plan of one workflow, its child plans included."""
    children = Children()
    plan = _root_plan(resolved, children, file)
    done: dict[str, Plan] = {}
    while len(done) < len(children.keys):
        for template, key in list(children.keys.items()):
            if key not in done:
                done[key] = _child_plan(resolved, children, template, file)
    return replace(plan, children=done)


def _root_plan(resolved: Resolved, children: Children, file: str) -> Plan:
    builder = CallBuilder(resolved, children)
    spot = Spot(path=(), name="", stack=())
    source: Json = {}
    spec = resolved.workflow.get("spec") or {}
    root, sinks = builder.single(spot, resolved.entrypoint, source, ())
    hooks = builder.workflow_hooks(expression_hooks(spec), resolved.entrypoint, sinks)
    on_exit = _on_exit(builder, resolved, spec)
    alone = root.kind not in COMPOSITES and not hooks and on_exit is None
    cron = _cron(resolved)
    gated = needs_start(spec, cron)
    if gated or not (alone and _is_plain(resolved, root)):
        builder.tasks.append(_verdict(builder.tasks))
    tasks = with_joins(builder.tasks, builder.groups, builder.names)
    return Plan(
        name=resolved.name,
        workflow=resolved.workflow,
        templates={key: builder.written(key) for key in sorted(builder.used)},
        dynamic=builder.dynamic,
        library=library_for(map(builder.written, builder.used), resolved.library),
        root=root,
        on_exit=on_exit,
        hooks=hooks,
        tasks=with_start(tasks) if gated else tasks,
        groups=tuple(builder.groups),
        cron=cron,
        file=file,
    )


def _cron(resolved: Resolved) -> Json:
    """What a CronWorkflow says beside its workflowSpec."""
    resource = resolved.resource
    if resource.kind != "CronWorkflow":
        return {}
    spec = {name: value for name, value in resource.json["spec"].items() if name != "workflowSpec"}
    return {"kind": resource.kind, "metadata": resource.json["metadata"], "spec": spec}


def _child_plan(resolved: Resolved, children: Children, template: str, file: str) -> Plan:
    """A composite as a plan of its own: recursion, a run-time loop in a run-time loop, a retried composite."""
    builder = CallBuilder(resolved, children)
    root, _ = builder.single(Spot(path=(), name="", stack=(), child_root=True), template, {}, ())
    builder.tasks.append(_verdict(builder.tasks))
    return Plan(
        name=resolved.name,
        workflow=resolved.workflow,
        templates={key: builder.written(key) for key in sorted(builder.used)},
        dynamic=builder.dynamic,
        library=library_for(map(builder.written, builder.used), resolved.library),
        root=root,
        tasks=with_joins(builder.tasks, builder.groups, builder.names),
        groups=tuple(builder.groups),
        file=file,
    )


def _on_exit(builder: CallBuilder, resolved: Resolved, spec: Json) -> Call | None:
    """The workflow's exit handler: after everything else."""
    hook = exit_hook(spec)
    if hook is None:
        return None
    key = resolved.reference(resolved.entrypoint, hook) or resolved.on_exit
    spot = Spot(path=("onExit",), name="onExit", stack=())
    return builder.single(spot, key, hook, _ends(builder.tasks))[0]


def _ends(tasks: list[PlannedTask]) -> tuple[str, ...]:
    """The tasks that no other waits for."""
    awaited = {upstream for task in tasks for upstream in task.upstream}
    return tuple(task.id for task in tasks if task.id not in awaited)


def _verdict(tasks: list[PlannedTask]) -> PlannedTask:
    return PlannedTask(id=VERDICT, label="verdict", kind=TaskKind.VERDICT, upstream=_ends(tasks))


def _is_plain(resolved: Resolved, root: Call) -> bool:
    """Whether the one task's own state says all there is to say of the workflow, and nothing is left to delete."""
    spec = resolved.workflow.get("spec") or {}
    if any(spec.get(name) is not None for name in _AT_THE_END):
        return False
    if str((spec.get("podGC") or {}).get("strategy")).startswith("OnWorkflow"):
        return False
    template = resolved.templates[root.template]
    if template.get("daemon"):
        return False
    outputs = template.get("outputs") or {}
    text = gojson.dumps(outputs)
    return "globalName" not in text and "artifactGC" not in text
