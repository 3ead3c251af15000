from __future__ import annotations

from pathlib import Path

import pytest

from argo_yaml_provider.plan.compile import compile_file, compile_text
from argo_yaml_provider.plan.nodes import Plan, PlannedTask
from argo_yaml_provider.plan.render import render_plan
from argo_yaml_provider.plan.serialize import dumps, loads
from tests.conftest import Golden

GOLDEN = Path(__file__).parent.parent / "golden" / "plans"
FILES = sorted(GOLDEN.glob("*.yaml"))


def described(plan: Plan, name: str = "") -> list[str]:
    """Every group and task of a plan and its children, one a line."""
    lines = [f"# {name or plan.name}"]
    lines += [
        f"group {group.id} in {group.parent or '-'}" + (f" for each of {group.mapped_over}" if group.mapped_over else "")
        for group in plan.groups
    ]
    lines += [described_task(task) for task in plan.tasks]
    for key, child in plan.children.items():
        lines += described(child, f"child {key}")
    return lines


def described_task(task: PlannedTask) -> str:
    parts = [
        f"{task.kind} {task.id}",
        f"in {task.group or '-'}",
        f"for each of {task.mapped_over}" if task.mapped_over else "",
        f"{task.parallelism} at a time" if task.parallelism else "",
        "retried" if task.retries else "",
        f"after {', '.join(task.upstream)}" if task.upstream else "",
    ]
    return " ".join(part for part in parts if part)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_builds_the_plan(path: Path, golden: Golden) -> None:
    plan = compile_file(path, shown_as=path.name)[0]
    golden.check(path.with_suffix(".plan"), "\n".join([render_plan(plan), "", *described(plan)]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_plan_survives_its_text_and_the_text_is_stable(path: Path) -> None:
    plan = compile_file(path, shown_as=path.name)[0]
    text = dumps(plan)
    assert loads(text) == plan
    assert dumps(loads(text)) == text


def test_every_task_comes_after_its_upstreams_and_has_an_id_of_its_own() -> None:
    for path in FILES:
        for plan in (root := compile_file(path)[0], *root.children.values()):
            seen: set[str] = set()
            for task in plan.tasks:
                assert task.id not in seen
                assert seen.issuperset(task.upstream)
                seen.add(task.id)
            assert not seen & {group.id for group in plan.groups}


def test_a_single_plain_leaf_needs_no_verdict() -> None:
    plan = compile_text(
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: hello}\n"
        "spec: {entrypoint: main, templates: [{name: main, container: {image: busybox, command: [echo]}}]}\n"
    )[0]
    assert [task.id for task in plan.tasks] == ["main"]
