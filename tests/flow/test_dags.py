from __future__ import annotations

import pytest

from tests.flow.test_flow import phases, played

ENDLESS = """
  templates:
  - name: main
    dag:
      {fail_fast}
      tasks:
      - {{name: bad, template: leaf, arguments: {{parameters: [{{name: m, value: Failed}}]}}}}
      - {{name: loop, template: leaf, withItems: [Failed], arguments: {{parameters: [{{name: m, value: "{{{{item}}}}"}}]}}}}
      - name: use
        depends: loop.AllFailed
        template: none
        arguments: {{parameters: [{{name: m, value: "{{{{tasks.loop.outputs.parameters.o}}}}"}}]}}
      - {{name: after, depends: use.Errored, template: leaf}}
  - name: none
    inputs: {{parameters: [{{name: m}}]}}
    container: {{image: busybox, command: [echo]}}
"""


def test_a_task_that_argo_would_wait_for_is_not_there_where_the_dag_ends_without_it() -> None:
    run = played(ENDLESS.format(fail_fast="failFast: true"))
    assert phases(run) == {".bad": "Failed", ".loop(0:Failed)": "Failed"}
    assert run.flow.verdict().phase == "Failed"


def test_a_task_that_argo_would_wait_for_for_ever_is_an_error_that_nothing_follows() -> None:
    run = played(ENDLESS.format(fail_fast="failFast: false"))
    assert phases(run) == {".bad": "Failed", ".loop(0:Failed)": "Failed", ".use": "Error"}
    assert run.flow.verdict().phase == "Error"


TARGET = """
  arguments: {parameters: [{name: t, value: a}]}
  templates:
  - name: main
    dag: {target: "{{workflow.parameters.t}}", tasks: [{name: a, template: leaf}, {name: b, template: leaf}]}
"""


def test_a_target_that_is_no_task_breaks_the_dag() -> None:
    assert phases(played(TARGET)) == {".a": "Succeeded"}
    verdict = played(TARGET, t="zz").flow.verdict()
    assert (verdict.phase, verdict.message) == ("Error", "error in entry template execution: target 'zz' is not defined")


DYNAMIC = """
  arguments: {parameters: [{name: t, value: leaf}]}
  templates:
  - name: other
    container: {image: busybox, command: [echo]}
  - name: main
    dag:
      tasks:
      - {name: a, template: "{{workflow.parameters.t}}", hooks: {exit: {template: "{{workflow.parameters.t}}"}}}
      - {name: b, template: "{{workflow.parameters.t}}", depends: a, withItems: [1, 2]}
"""


def test_a_template_may_be_named_by_a_parameter_of_the_workflow() -> None:
    assert phases(played(DYNAMIC)) == {
        ".a": "Succeeded", ".a.onExit": "Succeeded", ".b(0:1)": "Succeeded", ".b(1:2)": "Succeeded"
    }  # fmt: skip
    verdict = played(DYNAMIC, t="nowhere").flow.verdict()
    assert (verdict.phase, phases(played(DYNAMIC, t="nowhere"))) == ("Error", {".a": "Error", ".b": "Omitted"})


RETRY = """
  templates:
  - name: main
    steps:
    - - {name: a, template: again, continueOn: {error: true, failed: true}}
    - - {name: b, template: leaf}
  - name: again
    inputs: {parameters: [{name: m, value: Failed}]}
    retryStrategy: {limit: 1, expression: workflow.name == 'x'}
    container: {image: busybox, command: [echo]}
"""


def test_a_retry_expression_that_is_wrong_breaks_the_group_whatever_continue_on_says() -> None:
    assert phases(played(RETRY)) == {"[0].a": "Error", "[0].a(0)": "Failed"}


NO_GROUP = """
  templates:
  - name: main
    steps: []
"""


def test_steps_without_a_group_are_no_template() -> None:
    run = played(NO_GROUP)
    assert phases(run) == {"": "Error"}
    assert run.flow.verdict().message == "error in entry template execution: Template 'main' missing specification"


GLOBAL = """
  templates:
  - name: main
    {retry}
    dag: {{tasks: [{{name: a, template: leaf, arguments: {{parameters: [{{name: m, value: x}}]}}}}]}}
    outputs: {{parameters: [{{name: o, globalName: g, valueFrom: {{parameter: "{{{{tasks.a.outputs.parameters.o}}}}"}}}}]}}
"""


@pytest.mark.parametrize("retry", ["", "retryStrategy: {limit: 1}"], ids=["once", "retried"])
def test_a_dag_publishes_nothing_unless_it_lies_in_another(retry: str) -> None:
    run = played(GLOBAL.format(retry=retry))
    assert run.flow.verdict().values["outputs"] == {"parameters": {}, "artifacts": []}


TAGGED = """
  arguments: {parameters: [{name: after, value: a}]}
  templates:
  - name: main
    inputs: {parameters: [{name: after}]}
    dag:
      tasks:
      - {name: c, template: leaf, depends: "{{workflow.parameters.after}}.Succeeded"}
      - {name: d, template: leaf, depends: "{{inputs.parameters.after}} && c"}
      - {name: a, template: leaf}
      - {name: b, template: leaf, depends: c}
      - {name: e, template: leaf}
"""


def test_depends_may_hold_tags_whose_values_the_file_gives() -> None:
    run = played(TAGGED)
    assert run.tree.before("d") == {"a", "c"}
    phases = {node["name"].rpartition(".")[2]: node["phase"] for node in run.flow.nodes()[1:]}
    assert phases == dict.fromkeys("abcde", "Succeeded")


def test_a_run_whose_values_name_other_tasks_says_so() -> None:
    nodes = {node["name"].rpartition(".")[2]: node for node in played(TAGGED, after="e").flow.nodes()}
    message = "it waits for e by this run's values, but not by those of the file, which tasks are ordered by"
    assert [(nodes[name]["phase"], nodes[name]["message"]) for name in "cd"] == [("Error", message)] * 2
    round_about = played(TAGGED, after="b").flow.nodes()
    assert [(node["phase"], node["message"]) for node in round_about] == [("Error", "task b waits for itself")]
