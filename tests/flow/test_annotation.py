"""A display name that is none: the node that bears it is an Error, and what it lies in breaks."""

from __future__ import annotations

import pytest

from tests.flow.simulate import Run
from tests.flow.test_flow import played

RULE = "displayName must match the regex ^[a-zA-Z0-9][a-zA-Z0-9-.]{0,61}[a-zA-Z0-9]$"
NAMED = """
  templates:
  - name: named
    inputs: {parameters: [{name: m}]}
    annotations: {workflows.argoproj.io/display-name: "{{inputs.parameters.m}}"}
    RUNS
"""
POD = "container: {image: busybox, command: [echo]}"
CALL = "template: named, arguments: {parameters: [{name: m, value: two words}]}"
MEMBERS = f"{{name: a, {CALL}}}, {{name: b, template: leaf, hooks: {{exit: {{template: leaf}}}}}}"


def shown(run: Run) -> dict[str, tuple[str, str]]:
    return {node["name"].removeprefix(run.facts.name): (node["type"], node["phase"]) for node in run.flow.nodes()}


@pytest.mark.parametrize(
    ("runs", "kind"),
    [
        pytest.param(POD, "Pod", id="pod"),
        pytest.param(f"retryStrategy: {{limit: 2, retryPolicy: Always}}\n    {POD}", "Retry", id="retried"),
        pytest.param("steps: [[{name: x, template: leaf}]]", "Steps", id="composite"),
    ],
)
def test_it_breaks_its_group_whose_other_members_have_begun_but_come_to_no_hook(runs: str, kind: str) -> None:
    steps = f"  - name: main\n    steps: [[{MEMBERS}], [{{name: c, template: leaf}}]]\n"
    run = played(NAMED.replace("RUNS", runs) + steps)
    assert shown(run) == {
        "": ("Steps", "Failed"),
        "[0]": ("StepGroup", "Error"),
        "[0].a": (kind, "Error"),
        "[0].b": ("Pod", "Succeeded"),
    }
    assert run.flow.verdict().message == RULE


def test_a_task_that_bears_it_is_an_error_that_others_may_wait_for() -> None:
    tasks = f"{MEMBERS}, {{name: c, template: leaf, depends: a.Errored && b}}"
    run = played(f"{NAMED.replace('RUNS', POD)}  - {{name: main, dag: {{tasks: [{tasks}]}}}}\n")
    assert shown(run) == {
        "": ("DAG", "Succeeded"),
        ".a": ("Pod", "Error"),
        ".b": ("Pod", "Succeeded"),
        ".b.onExit": ("Pod", "Succeeded"),
        ".c": ("Pod", "Succeeded"),
    }


@pytest.mark.parametrize("name", ["x", "-ab", "ab.", "a_b", "a" * 64])
def test_what_is_no_name(name: str) -> None:
    call = CALL.replace("two words", f'"{name}"')
    run = played(f"{NAMED.replace('RUNS', POD)}  - {{name: main, steps: [[{{name: a, {call}}}]]}}\n")
    assert shown(run)["[0].a"] == ("Pod", "Error")
    assert next(node["displayName"] for node in run.flow.nodes() if node["name"].endswith(".a")) == "a"
