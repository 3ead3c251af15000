"""What keeps a workflow, or a step of it, from beginning: a semaphore without a limit, claims that cannot be made."""

from __future__ import annotations

import pytest

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.plan.compile import compile_text
from tests.flow.simulate import Run, facts_of
from tests.flow.test_flow import echo

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
"""
LOCKED = """
  - name: locked
    synchronization: {semaphores: [{configMapKeyRef: {name: limits, key: two}}]}
    retryStrategy: {limit: 2}
    container: {image: busybox}
  - name: free
    container: {image: busybox}
"""
STEPS = f"""
  templates:
  - name: main
    steps:
    - [{{name: before, template: free}}, {{name: a, template: locked}}, {{name: behind, template: free}}]
    - [{{name: after, template: free}}]
{LOCKED}"""
DAG = f"""
  templates:
  - name: main
    dag:
      tasks: [{{name: a, template: locked}}, {{name: other, template: free}}, {{name: after, template: free, depends: a}}]
{LOCKED}"""
NO_LIMIT = (
    "failed to initialize semaphore argo/ConfigMap/limits/two with limit: "
    "set two in the ConfigMap limits of namespace argo to a number"
)


def run(text: str, **config_maps: dict[str, str]) -> Run:
    (plan,) = compile_text(WORKFLOW + text)
    made = Run(plan, facts_of(plan), echo, config_maps)
    made.go()
    return made


def nodes(made: Run) -> dict[str, tuple[str, str]]:
    result = made.flow.result()
    return {node["name"].replace(result["name"], "@"): (node["type"], node["phase"]) for node in result["nodes"]}


def test_a_step_whose_semaphore_has_no_limit_breaks_its_group_where_it_stands() -> None:
    made = run(STEPS)
    assert nodes(made) == {
        "@": ("Steps", "Failed"),
        "@[0]": ("StepGroup", "Error"),
        "@[0].before": ("Pod", "Succeeded"),
        "@[0].a": ("Skipped", "Error"),
    }
    assert (made.flow.verdict().phase, made.flow.verdict().message) == (Phase.FAILED, NO_LIMIT)


def test_of_a_loop_only_the_first_turn_finds_that_its_semaphore_has_no_limit() -> None:
    made = run(STEPS.replace("{name: a, template: locked}", "{name: a, template: locked, withItems: [x, y]}"))
    assert [name for name in nodes(made) if ".a" in name] == ["@[0].a(0:x)"]


def test_a_task_whose_semaphore_has_no_limit_is_an_error() -> None:
    assert nodes(run(DAG)) == {
        "@": ("DAG", "Error"),
        "@.a": ("Skipped", "Error"),
        "@.other": ("Pod", "Succeeded"),
        "@.after": ("Skipped", "Omitted"),
    }


@pytest.mark.parametrize("text", [STEPS, DAG], ids=["steps", "dag"])
def test_one_with_a_limit_runs(text: str) -> None:
    assert run(text, limits={"two": "2"}).flow.verdict().phase is Phase.SUCCEEDED


@pytest.mark.parametrize(
    ("field", "phase", "message"),
    [
        pytest.param(
            "synchronization: {semaphores: [{configMapKeyRef: {name: limits, key: two}}]}",
            Phase.FAILED,
            f"Failed to acquire the synchronization lock. {NO_LIMIT}",
            id="semaphore",
        ),
        pytest.param(
            "volumeClaimTemplates: [{metadata: {name: refused}, spec: {}}]",
            Phase.ERROR,
            "pvc create error: no such claim",
            id="claim",
        ),
    ],
)
def test_a_workflow_that_may_not_begin_has_no_nodes(field: str, phase: Phase, message: str) -> None:
    made = run(f"  {field}\n  templates:\n  - name: main\n    container: {{image: busybox}}\n")
    verdict = made.flow.verdict()
    assert (verdict.phase, verdict.message, made.flow.nodes()) == (phase, message, [])
    assert made.outcomes["main", -1].phase is Phase.ABSENT


def test_a_pod_that_could_not_be_made_breaks_its_group_and_is_not_hooked_whatever_continue_on_says() -> None:
    hooks = "hooks: {exit: {template: free}, wrong: {template: free, expression: steps.a.status == 'Error'}}"
    text = STEPS.replace("{name: a, template: locked}", f"{{name: a, template: free, continueOn: {{error: true}}, {hooks}}}")
    (plan,) = compile_text(WORKFLOW + text)

    def leaf(decision: Decision) -> Attempt:
        refused = decision.node.endswith(".a")
        return Attempt(phase=Phase.ERROR, message="forbidden", unmade=True) if refused else echo(decision)

    made = Run(plan, facts_of(plan), leaf)
    made.go()
    assert nodes(made) == {
        "@": ("Steps", "Failed"),
        "@[0]": ("StepGroup", "Error"),
        "@[0].before": ("Pod", "Succeeded"),
        "@[0].a": ("Pod", "Error"),
        "@[0].behind": ("Pod", "Succeeded"),
    }
