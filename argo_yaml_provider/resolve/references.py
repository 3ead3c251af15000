"""What a step, task, hook or entrypoint refers to.

In: the key of the template it stands in, and its JSON.  Out: the key of the template that it calls.
Must not know: whether there is such a template. Argo: workflow_types.go resolveTemplateReference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from argo_yaml_provider.spec.resource import Json, Path, Resource

LOCAL = "local//"
_TAG = re.compile(r"\{\{.*?\}\}")


def spec_path(resource: Resource) -> Path:
    """Where the workflow's spec stands in an object."""
    return ("spec", "workflowSpec") if resource.kind == "CronWorkflow" else ("spec",)


def spec_of(resource: Resource) -> Json:
    """The workflow's spec in an object."""
    spec: Json = resource.json.get("spec") or {}
    return (spec.get("workflowSpec") or {}) if resource.kind == "CronWorkflow" else spec


def key_of(scope: str, holder: Json) -> str:
    """The key of the template that `holder` calls from inside the template `scope`; it may hold a tag."""
    where, owner, name = scope.split("/", 2)
    reference = holder.get("templateRef")
    if holder.get("inline") is not None:
        return f"{where}/{owner}/inline/{name.removeprefix('inline/')}/{holder.get('name', '')}"
    if reference:
        kind = "cluster" if reference.get("clusterScope") else "namespaced"
        return f"{kind}/{reference.get('name', '')}/{reference.get('template', '')}"
    return f"{where}/{owner}/{holder.get('template', '')}"


def is_dynamic(key: str) -> bool:
    """Whether the name is known only once its tags are substituted."""
    return "{{" in key


def may_become(key: str, other: str) -> bool:
    """Whether a key that holds tags can be that other one once they are substituted."""
    return re.fullmatch("[^/]*".join(map(re.escape, _TAG.split(key))), other) is not None


def calls_of(template: Json) -> Iterator[tuple[Path, Json]]:
    """Every step or task of a steps or dag template, with its path in it."""
    for group, steps in enumerate(template.get("steps") or ()):
        for index, step in enumerate(steps):
            yield ("steps", group, index), step
    for index, task in enumerate((template.get("dag") or {}).get("tasks") or ()):
        yield ("dag", "tasks", index), task


def holders_of(template: Json) -> Iterator[tuple[Path, Json]]:
    """Everything in a template that calls another: steps, tasks, their hooks and exit handlers."""
    for path, call in calls_of(template):
        yield path, call
        yield from hooks_of(call, path)


def hooks_of(call: Json, path: Path = ()) -> Iterator[tuple[Path, Json]]:
    """The hooks and the exit handler of a step, a task, or (its spec) a workflow."""
    if call.get("onExit"):
        yield (*path, "onExit"), {"template": call["onExit"]}
    for name, hook in (call.get("hooks") or {}).items():
        yield (*path, "hooks", name), hook
