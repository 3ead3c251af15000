"""A DAG task's `depends` and `dependencies`: which tasks it waits for, and on what results it runs.

In: tasks as Argo's JSON, results by task name.  Out: the names, the expanded logic, and whether to run.
Must not know: nodes, pods, Airflow. Argo: workflow/common/ancestry.go, workflow/controller/dag.go evaluateDependsLogic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from argo_yaml_provider.expr.errors import ExprError

Task = Mapping[str, Any]

RESULTS = ("Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed")
OF_ITEMS = ("AnySucceeded", "AllFailed")
"""The results that only a looped task has."""

_NAME = re.compile(r"([a-zA-Z0-9][-a-zA-Z0-9]*?\.[A-Z][a-zA-Z]+)|([a-zA-Z0-9][-a-zA-Z0-9]*)")
_FUNCTIONS = re.compile(r"\b(asInt|asFloat|jsonpath|toJson|sprig)(?=\.)")
_RESULT = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*?\.[A-Z][a-zA-Z]+")


def names_in(logic: str) -> tuple[str, ...]:
    """The tasks that a `depends` names, each once, in order. `and`, `not` and `true` are names like any other."""
    return tuple(dict.fromkeys((match[1] or match[2]).partition(".")[0] for match in _NAME.finditer(logic)))


def wrong_results(logic: str) -> tuple[tuple[str, str], ...]:
    """Task and result of each `task.Result` that Argo's validation refuses. Argo: ValidateTaskResults."""
    pairs = (match[0].split(".") for match in _RESULT.finditer(logic))
    return tuple((task, result) for task, result in pairs if result not in RESULTS)


def depends_logic(task: Task, tasks: Mapping[str, Task]) -> tuple[dict[str, str], str]:
    """The tasks it depends on, each with "task" or "items" (a result of a loop's items), and the logic, bare names expanded.

    A bare name stands for succeeded, skipped or daemoned; with `continueOn`, also for what that forgives.
    """
    logic = task.get("depends") or _default_logic(task, tasks)
    dependencies: dict[str, str] = {}
    pieces: list[str] = []
    at = 0
    for match in _NAME.finditer(logic):
        if match[1]:
            name, _, result = match[1].partition(".")
            if result in OF_ITEMS:
                dependencies[name] = "items"
            else:
                dependencies.setdefault(name, "task")
            continue
        dependencies[match[2]] = "task"
        pieces += (logic[at : match.start()], _expanded(match[2], tasks))
        at = match.end()
    return dependencies, "".join(pieces) + logic[at:]


def _default_logic(task: Task, tasks: Mapping[str, Task]) -> str:
    return " && ".join(_expanded(name, tasks) for name in task.get("dependencies") or ())


def _expanded(name: str, tasks: Mapping[str, Task]) -> str:
    if name not in tasks:
        raise ExprError(f"target {name} does not exist")
    continue_on = tasks[name].get("continueOn") or {}
    results = ["Succeeded", "Skipped", "Daemoned"]
    results += ["Errored"] * bool(continue_on.get("error")) + ["Failed"] * bool(continue_on.get("failed"))
    return "(" + " || ".join(f"{name}.{result}" for result in results) + ")"


def _variable(text: str) -> str:
    """Task names as an expression can say them; a task that is named like one of Argo's functions gets a name of its own."""
    return _FUNCTIONS.sub(r"\1_", text.replace("-", "_"))


def evaluate_depends(logic: str, results: Mapping[str, Mapping[str, bool]]) -> bool:
    """Whether the task runs, now that every task it names has ended; `results` by task name, then by result."""
    from argo_yaml_provider.expr.checker import Checker
    from argo_yaml_provider.expr.evaluator import compile_expression, evaluate_bool
    from argo_yaml_provider.expr.natures import of_type

    text = _variable(logic)
    env: dict[str, Any] = {}
    for name, result in results.items():
        env.setdefault(_variable(f"{name}.")[:-1], {known: result.get(known, False) for known in RESULTS})
    try:
        for name, wrong in wrong_results(logic):
            raise ExprError(f"{name} has no result {wrong}; there are {', '.join(RESULTS)}")  # noqa: TRY301 - one message
        # Every result is known to be true or false: what cannot be done with those is refused even where it is not reached.
        Checker(dict.fromkeys(env, of_type("map[string]bool"))).check(compile_expression(text).tree)
        return evaluate_bool(text, env)
    except ExprError as error:
        raise ExprError(f"unable to evaluate expression '{text}': {error.message}", error.offset, error.length) from error
