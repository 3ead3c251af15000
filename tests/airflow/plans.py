"""Plans written by hand, for tests that need no YAML."""

from __future__ import annotations

from argo_yaml_provider.plan.nodes import Call, CallKind, Json, Plan, PlannedGroup, PlannedTask, TaskKind

POD: Json = {"container": {"image": "busybox", "command": ["true"]}}


def leaf(name: str, **more: object) -> Call:
    return Call(id=name, name=name, kind=CallKind.POD, template="local//pod", source={"name": name, "template": "pod"}, **more)  # type: ignore[arg-type]


def task(name: str, *upstream: str, kind: TaskKind = TaskKind.STEP, **more: object) -> PlannedTask:
    return PlannedTask(id=name, label=name, kind=kind, call=name, upstream=upstream, **more)  # type: ignore[arg-type]


def plan_of(*tasks: PlannedTask, groups: tuple[PlannedGroup, ...] = (), spec: Json | None = None, **metadata: object) -> Plan:
    """A plan with these tasks; its calls are only as true as the test needs."""
    calls = tuple((leaf(one.id),) for one in tasks)
    return Plan(
        name="hello",
        workflow={"metadata": {"name": "hello", **metadata}, "spec": spec or {}},
        templates={"local//main": {"steps": []}, "local//pod": POD},
        root=Call(id="root", name="", kind=CallKind.STEPS, template="local//main", source={}, groups=calls),
        tasks=tasks,
        groups=groups,
        file="hello.yaml",
    )


def looping_plan() -> Plan:
    """A loop over a leaf, a loop over a group, a join, a verdict."""
    return plan_of(
        task("first"),
        task("each.items", "first", kind=TaskKind.FANOUT),
        task("each", "each.items", mapped_over="each.items"),
        task("many.items", "first", kind=TaskKind.FANOUT),
        task("many.a", "many.items", group="many"),
        task("many.b", "many.a", group="many"),
        task("join", "each", "many.b", kind=TaskKind.JOIN),
        task("verdict", "join", kind=TaskKind.VERDICT),
        groups=(PlannedGroup(id="many", label="many(…)", mapped_over="many.items", tooltip="template many"),),
    )
