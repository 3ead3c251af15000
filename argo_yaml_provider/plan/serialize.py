"""Plans to and from JSON text: the same plan always gives the same text.

In: a Plan, or its text.  Out: the other.
Must not know: who keeps the text.
"""

from __future__ import annotations

import json
from typing import Any

from argo_yaml_provider.plan.nodes import Call, CallKind, Json, LoopKind, Plan, PlannedGroup, PlannedTask, TaskKind


def dumps(plan: Plan) -> str:
    """The plan as JSON text, without what is left at its default."""
    return json.dumps(_plan_json(plan), separators=(",", ":"), ensure_ascii=False)


def loads(text: str) -> Plan:
    """The plan that `dumps` wrote."""
    return _plan(json.loads(text))


def _plan_json(plan: Plan) -> Json:
    written: Json = {
        "name": plan.name,
        "workflow": plan.workflow,
        "templates": plan.templates,
        "root": _call_json(plan.root),
        "tasks": [_fields(task) for task in plan.tasks],
        "groups": [_fields(group) for group in plan.groups],
        "file": plan.file,
    }
    if plan.on_exit:
        written["on_exit"] = _call_json(plan.on_exit)
    if plan.hooks:
        written["hooks"] = [_call_json(hook) for hook in plan.hooks]
    if plan.dynamic:
        written["dynamic"] = plan.dynamic
    if plan.cron:
        written["cron"] = plan.cron
    if plan.library:
        written["library"] = list(plan.library)
    if plan.children:
        written["children"] = {key: _plan_json(child) for key, child in plan.children.items()}
    return written


def _plan(value: Json) -> Plan:
    return Plan(
        name=value["name"],
        workflow=value["workflow"],
        templates=value["templates"],
        root=_call(value["root"]),
        on_exit=_call(value["on_exit"]) if "on_exit" in value else None,
        hooks=tuple(map(_call, value.get("hooks", ()))),
        tasks=tuple(map(_task, value["tasks"])),
        groups=tuple(PlannedGroup(**group) for group in value["groups"]),
        children={key: _plan(child) for key, child in value.get("children", {}).items()},
        dynamic=value.get("dynamic", {}),
        cron=value.get("cron", {}),
        library=tuple(value.get("library", ())),
        file=value["file"],
    )


def _fields(record: PlannedTask | PlannedGroup) -> Json:
    """A record's fields that say something."""
    named = {name: getattr(record, name) for name in record.__dataclass_fields__}
    return {name: value for name, value in named.items() if value or name in ("id", "label", "kind")}


def _call_json(call: Call) -> Json:
    written: Json = {"id": call.id, "name": call.name, "kind": call.kind, "template": call.template}
    many: dict[str, Any] = {
        "source": call.source,
        "loop": call.loop,
        "item": call.item,
        "turns": [_call_json(turn) for turn in call.turns],
        "groups": [[_call_json(member) for member in group] for group in call.groups],
        "hooks": [_call_json(hook) for hook in call.hooks],
        "loop_hooks": [_call_json(hook) for hook in call.loop_hooks],
        "child": call.child,
    }
    return written | {name: value for name, value in many.items() if value or value == 0}


def _call(value: Json) -> Call:
    return Call(
        id=value["id"],
        name=value["name"],
        kind=CallKind(value["kind"]),
        template=value["template"],
        source=value.get("source", {}),
        loop=LoopKind(value["loop"]) if "loop" in value else None,
        item=value.get("item"),
        turns=tuple(map(_call, value.get("turns", ()))),
        groups=tuple(tuple(map(_call, group)) for group in value.get("groups", ())),
        hooks=tuple(map(_call, value.get("hooks", ()))),
        loop_hooks=tuple(map(_call, value.get("loop_hooks", ()))),
        child=value.get("child", ""),
    )


def _task(value: Json) -> PlannedTask:
    kind = value.get("call_kind")
    return PlannedTask(
        **{
            **value,
            "kind": TaskKind(value["kind"]),
            "call_kind": CallKind(kind) if kind else None,
            "upstream": tuple(value.get("upstream", ())),
        }
    )
