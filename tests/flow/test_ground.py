"""What tasks of a run find alike is worked out once; what outcomes say, by each for itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.engine import Engine
from argo_yaml_provider.flow.flow import Flow
from argo_yaml_provider.flow.ground import Ground, ground_of
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.plan.compile import compile_text
from argo_yaml_provider.plan.nodes import Plan
from tests.flow.simulate import facts_of

SHELL = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: wf-}
spec:
  entrypoint: main
  arguments: {parameters: [ARGUMENTS]}
  templates:
  - name: take
    inputs: {parameters: [{name: p}]}
    container: {image: busybox, command: [echo, "{{inputs.parameters.p}}"]}
"""
DAG = """
  - name: main
    inputs: {parameters: [{name: whose, value: "{{workflow.name}}"}]}
    dag:
      tasks:
      - {name: a, template: give}
      - name: b
        depends: a
        template: take
        arguments: {parameters: [{name: p, value: "{{inputs.parameters.whose}} {{tasks.a.outputs.result}}"}]}
      - {name: c, template: take, arguments: {parameters: [{name: p, value: "{{inputs.parameters.whose}}"}]}}
  - name: give
    container: {image: busybox, command: [date]}
"""
LOOP = """
  - name: main
    inputs: {parameters: [{name: items, value: "[1, 2, 3]"}]}
    dag:
      tasks:
      - name: a
        template: take
        withParam: "{{inputs.parameters.items}}"
        arguments: {parameters: [{name: p, value: "{{item}}"}]}
"""
FROM_MAP = "{name: from-map, valueFrom: {configMapKeyRef: {name: map, key: key}}}"


class Told:
    """What one task was told: of `a`, and of the ConfigMap."""

    def __init__(self, result: str, value: str = "") -> None:
        self.result, self.value, self.asked = result, value, 0

    def outcome(self, task_id: str, map_index: int) -> Outcome | None:  # noqa: ARG002 - the protocol's signature
        times = {"started_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:00:01Z"}
        return Outcome(phase=Phase.SUCCEEDED, attempts=(Attempt(phase=Phase.SUCCEEDED, result=self.result, **times),))

    def config_map(self, name: str, key: str) -> str | None:  # noqa: ARG002 - the protocol's signature
        self.asked += 1
        return self.value


def plan_of(templates: str, *, arguments: str = "") -> Plan:
    (plan,) = compile_text(SHELL.replace("ARGUMENTS", arguments) + templates, file="wf.yaml")
    return plan


def flow_on(ground: Ground, told: Told) -> Flow:
    """As a task of the run has it for itself."""
    return Flow(ground.plan, ground.facts, told, ground=ground)  # type: ignore[arg-type]


def command(ground: Ground, told: Told, task: str, map_index: int = -1) -> list[str]:
    """What the task runs, as a flow of its own says."""
    return list(flow_on(ground, told).decide(task, map_index).template["container"]["command"])


def test_a_dag_is_filled_in_once_for_all_its_tasks() -> None:
    plan = plan_of(DAG)
    ground = Ground(plan=plan, facts=facts_of(plan))
    name = ground.facts.name
    assert command(ground, Told("x"), "c") == ["echo", name]
    frame = ground.known["frame", (plan.root.id, -1)]
    assert command(ground, Told("x"), "b") == ["echo", f"{name} x"]
    assert ground.known["frame", (plan.root.id, -1)] is frame


def test_what_an_outcome_says_is_asked_by_each_task_anew() -> None:
    """As after a step was cleared and gave something else."""
    plan = plan_of(DAG)
    ground = Ground(plan=plan, facts=facts_of(plan))
    name = ground.facts.name
    assert [command(ground, Told(result), "b") for result in ("x", "y")] == [["echo", f"{name} x"], ["echo", f"{name} y"]]
    assert not any(key[0] in ("resolved", "turns") for key in ground.known if isinstance(key, tuple))


def test_what_a_config_map_says_is_asked_by_each_task_anew() -> None:
    plan = plan_of(DAG.replace("{{workflow.name}}", "{{workflow.parameters.from-map}}"), arguments=FROM_MAP)
    ground = Ground(plan=plan, facts=facts_of(plan))
    told = [Told("x", value) for value in ("one", "two")]
    assert [command(ground, one, "c") for one in told] == [["echo", "one"], ["echo", "two"]]
    assert {key if isinstance(key, str) else key[0] for key in ground.known} == {"captured", "includes"}


def test_an_error_is_told_to_each_task_and_not_kept() -> None:
    plan = plan_of(DAG)
    ground = Ground(plan=plan, facts=facts_of(plan))

    def fail() -> None:
        raise ExprError("no")

    for _ in range(2):
        engine = Engine(ground, Told("x"))  # type: ignore[arg-type]
        with pytest.raises(ExprError, match="no"):
            engine.share("wrong", fail)
    assert ground.known == {}


def test_turns_of_a_loop_leave_nothing() -> None:
    plan = plan_of(LOOP)
    ground = Ground(plan=plan, facts=facts_of(plan))
    assert command(ground, Told("x"), "a", 0) == ["echo", "1"]
    known = set(ground.known)
    assert [flow_on(ground, Told("x")).turn("a", index) for index in (1, 2)] == ["(1:2)", "(2:3)"]
    assert set(ground.known) == known


@pytest.mark.parametrize("change", ["facts", "plan"])
def test_a_run_has_one_ground_until_it_is_another_run(change: str) -> None:
    plan = plan_of(DAG)
    facts = facts_of(plan)
    ground = ground_of(plan, facts)
    assert ground_of(plan, replace(facts)) is ground
    other = (plan_of(DAG), facts) if change == "plan" else (plan, replace(facts, shutdown="Stop"))
    assert ground_of(*other) is not ground
