"""As Argo begins a workflow, `workflow.status` is nothing; it is Running for all that comes after something took time."""

from __future__ import annotations

from argo_yaml_provider.flow.outcome import Phase
from tests.flow.test_flow import ended, inputs, played

CALL = 'template: leaf, arguments: {parameters: [{name: m, value: "[{{workflow.status}}]"}]}'
SPEC = f"""
  templates:
  - name: main
    steps:
    - - {{name: a, {CALL}}}
      - {{name: d, template: dag}}
      - {{name: r, template: tries}}
      - {{name: when, {CALL}, when: "'{{{{workflow.status}}}}' == ''"}}
    - - {{name: b, {CALL}}}
      - {{name: d2, template: dag}}
      - {{name: when2, {CALL}, when: "'{{{{workflow.status}}}}' == ''"}}
  - name: dag
    dag:
      tasks:
      - {{name: skipped, when: "false", {CALL}}}
      - {{name: at-once, depends: skipped, {CALL}}}
      - {{name: later, depends: at-once, {CALL}}}
  - name: tries
    retryStrategy: {{limit: 1}}
    steps: [[{{name: x, {CALL}}}], [{{name: z, {CALL}}}]]
"""


def test_only_what_begins_at_once_knows_no_status() -> None:
    run = played(SPEC)
    wanted = {
        "[0].a": "[]",
        "[0].d.at-once": "[]",
        "[0].d.later": "[Running]",
        "[0].r(0)[0].x": "[]",
        "[0].r(0)[1].z": "[Running]",
        "[0].when": "[]",
        "[1].b": "[Running]",
        "[1].d2.at-once": "[Running]",
    }
    assert {name: inputs(run, name)["m"] for name in wanted} == wanted
    phases = {node["name"].removeprefix(run.facts.name): node["phase"] for node in run.flow.nodes()}
    assert phases["[1].when2"] == "Skipped"


def test_a_template_of_its_own_and_a_workflow_that_was_suspended() -> None:
    own = """
  templates:
  - name: main
    steps: [[{name: a, template: own}], [{name: b, template: own}]]
  - name: own
    inputs: {parameters: [{name: m, value: "[{{workflow.status}}]"}]}
    container: {image: busybox, command: [echo, "{{inputs.parameters.m}}"]}
"""
    runs = played(own), played(f"  suspend: true{own}")
    said = [[inputs(run, name)["m"] for name in ("[0].a", "[1].b")] for run in runs]
    assert said == [["[]", "[Running]"], ["[Running]", "[Running]"]]


def test_an_attempt_after_the_first_begins_when_the_workflow_runs() -> None:
    inner = CALL.replace("template: leaf", "template: fails")
    spec = f"""
  templates:
  - name: main
    dag: {{tasks: [{{name: a, template: tries}}]}}
  - name: tries
    retryStrategy: {{limit: 1}}
    steps: [[{{name: x, {inner}}}]]
  - name: fails
    inputs: {{parameters: [{{name: m}}]}}
    container: {{image: busybox, command: [echo]}}
"""
    run = played(spec, lambda _: ended(Phase.FAILED))
    assert [inputs(run, f".a({number})[0].x")["m"] for number in (0, 1)] == ["[]", "[Running]"]
