from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any

from argo_yaml_provider.status import Branch, LiveTree, PlainLines, build_tree, describe, render_outputs

Json = dict[str, Any]


def node(name: str, kind: str = "Pod", phase: str = "Succeeded", **more: Any) -> Json:
    return {"name": name, "type": kind, "phase": phase, **more}


NODES = [
    node("wf", "Steps"),
    node("wf[0]", "StepGroup"),
    node("wf[0].make", "Retry"),
    node("wf[0].make(0)", phase="Failed", message="exit code 1"),
    node("wf[0].make(1)"),
    node("wf[1]", "StepGroup"),
    node("wf[1].each", "TaskGroup"),
    node("wf[1].each(0:a.b(c))"),
    node("wf[1].inner", "DAG"),
    node("wf[1].inner.one"),
    node("wf.onExit"),
]


def outline(branches: list[Branch]) -> list[Any]:
    return [[branch.label, outline(branch.below)] if branch.below else branch.label for branch in branches]


def test_nodes_lie_in_each_other_by_their_names_and_step_groups_are_left_out() -> None:
    assert outline(build_tree(NODES)) == [
        ["wf", [["make", ["(0)", "(1)"]], ["each", ["(0:a.b(c))"]], ["inner", ["one"]], "onExit"]]
    ]


def test_nodes_of_one_parent_stand_in_the_order_they_began() -> None:
    nodes = [
        node("wf", "DAG"),
        node("wf.late", startedAt="2026-01-01T00:00:09Z"),
        node("wf.early", startedAt="2026-01-01T00:00:01Z"),
    ]
    assert outline(build_tree(nodes)) == [["wf", ["early", "late"]]]


def test_a_running_node_tells_how_long_it_has_been_running() -> None:
    now = datetime(2026, 1, 1, 0, 2, 5, tzinfo=UTC)
    assert describe(node("wf", phase="Running", startedAt="2026-01-01T00:00:00Z"), now) == "2m05s"


def test_a_finished_node_tells_its_time_and_message() -> None:
    done = node(
        "wf", phase="Failed", startedAt="2026-01-01T00:00:00Z", finishedAt="2026-01-01T01:01:00Z", message="exit code 1"
    )
    assert describe(done) == "1h01m  exit code 1"


def test_a_skipped_node_took_no_time() -> None:
    assert describe(node("wf", phase="Skipped", startedAt="2026-01-01T00:00:00Z", finishedAt="2026-01-01T00:00:00Z")) == ""


def test_outputs_are_told_by_name_and_a_long_value_is_cut() -> None:
    outputs = {"parameters": {"b": "x" * 3000, "a": None}, "artifacts": ["model"]}
    assert render_outputs({"outputs": outputs}) == [
        "outputs:",
        "  a = (not produced)",
        f"  b = {'x' * 2000}… (3000 characters)",
        "  model (artifact)",
    ]


def test_no_outputs_are_no_lines() -> None:
    assert render_outputs({"outputs": {"parameters": {}}}) == []


def test_where_there_is_no_terminal_each_change_is_one_line_and_told_once() -> None:
    lines: list[str] = []
    with PlainLines(lines.append) as view:
        view.show([{"nodes": [node("wf", "Steps", "Running"), node("wf[0]", "StepGroup"), node("wf[0].a", phase="Pending")]}])
        view.show([{"nodes": [node("wf", "Steps", "Running"), node("wf[0].a", phase="Failed", message="exit code 1")]}])
        view.show([{"nodes": [node("wf", "Steps", "Failed")]}])
    assert [line.split(maxsplit=1)[1] for line in lines] == ["Running   wf", "Failed    wf[0].a  exit code 1", "Failed    wf"]


def test_a_terminal_shows_the_last_tree_when_all_is_over() -> None:
    from rich.console import Console

    stream = StringIO()
    with LiveTree(Console(file=stream, width=60, force_terminal=False)) as view:
        view.show([{"nodes": NODES}])
    assert stream.getvalue().splitlines() == [
        "✔ wf  ",
        "├── ✔ make  ",
        "│   ├── ✖ (0)  exit code 1",
        "│   └── ✔ (1)  ",
        "├── ✔ each  ",
        "│   └── ✔ (0:a.b(c))  ",
        "├── ✔ inner  ",
        "│   └── ✔ one  ",
        "└── ✔ onExit  ",
    ]
