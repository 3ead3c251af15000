"""DAG tasks: what they wait for.

In: `View`.  Out: problems.
Must not know: tags, arguments. Argo: validateDAG, verifyNoCycles, ValidateTaskResults.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from argo_yaml_provider.expr.depends import OF_ITEMS, RESULTS, names_in, wrong_results
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.resolve.checks.known import known_tasks
from argo_yaml_provider.resolve.checks.shortcuts import is_plain_depends
from argo_yaml_provider.resolve.checks.view import View, title
from argo_yaml_provider.resolve.known import with_known_values
from argo_yaml_provider.spec.problems import suggest
from argo_yaml_provider.spec.resource import Json, Path

LOOPS = ("withItems", "withParam", "withSequence")


def tasks_of(template: Json) -> list[Json]:
    """The tasks of a dag template."""
    return (template.get("dag") or {}).get("tasks") or []


def waits_for(task: Json) -> tuple[str, ...]:
    """The names of the tasks that it waits for."""
    return names_in(task["depends"]) if task.get("depends") else tuple(task.get("dependencies") or ())


def ancestors(tasks: Mapping[str, Json], bits: Mapping[str, int]) -> dict[str, int]:
    """The tasks that have certainly ended when one runs, as the sum of their bits; a number, for a DAG may have thousands."""
    found: dict[str, int] = {}
    entered: set[str] = set()
    trail = list(tasks)
    while trail:
        name = trail[-1]
        waits = [one for one in waits_for(tasks[name]) if one in tasks]
        todo = [one for one in waits if one not in entered] if name not in entered else []
        entered.add(name)
        if todo:
            trail.extend(todo)
            continue
        trail.pop()
        if name not in found:
            found[name] = 0
            for one in waits:
                found[name] |= found.get(one, 0) | bits[one]
    return {name: mask & ~bits[name] for name, mask in found.items()}


def check_dependencies(view: View) -> None:
    """The two ways of waiting do not mix, and every task named is there."""
    for key, template in view.templates():
        tasks = known_tasks(view, key)
        if template.get("dag") is not None and not tasks:
            view.report(
                key, ("dag",), "no-tasks", f'template "{title(key)}" has no task', help="give it at least one", within="key"
            )
        uses_depends = any(task.get("depends") for task in tasks)
        names = [task.get("name", "") for task in tasks]
        for index, task in enumerate(tasks):
            path = ("dag", "tasks", index)
            _check_mixture(view, key, path, task, uses_depends=uses_depends)
            for at, name in enumerate(task.get("dependencies") or () if not task.get("depends") else ()):
                if "{{" in name:
                    _tagged(view, key, (*path, "dependencies", at), "these dependencies hold")
                elif name not in names:
                    message = f'task "{task.get("name")}" waits for "{name}", which is not a task here'
                    view.report(
                        key, (*path, "dependencies", at), "unknown-task", message, help=suggest(name, names, label="tasks")
                    )


def _tagged(view: View, key: str, path: Path, what: str) -> None:
    message = f"{what} a tag whose value this file does not give"
    help_text = "let {{workflow.parameters.…}} stand in it, with a value under spec.arguments"
    view.report(key, path, "bad-depends", message, help=help_text)


def _check_mixture(view: View, key: str, path: Path, task: Json, *, uses_depends: bool) -> None:
    name = task.get("name") or ""
    if (uses_depends or task.get("dependencies")) and name[:1].isdigit():
        message = f'task "{name}" begins with a digit, which depends and dependencies cannot refer to'
        view.report(key, (*path, "name"), "bad-name", message, help="begin it with a letter")
    if uses_depends and task.get("dependencies"):
        message = "depends and dependencies cannot both be used in one dag template"
        view.report(
            key,
            (*path, "dependencies"),
            "mixed-depends",
            message,
            help=f"write depends: {' && '.join(task['dependencies'])}",
            within="key",
        )
    if uses_depends and task.get("continueOn") is not None:
        message = "continueOn cannot be used in a dag template that uses depends"
        help_text = f'write what is forgiven where it is waited for: "{name}.Succeeded || {name}.Failed"'
        view.report(key, (*path, "continueOn"), "mixed-depends", message, help=help_text, within="key")


def check_depends(view: View) -> None:
    """Every `depends` can be read, and names tasks and results that there are."""
    for key, template in view.templates():
        known = known_tasks(view, key)
        tasks = {task.get("name", ""): task for task in known}
        for index, (task, written) in enumerate(zip(known, tasks_of(template), strict=True)):
            if task.get("depends") and task["depends"] == written["depends"]:
                _check_logic(view, key, ("dag", "tasks", index, "depends"), task["depends"], tasks)
            elif task.get("depends"):
                _check_filled_in(view, key, ("dag", "tasks", index, "depends"), task["depends"], tasks)


def _check_filled_in(view: View, key: str, path: Path, logic: str, tasks: dict[str, Json]) -> None:
    """A `depends` that says this only once its tags are replaced: nothing of it can be pointed at."""
    if "{{" in logic:
        _tagged(view, key, path, "this depends holds")
        return
    error, unknown = _syntax_error(logic), [name for name in names_in(logic) if name not in tasks]
    if error or unknown or wrong_results(logic):
        message = f'this depends comes to "{logic}": no condition on tasks of this template whose names hold no tag'
        view.report(key, path, "bad-depends", message, help=suggest(unknown[0] if unknown else "", tasks, label="tasks"))


def _check_logic(view: View, key: str, path: Path, logic: str, tasks: dict[str, Json]) -> None:
    if "{{" in logic:
        _tagged(view, key, path, "this depends holds")
        return
    error = _syntax_error(logic)
    if error:
        help_text = 'write task names joined by &&, || and !, such as "a && (b.Failed || c)"'
        message = f"this depends cannot be read: {error.message}"
        view.report(key, path, "bad-depends", message, help=help_text, within=(error.offset, error.length))
        return
    for name, result in wrong_results(logic):
        at = logic.index(f"{name}.{result}") + len(name) + 1
        message = f'"{result}" is no result of a task'
        view.report(key, path, "bad-depends", message, help=suggest(result, RESULTS, label="results"), within=(at, len(result)))
    for name in names_in(logic):
        if name not in tasks:
            at = _word(logic, name)
            message = f'depends names "{name}", which is not a task here'
            view.report(key, path, "unknown-task", message, help=suggest(name, tasks, label="tasks"), within=(at, len(name)))
        elif not any(tasks[name].get(way) for way in LOOPS):
            _check_items_result(view, key, path, logic, name)


def _syntax_error(logic: str) -> ExprError | None:
    if is_plain_depends(logic):
        return None
    from argo_yaml_provider.expr.parser import parse

    try:
        parse(logic.replace("-", "_"))
    except ExprError as error:
        return error
    return None


def _check_items_result(view: View, key: str, path: Path, logic: str, name: str) -> None:
    for result in OF_ITEMS:
        if f"{name}.{result}" in logic:
            at = logic.index(f"{name}.{result}")
            message = f'"{name}.{result}" is a result of loops, and task "{name}" has no loop'
            help_text = f"write {name}.{'Succeeded' if result == 'AnySucceeded' else 'Failed'}"
            view.report(key, path, "bad-depends", message, help=help_text, within=(at, len(name) + len(result) + 1))


def _word(text: str, word: str) -> int:
    match = re.search(rf"(?<![-\w]){re.escape(word)}(?![-\w])", text)
    return match.start() if match else 0


def check_cycles(view: View) -> None:
    """No task waits for itself, by whatever way round."""
    for key, template in view.templates():
        tasks = {task.get("name", ""): task for task in known_tasks(view, key)}
        cycle = find_cycle({name: waits_for(task) for name, task in tasks.items()})
        if cycle:
            index = next(i for i, task in enumerate(tasks_of(template)) if task.get("name") == cycle[0])
            field = "depends" if tasks[cycle[0]].get("depends") else "dependencies"
            message = f"these tasks wait for each other: {' -> '.join([*cycle, cycle[0]])}"
            view.report(
                key, ("dag", "tasks", index, field), "dependency-cycle", message, help="remove one of these dependencies"
            )


def find_cycle(waits: Mapping[str, Iterable[str]]) -> list[str]:
    """The first cycle, by a walk without recursion."""
    done: set[str] = set()
    for start in waits:
        trail: list[tuple[str, list[str]]] = [(start, list(waits[start]))] if start not in done else []
        on_trail = {start}
        while trail:
            name, todo = trail[-1]
            if not todo:
                done.add(name)
                on_trail.discard(name)
                trail.pop()
                continue
            following = todo.pop(0)
            if following in on_trail:
                names = [one for one, _ in trail]
                return names[names.index(following) :]
            if following in waits and following not in done:
                trail.append((following, list(waits[following])))
                on_trail.add(following)
    return []


def check_targets(view: View) -> None:
    """dag.target names tasks that there are."""
    for key, template in view.templates():
        written = (template.get("dag") or {}).get("target") or ""
        target = with_known_values(view.resolved, key, written) if "{{" in written else written
        names = [task.get("name", "") for task in tasks_of(template)]
        for match in re.finditer(r"[^ ]+", target) if "{{" not in target else ():
            if match[0] not in names:
                message = f'the target "{match[0]}" is not a task here'
                span = (match.start(), len(match[0])) if target == written else (0, len(written))
                view.report(
                    key, ("dag", "target"), "unknown-task", message, help=suggest(match[0], names, label="tasks"), within=span
                )
