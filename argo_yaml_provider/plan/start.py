"""The task before all others, for workflows in which something must hold before the first pod.

In: the workflow's spec, its CronWorkflow, its tasks.  Out: whether it needs one; the tasks, all of them after it.
Must not know: what the task does (step/start.py). Ordinary workflows have none.
"""

from __future__ import annotations

from dataclasses import replace

from argo_yaml_provider.plan.names import START
from argo_yaml_provider.plan.nodes import Json, PlannedTask, TaskKind

_OF_WORKFLOW = ("suspend", "artifactRepositoryRef")
_OF_CRON = ("when", "stopStrategy")


def needs_start(spec: Json, cron: Json) -> bool:
    """Whether it may have to wait, or not to run at all."""
    slots = cron.get("spec") or {}
    gated = slots.get("concurrencyPolicy") in ("Forbid", "Replace") or any(slots.get(name) for name in _OF_CRON)
    return gated or any(spec.get(name) for name in _OF_WORKFLOW)


def with_start(tasks: tuple[PlannedTask, ...]) -> tuple[PlannedTask, ...]:
    """The start, and every task that waited for nothing after it."""
    first = PlannedTask(id=START, label="start", kind=TaskKind.START)
    return (first, *(task if task.upstream else replace(task, upstream=(START,)) for task in tasks))
