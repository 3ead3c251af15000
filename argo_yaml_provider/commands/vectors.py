"""The seven kinds of vectors that `argo-yaml eval` knows, each asked of the module that answers it in a run.

In: one vector.  Out: the value, shaped as it is recorded from Argo; an `ExprError` where Argo says error.
Must not know: the command line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from argo_yaml_provider.commands.goshape import shape
from argo_yaml_provider.expr import gojson, template
from argo_yaml_provider.expr.clock import SECOND, Duration
from argo_yaml_provider.expr.depends import depends_logic, evaluate_depends, wrong_results
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.evaluator import evaluate, evaluate_bool
from argo_yaml_provider.expr.rendering import plain, render_go
from argo_yaml_provider.expr.values import AnyMap, is_nil
from argo_yaml_provider.flow import retry
from argo_yaml_provider.flow.inputs import process_args
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.plan import items
from argo_yaml_provider.resolve.defaults import join_specs
from argo_yaml_provider.resolve.merge import merge_struct

Vector = Mapping[str, Any]


def evaluate_expr(vector: Vector) -> Any:
    """Kind `expr`: an expression over variables; for `bool` a condition, for `valueFrom` an output's text."""
    text, env = vector["expr"], vector.get("env") or {}
    if vector.get("mode") == "bool":
        return evaluate_bool(text, env)
    value = evaluate(text, env)
    if vector.get("mode") != "valueFrom":
        return _plain(value)
    if value is None:
        raise ExprError(f"failed to evaluate expression {text!r}")
    return render_go(value)


def answer_when(vector: Vector) -> bool:
    """Kind `when`: tags replaced, then the condition."""
    from argo_yaml_provider.expr.when import evaluate_when

    text = template.replace_strict(gojson.dumps(vector["when"]), vector.get("params") or {})
    return evaluate_when(gojson.loads(text))


def answer_template(vector: Vector) -> Any:
    """Kind `template`: JSON text with its tags replaced; or the tags in it, or the value of the one tag that it is."""
    text, params, mode = vector["template"], vector.get("params") or {}, vector.get("mode")
    if mode == "validate":
        return list(template.simple_tags(text))
    if mode == "resolveVar":
        return _plain(template.resolve_variable(text, params)[1])
    if mode == "strict":
        return template.replace_strict(text, params, prefixes=tuple(vector.get("strictPrefixes") or ()))
    return template.replace(text, params, allow_unresolved=bool(vector.get("allowUnresolved")))


def answer_depends(vector: Vector) -> dict[str, Any]:
    """Kind `depends`: what a DAG task waits for, and whether it runs, given the nodes so far."""
    tasks = {task["name"]: task for task in reversed(vector["tasks"])}
    task, nodes = tasks[vector["target"]], vector.get("nodes") or {}
    dependencies, logic = depends_logic(task, tasks)
    for name, result in wrong_results(task.get("depends") or ""):
        raise ExprError(f"validation: task result '{result}' for task '{name}' is invalid")
    known = {"dependencies": dependencies, "logic": logic}
    if vector["target"] in nodes:
        return {**known, "execute": True, "proceed": True}
    if not all(name in nodes and _fulfilled(nodes[name]) for name in dependencies):
        return {**known, "execute": False, "proceed": False}
    results = {name: _results(nodes[name]) for name in dependencies}
    return {**known, "execute": evaluate_depends(logic, results), "proceed": True}


def answer_items(vector: Vector) -> Any:
    """Kind `items`: the steps of a loop; for mode `type`, what Argo takes an item for."""
    if vector.get("mode") == "type":
        return _item(vector["item"])
    dag = vector.get("mode") != "steps"
    step = shape(vector["task"], "DAGTask" if dag else "WorkflowStep")
    if not dag and not items.loops(step):
        raise ExprError("expandStep() was called with withItems and withParam empty")
    return [_shown_step(turn) for turn in items.expand(step, vector.get("scope") or {}, dag=dag)]


def _item(text: str) -> dict[str, str]:
    if not gojson.is_json(text):
        raise ExprError(f"{text!r} is not JSON")
    return {"string": items.item_string(text.strip()), "type": items.item_type(text.strip())}


def answer_backoff(vector: Vector) -> Any:
    """Kind `backoff`: a duration, a limit, or what follows the attempts so far."""
    if vector["mode"] == "duration":
        nanoseconds = retry.parse_duration(vector["duration"])
        seconds = nanoseconds / SECOND
        shown = int(seconds) if seconds.is_integer() else seconds
        return {"ns": nanoseconds, "go": str(Duration(nanoseconds)), "seconds": shown}
    if vector["mode"] == "limit":
        return retry.int32(vector.get("limit"))
    tries = [_try(attempt) for attempt in vector.get("attempts") or () if not attempt.get("hooked")]
    verdict = retry.decide(vector["retryStrategy"], tries, _NOW + SECOND // 1000)
    value: dict[str, Any] = {
        "decision": verdict.next.value,
        "lastRetry_env": retry.last_retry(tries),
        "message": verdict.message,
        "phase": verdict.phase.value,
        "proceed": verdict.next is not retry.Next.WAIT,
    }
    if verdict.wait is not None:
        value |= {"wait": str(Duration(verdict.wait)), "wait_ns": verdict.wait}
    return value


def answer_merge(vector: Vector) -> dict[str, Any]:
    """Kind `merge`: a template with its inputs filled in; or a workflow's arguments over its template's and the defaults."""
    if vector.get("mode") == "spec":
        return _joined(vector)
    called = shape(vector["wfTemplate"], "Template")
    arguments = shape(vector.get("arguments") or {}, "Arguments")
    made = shape(process_args(called, arguments, vector.get("globalParams") or {}, vector.get("localParams") or {}), "Template")
    value: dict[str, Any] = {"template": made}
    if (made.get("retryStrategy") or {}).get("limit") is not None:
        try:
            value["limit"] = retry.int32(made["retryStrategy"]["limit"])
        except ExprError as error:
            value["limit_error"] = error.message
    return value


def _joined(vector: Vector) -> dict[str, Any]:
    """Workflow over WorkflowTemplate over defaults; a parameter that has a value above takes nothing from the defaults."""
    high, low, defaults = (
        shape(vector.get(layer) or {}, "WorkflowSpec") for layer in ("workflow", "workflowTemplate", "workflowDefaults")
    )
    above = join_specs(high, low)
    joined = merge_struct(defaults, above, "WorkflowSpec")
    arguments = dict(joined.get("arguments") or {})
    kept = {p["name"]: p for p in (above.get("arguments") or {}).get("parameters") or () if _has_value(p)}
    if arguments.get("parameters"):
        arguments["parameters"] = [kept.get(parameter["name"], parameter) for parameter in arguments["parameters"]]
    return {"arguments": arguments, "entrypoint": joined.get("entrypoint") or ""}


def _has_value(parameter: Mapping[str, Any]) -> bool:
    return any(parameter.get(field) is not None for field in ("value", "default", "valueFrom"))


KINDS: dict[str, Callable[[Vector], Any]] = {
    "expr": evaluate_expr,
    "when": answer_when,
    "template": answer_template,
    "depends": answer_depends,
    "items": answer_items,
    "backoff": answer_backoff,
    "merge": answer_merge,
}

_NOW = 1_700_000_000 * SECOND


def _try(attempt: Mapping[str, Any]) -> retry.Try:
    finished = _NOW - round(attempt.get("finished_ago_s", 0) * SECOND)
    return retry.Try(
        phase=Phase(attempt["phase"]),
        message=attempt.get("message") or "",
        exit_code=attempt.get("exitCode"),
        started=finished - round(attempt.get("duration_s", 0) * SECOND),
        finished=None if attempt.get("no_finish_stamp") else finished,
        daemoned=bool(attempt.get("daemoned")),
    )


def _results(node: Mapping[str, Any]) -> dict[str, bool]:
    """A node's results as `depends` sees them. Argo: evaluateDependsLogic."""
    phase, children = node.get("phase"), node.get("children") or ()
    looped = bool(node.get("group"))
    results = {result: phase == result for result in ("Succeeded", "Failed", "Skipped", "Omitted")}
    return results | {
        "Errored": phase == "Error",
        "Daemoned": bool(node.get("daemoned")) and phase != "Pending",
        "AnySucceeded": looped and "Succeeded" in children,
        "AllFailed": looped and bool(children) and all(child == "Failed" for child in children),
    }


def _fulfilled(node: Mapping[str, Any]) -> bool:
    ended = node.get("phase") in ("Succeeded", "Failed", "Error", "Skipped", "Omitted")
    return ended or (bool(node.get("daemoned")) and node.get("phase") != "Pending")


def _shown_step(turn: items.Turn) -> dict[str, Any]:
    shown = {"name": turn.name, "parameters": shape(turn.step.get("arguments") or {}, "Arguments").get("parameters", [])}
    return shown | ({"when": turn.step["when"]} if turn.step.get("when") else {})


def _plain(value: Any) -> Any:
    """A value of the language in JSON's types; a map with keys of all kinds by what Go prints for them."""
    if is_nil(value):
        return None
    if isinstance(value, AnyMap):
        return {render_go(key[1]): _plain(item) for key, item in value.items()}
    if isinstance(value, dict):
        return {render_go(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return render_go(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else render_go(value)
    try:
        return plain(value)
    except ExprError:
        return render_go(value)
