from __future__ import annotations

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from tests.flow.test_flow import echo, ended, inputs, phases, played

OF_INPUTS = """
  arguments: {parameters: [{name: want, value: Succeeded}]}
  templates:
  - name: main
    inputs: {parameters: [{name: want}]}
    dag:
      tasks:
      - name: a
        template: leaf
        hooks:
          mine: {template: leaf, expression: "tasks.a.status == '{{inputs.parameters.want}}'"}
          other: {template: leaf, expression: "tasks.a.status == 'Not{{inputs.parameters.want}}'"}
          exit:
            template: leaf
            expression: "'{{workflow.parameters.want}}' == 'Succeeded'"
            arguments: {parameters: [{name: m, value: "{{inputs.parameters.want}} {{tasks.a.status}}"}]}
"""


def test_tags_in_a_hook_are_replaced_before_its_expression_is_read() -> None:
    run = played(OF_INPUTS)
    assert phases(run) == {".a": "Succeeded", ".a.hooks.mine": "Succeeded", ".a.onExit": "Succeeded"}
    assert inputs(run, ".a.onExit") == {"m": "Succeeded Succeeded"}


LOOPED = """
  templates:
  - name: main
    steps:
    - - name: a
        template: leaf
        withItems: [x, "y"]
        hooks: {exit: {template: leaf, arguments: {parameters: [{name: m, value: "end of {{item}}"}]}}}
"""


def test_an_exit_handler_of_a_looping_step_is_told_the_item() -> None:
    run = played(LOOPED)
    assert inputs(run, "[0].a(0:x).onExit") == {"m": "end of x"}
    assert inputs(run, "[0].a(1:y).onExit") == {"m": "end of y"}


SKIPPED = """
  templates:
  - name: main
    steps:
    - - {name: a, template: leaf, when: "false", hooks: {h: {template: leaf, expression: "steps.a.status == 'Skipped'"}}}
    - - {name: b, template: tasks}
  - name: tasks
    dag:
      tasks:
      - {name: a, template: leaf, when: "false", hooks: {h: {template: leaf, expression: "tasks.a.status == 'Skipped'"}}}
"""


def test_only_a_dag_hooks_what_was_skipped() -> None:
    assert phases(played(SKIPPED)) == {"[0].a": "Skipped", "[1].b.a": "Skipped", "[1].b.a.hooks.h": "Succeeded"}


WRONG = """
  templates:
  - name: main
    dag:
      tasks:
      - {{name: a, template: leaf, withParam: nope, hooks: {{exit: {{template: leaf}}}}}}
      - {{name: b, template: leaf, depends: a.{result}}}
"""


def test_the_exit_handler_of_a_task_that_could_not_begin_comes_too_late_where_the_dag_is_over() -> None:
    assert phases(played(WRONG.format(result="Succeeded"))) == {".a": "Error", ".b": "Omitted"}
    assert phases(played(WRONG.format(result="Errored"))) == {".a": "Error", ".a.onExit": "Succeeded", ".b": "Succeeded"}


OF_WORKFLOW = """
  arguments: {parameters: [{name: want, value: Succeeded}]}
  hooks:
    end:
      template: leaf
      expression: "workflow.status == '{{workflow.parameters.want}}'"
      arguments: {parameters: [{name: m, value: "{{workflow.parameters.want}} {{workflow.status}}"}]}
  templates:
  - name: main
    steps: [[{name: a, template: leaf}]]
"""


def test_tags_in_a_hook_of_the_workflow_are_replaced_too() -> None:
    assert inputs(played(OF_WORKFLOW), ".hooks.end") == {"m": "Succeeded Succeeded"}


RETRIED = """
  templates:
  - name: main
    steps: [[{{name: a, template: tasks, continueOn: {{failed: true, error: true}}}}]]
  - name: tasks
    dag:
      tasks:
      - name: a
        template: again
        hooks: {{exit: {{template: leaf, arguments: {{parameters: [{{name: m, value: {exit}}}]}}}}}}
      - {{name: b, template: leaf, depends: a.{result}}}
  - name: again
    retryStrategy: {{limit: 0}}
    container: {{image: busybox, command: [{how}]}}
"""


def dag_phase(**words: str) -> str:
    def leaf(decision: Decision) -> Attempt:
        command = (decision.template.get("container") or {}).get("command")
        return ended(Phase.FAILED) if command == ["fail"] else echo(decision)

    run = played(RETRIED.format(**words), leaf)
    return next(str(n["phase"]) for n in run.flow.nodes() if n["name"] == f"{run.facts.name}[0].a")


def test_what_was_omitted_after_a_retried_task_takes_its_phase_from_the_exit_handler() -> None:
    assert dag_phase(how="fail", exit="fine", result="Succeeded") == "Succeeded"
    assert dag_phase(how="work", exit="Failed", result="Failed") == "Failed"


GROUP = """
  arguments: {{parameters: [{{name: words, value: a b}}]}}
  onExit: leaf
  templates:
  - name: main
    steps:
    - - {{name: first, template: leaf, hooks: {{exit: {{template: leaf}}}}}}
      - {breaks}
      - name: last
        template: leaf
        hooks: {{exit: {{template: leaf}}, runs: {{template: leaf, expression: "steps.last.status == 'Running'"}}}}
"""
BY_ITEM = '{name: breaks, template: leaf, when: "{{item}} == x", withItems: [x, "{{workflow.parameters.words}}", x]}'
BY_HOOK = "{name: breaks, template: leaf, hooks: {exit: {template: leaf}, h: {template: leaf, expression: nope.x == 'y'}}}"


def test_a_group_that_breaks_as_it_begins_has_no_hooks() -> None:
    run = played(GROUP.format(breaks=BY_ITEM))
    assert phases(run) == {
        "[0].first": "Succeeded",
        "[0].breaks(0:x)": "Succeeded",
        "[0].breaks(1:a b)": "Error",
        ".onExit": "Succeeded",
    }


def test_a_hook_that_is_wrong_from_the_start_leaves_no_other_to_its_group() -> None:
    run = played(GROUP.format(breaks=BY_HOOK))
    ran = {"[0].first": "Succeeded", "[0].breaks": "Succeeded", "[0].last": "Succeeded", ".onExit": "Succeeded"}
    assert phases(run) == ran
    assert run.flow.verdict().phase is Phase.FAILED


OF_TASKS = """
  onExit: leaf
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: leaf, hooks: {h: {template: leaf, expression: "nope.x == 'y'"}, exit: {template: leaf}}}
"""
AFTER = "      - {name: b, depends: a.Errored, template: leaf}\n"


def test_a_wrong_hook_of_a_task_leaves_out_its_exit_handler_and_that_of_a_target_breaks_the_dag() -> None:
    target = played(OF_TASKS)
    assert phases(target) == {".a": "Error"}
    wrong = "wf-x7k2p.a.hooks.h: unknown name nope; known here: tasks, workflow"
    assert target.flow.verdict().message == f"error in entry template execution: {wrong}"
    before = played(OF_TASKS + AFTER)
    assert phases(before) == {".a": "Error", ".b": "Succeeded", ".onExit": "Succeeded"}


def test_a_wrong_hook_of_the_workflow_is_its_error_once_all_has_run() -> None:
    wrong = "workflow.status == '{{workflow.parameters.want}}'"
    run = played(OF_WORKFLOW.replace(wrong, "nope.x == 'y'").replace("  hooks:", "  onExit: leaf\n  hooks:", 1))
    assert phases(run) == {"[0].a": "Succeeded", ".onExit": "Succeeded"}
    verdict = run.flow.verdict()
    assert (verdict.phase, verdict.message) == (Phase.ERROR, "wf-x7k2p.hooks.end: unknown name nope; known here: workflow")


EXITS = """
  onExit: bye
  templates:
  - name: main
    steps: [[{name: a, template: leaf, arguments: {parameters: [{name: m, value: Failed}]}}]]
  - name: bye
    steps: [[{name: b, template: leaf}]]
    outputs: {parameters: [{name: o, valueFrom: {expression: steps.b.outputs.result.x}}]}
"""


def test_an_exit_handler_that_breaks_makes_even_a_failed_workflow_an_error() -> None:
    verdict = played(EXITS).flow.verdict()
    assert verdict.phase is Phase.ERROR
    assert verdict.message == "error in exit template execution : invalid operation: int(string)"
