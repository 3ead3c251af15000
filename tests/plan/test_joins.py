from __future__ import annotations

from argo_yaml_provider.plan.joins import with_joins
from argo_yaml_provider.plan.names import Names
from argo_yaml_provider.plan.nodes import PlannedGroup, PlannedTask, TaskKind


def task(name: str, upstream: tuple[str, ...] = (), group: str = "") -> PlannedTask:
    return PlannedTask(id=name, label=name, kind=TaskKind.STEP, upstream=upstream, group=group)


def test_a_join_stands_where_it_saves_edges() -> None:
    before = tuple("abc")
    tasks = [*map(task, before), *(task(name, before) for name in "xyz")]
    joined = with_joins(tasks, [], Names())
    assert [(one.id, one.kind.value, one.upstream) for one in joined[3:]] == [
        ("x.join", "join", ("a", "b", "c")),
        ("x", "step", ("x.join",)),
        ("y", "step", ("x.join",)),
        ("z", "step", ("x.join",)),
    ]


def test_two_before_two_need_none() -> None:
    tasks = [task("a"), task("b"), task("x", ("a", "b")), task("y", ("a", "b"))]
    assert list(with_joins(tasks, [], Names())) == tasks


def test_a_join_inside_a_mapped_group_stays_inside() -> None:
    groups = [PlannedGroup(id="m", label="m", mapped_over="f"), PlannedGroup(id="n", label="n", parent="m")]
    before = ("a", "b", "c")
    tasks = [task("f"), *(task(name, ("f",), "m") for name in before), *(task(name, before, "n") for name in "xyz")]
    join = next(one for one in with_joins(tasks, groups, Names()) if one.kind is TaskKind.JOIN)
    assert join.group == "m"
