"""What a template is to the plan: a leaf of some kind, or a composite with members.

In: templates as Argo's JSON.  Out: kinds, members, who waits for whom.
Must not know: task ids, Airflow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from argo_yaml_provider.expr.depends import depends_logic
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.plan.nodes import CallKind, Json

_KINDS = {
    "steps": CallKind.STEPS,
    "dag": CallKind.DAG,
    "suspend": CallKind.SUSPEND,
    "http": CallKind.HTTP,
    "resource": CallKind.RESOURCE,
    "container": CallKind.POD,
    "script": CallKind.POD,
    "containerSet": CallKind.POD,
    "data": CallKind.POD,
}
COMPOSITES = (CallKind.STEPS, CallKind.DAG)
_AFTER_THE_END = re.compile(r"""\s*[\w.\-'"\[\]]+\.status\s*==\s*(["'])(Succeeded|Failed|Error)\1\s*""")


def kind_of(template: Json) -> CallKind:
    """The template's kind, seen without its surroundings: never CHILD."""
    return next((kind for field, kind in _KINDS.items() if template.get(field) is not None), CallKind.POD)


def strategy_of(template: Json, spec: Json) -> Json | None:
    """The retryStrategy that holds for a template: its own, even an empty one, else the workflow's."""
    own: Json | None = template.get("retryStrategy")
    return spec.get("retryStrategy") if own is None else own


def members(template: Json) -> Iterator[Json]:
    """The steps or tasks that can ever run."""
    if template.get("steps") is not None:
        for group in template["steps"]:
            yield from group
    elif template.get("dag") is not None:
        yield from wanted_tasks(template)


def dag_tasks(template: Json) -> dict[str, Json]:
    """The tasks of a dag template by name."""
    return {task["name"]: task for task in template["dag"].get("tasks") or ()}


def dependencies(template: Json) -> dict[str, tuple[str, ...]]:
    """For each task, the tasks it names, in order."""
    tasks = dag_tasks(template)
    return {name: tuple(depends_logic(task, tasks)[0]) for name, task in tasks.items()}


def targets(template: Json, needs: dict[str, tuple[str, ...]] | None = None) -> list[str]:
    """The tasks that decide a dag's phase: `target`, or all that none depends on, sorted. Argo: dag.go findLeafTaskNames.

    A target that is a tag is known only once it is substituted; until then every task may be wanted.
    """
    named = str(template["dag"].get("target") or "")
    if named and "{{" not in named:
        return _known(named.split(" "), dag_tasks(template))
    needs = dependencies(template) if needs is None else needs
    needed = {name for names in needs.values() for name in names}
    return sorted(name for name in needs if name not in needed)


def _known(names: list[str], tasks: dict[str, Json]) -> list[str]:
    unknown = next((name for name in names if name not in tasks), None)
    if unknown is not None:
        raise ExprError(f"target '{unknown}' is not defined")
    return names


def wanted_tasks(template: Json) -> list[Json]:
    """The targets and all they need, each after those it needs; the others never exist."""
    tasks, needs = dag_tasks(template), dependencies(template)
    ordered: dict[str, Json] = {}
    for target in targets(template, needs):
        stack, on_way = [(target, iter(needs.get(target, ())))], {target}
        while stack:
            name, rest = stack[-1]
            following = next((n for n in rest if n not in ordered), None)
            if following is not None:
                if following in on_way:
                    raise ExprError(f"task {following} waits for itself")
                on_way.add(following)
                stack.append((following, iter(needs[following])))
                continue
            stack.pop()
            on_way.discard(name)
            ordered.setdefault(name, tasks[name])
    return list(ordered.values())


def exit_hook(source: Json) -> Json | None:
    """The exit handler of a step, task or workflow spec; without arguments of its own it takes the workflow's."""
    if source.get("onExit"):
        return {"template": source["onExit"]}
    hook: Json | None = (source.get("hooks") or {}).get("exit")
    return hook


def expression_hooks(source: Json) -> dict[str, Json]:
    """Hooks that start on an expression, by name."""
    return {name: hook for name, hook in sorted((source.get("hooks") or {}).items()) if name != "exit"}


def waits_for_end(hook: Json) -> bool:
    """Whether an expression can become true only once its step has ended: then nobody need watch the step."""
    return bool(_AFTER_THE_END.fullmatch(hook.get("expression") or ""))
