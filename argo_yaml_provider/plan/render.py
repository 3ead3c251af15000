"""A plan for people: the tree of calls as it will run.

In: Plan.  Out: text.
Must not know: colours, terminals, Airflow.
"""

from __future__ import annotations

from collections.abc import Iterator

from argo_yaml_provider.plan.nodes import Call, CallKind, Json, LoopKind, Plan
from argo_yaml_provider.plan.templates import dependencies, strategy_of

_OWN_KIND = (CallKind.POD, CallKind.STEPS, CallKind.DAG)
Line = tuple[str, list["Line"]]


def render_plan(plan: Plan) -> str:
    """The tree, its exit handler and hooks, then each child plan with its own tree."""
    lines = [f"{plan.name}  {_what(plan, plan.root)}", *_drawn(_below(plan, plan.root) + _around(plan))]
    for key, child in plan.children.items():
        lines += ["", f"child run {key}  {_what(child, child.root)}", *_drawn(_below(child, child.root))]
    return "\n".join(lines)


def _around(plan: Plan) -> list[Line]:
    """The workflow's own hooks."""
    found = [_line(plan, hook, {}) for hook in plan.hooks]
    return [*found, _line(plan, plan.on_exit, {})] if plan.on_exit else found


def _line(plan: Plan, call: Call, needs: dict[str, tuple[str, ...]]) -> Line:
    parts = [call.name, _what(plan, call), *_conditions(call.source, needs.get(call.name, ()))]
    return "  ".join(part for part in parts if part), _below(plan, call)


def _what(plan: Plan, call: Call) -> str:
    """The template, and what is not plain about calling it."""
    notes = [str(call.kind)] if call.kind not in _OWN_KIND else []
    notes += _loop(call)
    template = plan.templates[call.template]
    if strategy_of(template, plan.workflow.get("spec") or {}) is not None and not call.groups:
        notes.append("retried")
    name = call.template.rpartition("/")[2] if "/inline/" not in call.template else "inline"
    return f"{name} ({', '.join(notes)})" if notes else name


def _loop(call: Call) -> list[str]:
    if call.loop is LoopKind.UNROLLED:
        return [f"{len(call.turns)} items"]
    if call.loop is LoopKind.MAPPED:
        return [f"for each of {call.source.get('withParam') or 'its items'}"]
    return []


def _conditions(source: Json, needs: tuple[str, ...]) -> Iterator[str]:
    if source.get("depends"):
        yield f"if {source['depends']}"
    elif needs:
        yield f"after {', '.join(needs)}"
    if source.get("when"):
        yield f"when {source['when']}"
    if source.get("expression"):
        yield f"once {source['expression']}"


def _below(plan: Plan, call: Call) -> list[Line]:
    """The members, groups of several steps drawn as one; hooks after them."""
    shown = call.turns[0] if call.turns else call
    found: list[Line] = []
    needs = dependencies(plan.templates[call.template]) if shown.kind is CallKind.DAG else {}
    for number, group in enumerate(shown.groups):
        members = [_line(plan, member, needs) for member in group]
        together = shown.kind is CallKind.STEPS and len(members) > 1
        found += [(f"[{number}] together", members)] if together else members
    return found + [_line(plan, hook, {}) for hook in (*shown.hooks, *call.loop_hooks)]


def _drawn(lines: list[Line], indent: str = "") -> Iterator[str]:
    for number, (text, below) in enumerate(lines):
        last = number == len(lines) - 1
        yield f"{indent}{'└─ ' if last else '├─ '}{text}"
        yield from _drawn(below, indent + ("   " if last else "│  "))
