from __future__ import annotations

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from tests.flow.simulate import Run, facts_of
from tests.flow.test_flow import LEAF, echo, ended, inputs, plan_of, played

G = '{name: m, value: "{{workflow.outputs.parameters.g}}"}'
SHARES = """
  - name: shares
    inputs: {parameters: [{name: m}]}
    outputs: {parameters: [{name: o, globalName: g, valueFrom: {path: /o}}]}
    container: {image: busybox, command: [echo, "{{inputs.parameters.m}}"]}
"""
NESTED = f"""
  templates:
  - name: main
    steps:
    - - {{name: d, template: outer}}
    - - {{name: after, template: leaf, arguments: {{parameters: [{G}]}}}}
  - name: outer
    dag:
      tasks:
      - {{name: into, template: inner LOOP}}
      - {{name: beside, depends: into, template: leaf, arguments: {{parameters: [{G}]}}}}
  - name: inner
    dag: {{tasks: [{{name: a, template: leaf, arguments: {{parameters: [{{name: m, value: x}}]}}}}]}}
    outputs: {{parameters: [{{name: o, globalName: g, valueFrom: {{parameter: "{{{{tasks.a.outputs.parameters.o}}}}"}}}}]}}
"""


def shared(spec: str) -> object:
    return played(spec).flow.result()["outputs"]["parameters"]


def test_a_dag_in_a_dag_publishes_once_the_outer_one_has_succeeded() -> None:
    run = played(NESTED.replace("LOOP", ""))
    assert inputs(run, "[0].d.beside") == {"m": "{{workflow.outputs.parameters.g}}"}
    assert inputs(run, "[1].after") == {"m": "x"}
    assert run.flow.result()["outputs"]["parameters"] == {"g": "x"}


def test_so_does_a_dag_whose_template_only_the_run_names() -> None:
    library = NESTED[NESTED.index("  - name: inner") :].replace("template: leaf", "templateRef: {name: lib, template: says}")
    head = "---\napiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: lib}\nspec:\n  templates:\n"
    says = SHARES.replace("name: shares", "name: says").replace("globalName: g, ", "")
    plan = plan_of(
        """
  arguments: {parameters: [{name: which, value: inner}]}
  templates:
  - name: main
    dag: {tasks: [{name: into, templateRef: {name: lib, template: "{{workflow.parameters.which}}"}}]}
""",
        leaf=f"{LEAF}{head}{library}{says}",
    )
    run = Run(plan, facts_of(plan, {}), echo)
    run.go()
    assert run.flow.result()["outputs"]["parameters"] == {"g": "x"}


def test_a_dag_that_loops_in_a_dag_publishes_nothing() -> None:
    run = played(NESTED.replace("LOOP", ", withItems: [1, 2]"))
    assert inputs(run, "[1].after") == {"m": "{{workflow.outputs.parameters.g}}"}
    assert run.flow.result()["outputs"]["parameters"] == {}


def test_of_two_values_a_dag_that_has_succeeded_leaves_that_of_its_last_task_as_written() -> None:
    tasks = """
      - {name: late, depends: early, template: shares, arguments: {parameters: [{name: m, value: late}]}}
      - {name: early, template: shares, arguments: {parameters: [{name: m, value: early}]}}
"""
    spec = f"  templates:\n{SHARES}\n  - name: main\n    dag:\n      tasks:{tasks}"
    assert shared(spec) == {"g": "early"}
    fails = "{name: end, depends: late, template: leaf, arguments: {parameters: [{name: m, value: Failed}]}}"
    assert shared(f"{spec}      - {fails}\n") == {"g": "late"}


def test_a_dags_outputs_know_no_global_output() -> None:
    spec = f"""
  templates:
{SHARES}
  - name: main
    KIND
    outputs:
      parameters:
      - {{name: by, valueFrom: {{expression: workflow.outputs.parameters.g, default: none}}}}
      - {{name: tag, valueFrom: {{parameter: "{{{{workflow.outputs.parameters.g}}}}", default: none}}}}
"""
    call = "{name: a, template: shares, arguments: {parameters: [{name: m, value: x}]}}"
    outputs = [
        played(spec.replace("KIND", kind)).flow.nodes()[0]["outputs"]["parameters"]
        for kind in (f"dag: {{tasks: [{call}]}}", f"steps: [[{call}]]")
    ]
    assert outputs == [{"by": "none", "tag": "none"}, {"by": "x", "tag": "none"}]


def test_what_an_attempt_left_stays_where_the_next_leaves_nothing() -> None:
    def once(decision: Decision) -> Attempt:
        given = {"o": "first"} if decision.attempt == 0 else {}
        return ended(Phase.FAILED, parameters=given)

    spec = f"  templates:\n{SHARES.replace('inputs:', 'retryStrategy: {limit: 1}' + chr(10) + '    inputs:')}\n"
    spec += "  - {name: main, steps: [[{name: a, template: shares, arguments: {parameters: [{name: m, value: x}]}}]]}\n"
    run = played(spec, once)
    assert run.flow.result()["outputs"]["parameters"] == {"g": "first"}


def test_a_suspend_publishes_what_a_person_supplied_and_the_rest_once_its_dag_has_succeeded() -> None:
    def resumed(decision: Decision) -> Attempt:
        return ended(parameters={"o": "said" if decision.node.endswith("asks") else "by itself"})

    suspend = """
  templates:
  - {name: asks, suspend: {}, outputs: {parameters: [{name: o, globalName: g, valueFrom: {supplied: {}}}]}}
  - name: sleeps
    suspend: {duration: "1"}
    outputs: {parameters: [{name: o, globalName: h, valueFrom: {supplied: {}, default: by itself}}]}
"""
    steps = "  - {name: main, steps: [[{name: asks, template: asks}, {name: sleeps, template: sleeps}]]}\n"
    dag = "  - {name: main, dag: {tasks: [{name: asks, template: asks}, {name: sleeps, template: sleeps}]}}\n"
    found = [played(suspend + main, resumed).flow.result()["outputs"]["parameters"] for main in (steps, dag)]
    assert found == [{"g": "said"}, {"g": "said", "h": "by itself"}]


CACHED = f"""
  templates:
{SHARES.replace("inputs:", "memoize: {key: k, cache: {configMap: {name: c}}}" + chr(10) + "    inputs:")}
  - name: over
    outputs: {{parameters: [{{name: o, globalName: g, valueFrom: {{path: /o}}}}]}}
    container: {{image: busybox, command: [echo]}}
  - name: main
"""
CALL = "template: shares, arguments: {parameters: [{name: m, value: x}]}"


def test_what_is_found_in_a_cache_is_published_only_by_a_dag() -> None:
    def leaf(decision: Decision) -> Attempt:
        return ended(parameters={"o": "y"}) if decision.node.endswith("over") else echo(decision)

    steps = f"    steps: [[{{name: a, {CALL}}}], [{{name: over, template: over}}], [{{name: b, {CALL}}}]]\n"
    a, over = f"{{name: a, {CALL}}}", "{name: over, depends: a, template: over}"
    dag = f"    dag: {{tasks: [{a}, {over}, {{name: b, depends: over, {CALL}}}]}}\n"
    found = [played(CACHED + main, leaf).flow.result()["outputs"]["parameters"] for main in (steps, dag)]
    assert found == [{"g": "y"}, {"g": "x"}]
