"""Small judgements that steps and dags share: `when`, `continueOn`, who is mentioned.

In: a step as Argo's JSON.  Out: how it is entered.
Must not know: groups, dependencies.
"""

from __future__ import annotations

import re

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.entries import Absent, Entry, Execution, Expanded, Started, Stopped
from argo_yaml_provider.flow.inputs import ABSENT
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.plan.nodes import Json

_ANY_STEP = re.compile(r"\b(?:steps|tasks)\b(?!\s*(?:\.|\[\s*\\?['\"]))")
"""An expression that speaks of the steps as a whole, or of one whose name it works out."""


def should_execute(when: str) -> bool:
    """Whether a substituted `when` holds. Argo: steps.go shouldExecute."""
    from argo_yaml_provider.expr.when import evaluate_when

    return not when or evaluate_when(when)


def when_entry(node: str, step: Json, *, raised: bool) -> Entry:
    """Started, or Skipped, or an Error where the condition is wrong (`raised`: which also breaks the group)."""
    when = str(step.get("when") or "")
    try:
        if should_execute(when):
            return Started(node=node, step=step)
    except ExprError as error:
        message = f"Invalid 'when' expression '{when}': {error.message}"
        return Stopped(node=node, phase=Phase.ERROR, message=message, raised=raised)
    return Stopped(node=node, phase=Phase.SKIPPED, message=f"when '{when}' evaluated false")


def continues_on(step: Json, phase: Phase) -> bool:
    """Whether the parent overlooks this failure. Argo: ContinuesOn."""
    rule = step.get("continueOn") or {}
    return bool((phase is Phase.ERROR and rule.get("error")) or (phase is Phase.FAILED and rule.get("failed")))


def surely_filled(template: Json, step: Json) -> bool:
    """Whether it can be told without trying that the template begins: arguments fill its inputs, and it needs no semaphore."""
    inputs = template.get("inputs") or {}
    if inputs.get("artifacts") or (template.get("synchronization") or {}).get("semaphores"):
        return False
    given = {p["name"]: p.get("value") for p in (step.get("arguments") or {}).get("parameters") or ()}
    return all(
        given.get(p["name"], p.get("value", p.get("default"))) not in (None, ABSENT) and not p.get("valueFrom")
        for p in inputs.get("parameters") or ()
    )


def mentions(text: str, name: str) -> bool:
    """Whether a text may speak of a step."""
    return name in text or bool(_ANY_STEP.search(text))


def shown_name(entry: Entry | Expanded | Execution) -> str:
    """The full name of the node that was made; '' if none was."""
    return "" if isinstance(entry, Absent) else entry.node
