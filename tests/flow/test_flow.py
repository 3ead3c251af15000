from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.flow import Flow
from argo_yaml_provider.flow.outcome import Attempt, Outcome, Phase
from argo_yaml_provider.plan.compile import compile_text
from argo_yaml_provider.plan.nodes import Plan
from tests.flow.simulate import TIME, Run, facts_of

LEAF = """
  - name: leaf
    inputs: {parameters: [{name: m, default: ''}]}
    outputs: {parameters: [{name: o, valueFrom: {path: /o}}]}
    container: {image: busybox, command: [echo, "{{inputs.parameters.m}}"]}
"""


def plan_of(spec: str, *, leaf: str = LEAF) -> Plan:
    head = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: wf}\nspec:\n  entrypoint: main\n"
    return compile_text(f"{head}{spec}{leaf}")[0]


def ended(phase: Phase = Phase.SUCCEEDED, **more: Any) -> Attempt:
    return Attempt(phase=phase, exit_code="0" if phase is Phase.SUCCEEDED else "1", started_at=TIME, finished_at=TIME, **more)


def echo(decision: Decision) -> Attempt:
    """Gives its input on; fails if told so."""
    given = {p["name"]: p["value"] for p in (decision.template.get("inputs") or {}).get("parameters") or ()}
    message = given.get("m", "")
    if message in ("Failed", "Error"):
        return ended(Phase(message))
    return ended(parameters={"o": message}, result=message if decision.include_result else None)


def played(spec: str, leaf: Callable[[Decision], Attempt] = echo, **parameters: str) -> Run:
    plan = plan_of(spec)
    run = Run(plan, facts_of(plan, parameters), leaf)
    run.go()
    return run


def phases(run: Run) -> dict[str, str]:
    """Every pod and skipped node, without the workflow's name."""
    shown = ("Pod", "Skipped", "Retry")
    return {n["name"].removeprefix(run.facts.name): n["phase"] for n in run.flow.nodes() if n["type"] in shown}


def inputs(run: Run, node: str) -> dict[str, str]:
    found: dict[str, str] = next(n["inputs"]["parameters"] for n in run.flow.nodes() if n["name"] == run.facts.name + node)
    return found


HOOKS = """
  hooks:
    started: {expression: workflow.status == "Running", template: leaf, arguments: {parameters: [{name: m, value: wf}]}}
  onExit: bye
  templates:
  - name: bye
    steps:
    - - name: say
        template: leaf
        arguments: {parameters: [{name: m, value: "{{workflow.status}} {{workflow.failures}}"}]}
  - name: main
    steps:
    - - name: a
        template: leaf
        continueOn: {failed: true}
        arguments: {parameters: [{name: m, value: HOW}]}
        hooks:
          running: {expression: steps.a.status == "Running", template: leaf}
          failed: {expression: steps.a.status == "Failed", template: leaf}
          exit: {template: leaf, arguments: {parameters: [{name: m, value: "{{steps.a.outputs.parameters.o}}!"}]}}
"""


def test_hooks_start_at_their_moment_and_the_exit_handler_knows_the_end() -> None:
    run = played(HOOKS.replace("HOW", "x"))
    assert phases(run) == {
        "[0].a": "Succeeded",
        "[0].a.hooks.running": "Succeeded",
        "[0].a.onExit": "Succeeded",
        ".hooks.started": "Succeeded",
        ".onExit[0].say": "Succeeded",
    }
    assert inputs(run, "[0].a.onExit") == {"m": "x!"}
    assert inputs(run, ".onExit[0].say") == {"m": 'Succeeded "null"'}


def test_a_failure_reaches_hooks_and_exit_handler_though_the_step_is_overlooked() -> None:
    run = played(HOOKS.replace("HOW", "Failed"))
    assert run.flow.verdict().phase is Phase.SUCCEEDED
    assert phases(run)["[0].a.hooks.failed"] == "Succeeded"
    message = inputs(run, ".onExit[0].say")["m"]
    failures = json.loads(json.loads(message.removeprefix("Succeeded ")))
    assert [(one["displayName"], one["phase"]) for one in failures] == [("a", "Failed")]


@pytest.mark.parametrize("items", [pytest.param("[x, z]", id="written-out"), pytest.param("", id="known-at-run-time")])
def test_a_dags_loop_has_hooks_as_a_whole_and_exit_handlers_for_each_turn(items: str) -> None:
    loop = f"withItems: {items}" if items else 'withParam: "{{workflow.parameters.p}}"'
    spec = f"""
  arguments: {{parameters: [{{name: p, value: '["x","z"]'}}]}}
  templates:
  - name: main
    dag:
      tasks:
      - name: a
        template: leaf
        {loop}
        hooks:
          exit: {{template: leaf}}
          ok: {{template: leaf, expression: tasks.a.status == "Succeeded"}}
          run: {{template: leaf, expression: tasks.a.status == "Running"}}
          bad: {{template: leaf, expression: tasks.a.status == "Failed"}}
      - {{name: b, depends: a, template: leaf}}
"""
    ran = [".a(0:x)", ".a(1:z)", ".a(0:x).onExit", ".a(1:z).onExit", ".a.hooks.ok", ".a.hooks.run", ".a.onExit", ".b"]
    assert phases(played(spec)) == dict.fromkeys(sorted(ran), "Succeeded")


def test_a_hook_sees_its_moment_and_the_exit_handler_what_hooks_came_to() -> None:
    spec = """
  onExit: bye
  hooks:
    run: {expression: workflow.status == "Running", template: leaf, arguments: {parameters: [{name: m, value: "SEEN"}]}}
    bad: {expression: workflow.status == "Succeeded", template: leaf, arguments: {parameters: [{name: m, value: Failed}]}}
  templates:
  - name: main
    steps: [[{name: a, template: leaf}]]
  - name: bye
    steps: [[{name: b, template: leaf, arguments: {parameters: [{name: m, value: "COUNT"}]}}]]
"""
    seen, count = "{{workflow.status}}", "{{=workflow.failures contains 'hooks.bad'}} {{workflow.status}}"
    run = played(spec.replace("SEEN", seen).replace("COUNT", count))
    assert inputs(run, ".hooks.run") == {"m": "Running"}
    assert inputs(run, ".onExit[0].b") == {"m": "true Succeeded"}


def test_a_failed_exit_handler_fails_a_workflow_that_succeeded() -> None:
    run = played(
        "  onExit: bye\n  templates:\n  - {name: main, steps: [[{name: a, template: leaf}]]}\n"
        "  - {name: bye, steps: [[{name: b, template: leaf, arguments: {parameters: [{name: m, value: Failed}]}}]]}\n"
    )
    assert run.flow.verdict().phase is Phase.FAILED


GLOBAL = """
  templates:
  - name: gives
    outputs: {parameters: [{name: o, globalName: shared, valueFrom: {path: /o}}]}
    container: {image: busybox, command: [echo]}
  - name: main
    steps:
    - - {name: a, template: gives}
      - {name: beside, template: leaf, arguments: {parameters: [{name: m, value: "{{workflow.outputs.parameters.shared}}"}]}}
    - - {name: after, template: leaf, arguments: {parameters: [{name: m, value: "{{workflow.outputs.parameters.shared}}"}]}}
"""


def test_a_global_output_is_known_to_what_comes_after_it() -> None:
    run = played(GLOBAL, lambda _: ended(parameters={"o": "v"}))
    assert inputs(run, "[1].after") == {"m": "v"}
    assert inputs(run, "[0].beside") == {"m": "{{workflow.outputs.parameters.shared}}"}
    assert run.flow.verdict().values["outputs"] == {"parameters": {"shared": "v"}, "artifacts": []}


RECURSION = """
  templates:
  - name: main
    inputs: {parameters: [{name: left, value: "3"}]}
    outputs: {parameters: [{name: depth, valueFrom: {parameter: "{{steps.below.outputs.parameters.depth}}", default: bottom}}]}
    steps:
    - - name: below
        template: main
        when: "{{inputs.parameters.left}} > 0"
        arguments: {parameters: [{name: left, value: "{{=string(asInt(inputs.parameters.left) - 1)}}"}]}
    - - {name: up, template: leaf, arguments: {parameters: [{name: m, value: "{{inputs.parameters.left}}"}]}}
"""


def test_a_global_output_is_known_to_loops_conditions_and_outputs_of_the_same_template() -> None:
    spec = """
  templates:
  - name: main
    outputs: {parameters: [{name: out, globalName: all, valueFrom: {expression: "workflow.outputs.parameters.shared + '!'"}}]}
    steps:
    - - {name: a, template: share, arguments: {parameters: [{name: m, value: '[1, 2]'}]}}
    - - name: b
        template: leaf
        withParam: "{{workflow.outputs.parameters.shared}}"
        arguments: {parameters: [{name: m, value: "{{item}}"}]}
      - {name: c, template: leaf, when: "'{{workflow.outputs.parameters.shared}}' == ''"}
  - name: share
    inputs: {parameters: [{name: m}]}
    outputs: {parameters: [{name: o, globalName: shared, valueFrom: {path: /o}}]}
    container: {image: busybox, command: [echo, "{{inputs.parameters.m}}"]}
"""
    run = played(spec)
    assert phases(run) == {"[0].a": "Succeeded", "[1].b(0:1)": "Succeeded", "[1].b(1:2)": "Succeeded", "[1].c": "Skipped"}
    assert run.flow.result()["outputs"]["parameters"] == {"shared": "[1, 2]", "all": "[1, 2]!"}


def test_recursion_goes_down_and_its_outputs_and_nodes_come_up() -> None:
    run = played(RECURSION)
    below = "[0].below"
    assert phases(run) == {
        f"{below * 3}{below}": "Skipped",
        f"{below * 3}[1].up": "Succeeded",
        f"{below * 2}[1].up": "Succeeded",
        f"{below}[1].up": "Succeeded",
        "[1].up": "Succeeded",
    }
    root = next(node for node in run.flow.nodes() if node["name"] == run.facts.name)
    assert root["outputs"]["parameters"] == {"depth": "bottom"}


def test_a_retried_composite_begins_again_and_gives_its_last_attempts_outputs() -> None:
    tries: list[str] = []

    def third_time(decision: Decision) -> Attempt:
        tries.append(decision.node)
        return ended(Phase.SUCCEEDED if len(tries) == 3 else Phase.FAILED)

    run = played(
        "  templates:\n  - {name: main, steps: [[{name: a, template: again}]]}\n"
        "  - {name: again, retryStrategy: {limit: 5}, steps: [[{name: b, template: leaf}]]}\n",
        third_time,
    )
    assert [one.removeprefix(run.facts.name) for one in tries] == [f"[0].a({n})[0].b" for n in range(3)]
    assert phases(run)["[0].a"] == "Succeeded"
    assert run.flow.verdict().phase is Phase.SUCCEEDED


@pytest.mark.parametrize(
    ("items", "why"),
    [
        pytest.param("[]", "Skipped, empty params", id="empty"),
        pytest.param("[1", "withParam value could not be parsed as a JSON list: [1", id="not-json"),
    ],
)
def test_a_fan_out_always_succeeds_and_says_why_it_has_no_items(items: str, why: str) -> None:
    plan = plan_of(
        "  arguments: {parameters: [{name: items, value: '[]'}]}\n  templates:\n"
        "  - name: main\n    dag: {tasks: [{name: a, template: leaf, withParam: '{{workflow.parameters.items}}'}]}\n"
    )
    run = Run(plan, facts_of(plan, {"items": items}), echo)
    outcome, indices = run.flow.fan_out("a.items")
    assert indices == []
    assert outcome.message.startswith(why)


def test_many_composites_in_a_row_are_asked_from_the_end() -> None:
    tasks = [{"name": f"t{n}", "template": "twice", **({"dependencies": [f"t{n - 1}"]} if n else {})} for n in range(300)]
    twice = "  - {name: twice, steps: [[{name: a, template: leaf}]]}\n"
    plan = plan_of(f"  templates:\n  - name: main\n    dag: {json.dumps({'tasks': tasks})}\n{twice}")
    outcomes = {task.id: Outcome(phase=Phase.SUCCEEDED, attempts=(ended(),)) for task in plan.tasks}
    run = Run(plan, facts_of(plan), echo)
    run.outcomes = {(name, -1): outcome for name, outcome in outcomes.items()}
    decision = Flow(plan, run.facts, run).decide("t299.a")
    assert decision.node == f"{run.facts.name}.t299[0].a"


def test_a_missing_parameter_stops_the_workflow_before_it_begins() -> None:
    plan = plan_of(
        "  arguments: {parameters: [{name: p, valueFrom: {configMapKeyRef: {name: settings, key: level}}}]}\n"
        "  templates:\n  - {name: main, steps: [[{name: a, template: leaf}]]}\n"
    )
    run = Run(plan, facts_of(plan), echo)
    flow = run.go()
    assert flow.result()["nodes"] == []
    assert flow.verdict().phase is Phase.FAILED
    assert Run(plan, facts_of(plan), echo, {"settings": {"level": "3"}}).go().verdict().phase is Phase.SUCCEEDED


LABELLED = """
  arguments: {{parameters: [{{name: p, value: {value}}}]}}
  workflowMetadata: {{{labels}}}
  templates:
  - {{name: main, steps: [[{{name: a, template: leaf}}]]}}
"""


LABELS = ('labels: {l: "{{workflow.parameters.p}}"}', "labelsFrom: {l: {expression: workflow.parameters.p}}")


@pytest.mark.parametrize("labels", LABELS)
def test_a_label_that_none_can_have_is_an_error_before_it_begins(labels: str) -> None:
    verdicts = {value: played(LABELLED.format(value=value, labels=labels)).flow.verdict() for value in ("a/b", "a.b")}
    assert [verdict.phase for verdict in verdicts.values()] == [Phase.ERROR, Phase.SUCCEEDED]
    assert verdicts["a/b"].message == '"a/b" is no value of a label: it is that of "l" in workflowMetadata'


FAIL_FAST = """
  templates:
  - name: main
    parallelism: 1
    failFast: true
    steps:
    - - {name: a, template: leaf, arguments: {parameters: [{name: m, value: Failed}]}}
      - {name: b, template: leaf}
"""


def test_fail_fast_starts_nothing_more() -> None:
    run = played(FAIL_FAST)
    assert phases(run) == {"[0].a": "Failed"}
    assert run.flow.verdict().message == "template has failed or errored children and failFast enabled"


def test_a_retried_composite_speaks_of_its_try() -> None:
    spec = """
  templates:
  - name: main
    steps: [[{name: a, template: mid}]]
  - name: mid
    retryStrategy: {limit: 2}
    steps:
    - - {name: b, template: leaf, arguments: {parameters: [{name: m, value: "{{retries}} {{lastRetry.status}}"}]}}
    - - {name: c, template: leaf, arguments: {parameters: [{name: m, value: "{{=asInt(retries) < 1 ? 'Failed' : inner}}"}]}}
"""
    run = played(spec.replace("inner", "'fine'"))
    assert inputs(run, "[0].a(0)[0].b") == {"m": "0 "}
    assert inputs(run, "[0].a(1)[0].b") == {"m": "1 Failed"}
    assert phases(run)["[0].a"] == "Succeeded"


def test_a_daemon_is_running_for_those_who_use_it() -> None:
    spec = """
  templates:
  - name: main
    dag:
      tasks:
      - {name: d, template: leaf}
      - {name: a, depends: d, template: leaf, arguments: {parameters: [{name: m, value: "{{tasks.d.status}}"}]}}
"""
    assert inputs(played(spec, lambda decision: replace(echo(decision), daemoned=True)), ".a") == {"m": "Running"}


LIBRARY = """
---
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: lib}
spec:
  templates:
  - name: says
    container: {image: busybox, command: [echo, hi]}
"""


def test_the_result_of_a_template_that_only_the_run_names_is_captured() -> None:
    spec = """
  arguments: {parameters: [{name: which, value: says}]}
  templates:
  - name: main
    steps:
    - - {name: a, templateRef: {name: lib, template: "{{workflow.parameters.which}}"}}
    - - {name: b, template: leaf, arguments: {parameters: [{name: m, value: "{{steps.a.outputs.result}}"}]}}
"""
    plan = plan_of(spec, leaf=LEAF + LIBRARY)
    said = {True: "hi", False: None}
    run = Run(plan, facts_of(plan, {}), lambda decision: replace(echo(decision), result=said[decision.include_result]))
    run.go()
    assert inputs(run, "[1].b") == {"m": "hi"}


def timed(ready: str, died: str, others: str) -> Callable[[Decision], Attempt]:
    """A daemon `d` that served from and until then; all else ends later."""

    def leaf(decision: Decision) -> Attempt:
        if decision.node.endswith(".d"):
            return replace(echo(decision), phase=Phase.FAILED, ready_at=ready, finished_at=died)
        return replace(echo(decision), finished_at=others)

    return leaf


def test_a_daemon_that_died_is_seen_by_those_who_come_after() -> None:
    spec = """
  templates:
  - name: main
    dag:
      tasks:
      - {name: d, template: leaf}
      - {name: a, depends: d, template: leaf}
      - {name: c, depends: d && a, template: leaf}
"""
    early = played(spec, timed("2026-01-01T00:00:01Z", "2026-01-01T00:00:05Z", "2026-01-01T00:00:09Z"))
    assert (phases(early), early.flow.verdict().phase) == ({".d": "Failed", ".a": "Succeeded", ".c": "Omitted"}, Phase.FAILED)
    late = played(spec, timed("2026-01-01T00:00:01Z", "2026-01-01T00:00:15Z", "2026-01-01T00:00:09Z"))
    seen = {".d": "Failed", ".a": "Succeeded", ".c": "Succeeded"}
    assert (phases(late), late.flow.verdict().phase) == (seen, Phase.SUCCEEDED)


def test_a_daemon_fails_its_group_only_if_it_dies_before_the_group_is_over() -> None:
    spec = """
  templates:
  - name: main
    steps:
    - - {name: d, template: leaf}
      - {name: slow, template: leaf}
    - - {name: a, template: leaf}
"""
    early = played(spec, timed("2026-01-01T00:00:01Z", "2026-01-01T00:00:05Z", "2026-01-01T00:00:09Z"))
    assert (phases(early), early.flow.verdict().phase) == ({"[0].d": "Failed", "[0].slow": "Succeeded"}, Phase.FAILED)
    late = played(spec, timed("2026-01-01T00:00:01Z", "2026-01-01T00:00:15Z", "2026-01-01T00:00:09Z"))
    seen = {"[0].d": "Failed", "[0].slow": "Succeeded", "[1].a": "Succeeded"}
    assert (phases(late), late.flow.verdict().phase) == (seen, Phase.SUCCEEDED)


def test_the_results_of_a_loop_are_listed_as_they_were_written() -> None:
    spec = """
  templates:
  - name: main
    steps:
    - - name: a
        template: leaf
        withItems: ['{"b": 1, "a" : "x  <"}', '1.0', '1e3', '"s"']
        arguments: {parameters: [{name: m, value: "{{item}}"}]}
    - - {name: b, template: leaf, arguments: {parameters: [{name: m, value: "{{steps.a.outputs.result}}"}]}}
"""
    assert inputs(played(spec), "[1].b") == {"m": r'[{"b":1,"a":"x  \u003c"},1.0,1e3,"s"]'}


def test_random_values_are_the_same_for_all_who_ask() -> None:
    run = played(
        "  templates:\n  - name: main\n    steps:\n"
        "    - - {name: a, template: leaf, arguments: {parameters: [{name: m, value: '{{=sprig.randAlpha(8)}}'}]}}\n"
    )
    again = Flow(run.plan, run.facts, run).decide("a")
    assert again.template["inputs"] == run.decisions["a", -1].template["inputs"]
    assert re.fullmatch("[A-Za-z]{8}", inputs(run, "[0].a")["m"])


def test_a_run_can_be_looked_at_while_it_goes_on() -> None:
    plan = plan_of(HOOKS.replace("HOW", "x"))
    run = Run(plan, facts_of(plan), echo)
    shown = {node["name"].removeprefix(run.facts.name): node["phase"] for node in Flow(plan, run.facts, run, live=True).nodes()}
    assert shown == {
        "": "Running",
        "[0]": "Running",
        "[0].a": "Pending",
        "[0].a.hooks.running": "Pending",
        ".hooks.started": "Pending",
    }


def test_a_step_whose_task_only_finds_out_that_it_is_skipped_is_never_shown_as_running() -> None:
    plan = plan_of(
        "  templates:\n  - name: main\n    steps:\n"
        "    - - {name: a, template: leaf, when: 'x == y', arguments: {parameters: [{name: m, value: z}]}}\n"
        "      - {name: b, template: leaf, arguments: {parameters: [{name: m, value: z}]}}\n"
    )
    run = Run(plan, facts_of(plan), echo)
    begun = Outcome(phase=Phase.RUNNING, attempts=(Attempt(phase=Phase.RUNNING, started_at=TIME),))
    run.outcomes = {("a", -1): begun, ("b", -1): begun}
    shown = {node["displayName"]: node["phase"] for node in Flow(plan, run.facts, run, live=True).nodes()}
    assert (shown["a"], shown["b"]) == ("Skipped", "Running")


def test_a_node_is_shown_by_the_name_that_its_template_gives_it() -> None:
    run = played(
        "  templates:\n  - {name: main, steps: [[{name: a, template: named, withItems: [x, 2]"
        ", arguments: {parameters: [{name: m, value: '{{item}}'}]}}]]}\n"
        "  - name: named\n    annotations: {workflows.argoproj.io/display-name: 'named-{{inputs.parameters.m}}'}\n"
        "    inputs: {parameters: [{name: m}]}\n    container: {image: x}\n"
    )
    assert [node["displayName"] for node in run.flow.nodes() if node["type"] == "Pod"] == ["named-x", "named-2"]


def test_recursion_without_an_end_ends() -> None:
    run = played(RECURSION, left="200")
    assert run.flow.verdict().phase is Phase.FAILED
    assert "nested more than 100 deep" in str(run.flow.nodes())


def test_retries_end_as_argo_says() -> None:
    spec = "  retryStrategy: {limit: 1}\n  templates:\n  - {name: main, steps: [[{name: a, template: leaf}]]}\n"
    run = played(spec, lambda _: ended(Phase.FAILED))
    assert run.plan.root.kind.value == "child"
    one = Flow(run.plan.children["main"], run.facts, run)
    assert one.retry("a", -1, (ended(Phase.FAILED),)).delay == 0.0
    over = one.retry("a", -1, (ended(Phase.FAILED), ended(Phase.FAILED)))
    assert (over.delay, over.outcome.message) == (None, "No more retries left")
    refused = one.retry("a", -1, (ended(Phase.ERROR),))
    assert (refused.delay, refused.outcome.phase) == (None, Phase.ERROR)


WRONG = """
  templates:
  - name: main
    steps: [[{name: inner, template: inner}]]
  - name: inner
    dag: {tasks: [{name: a, template: leaf, HOOKS}]}
"""


def test_a_hook_whose_expression_is_no_condition_is_its_tasks_error() -> None:
    run = played(WRONG.replace("HOOKS", 'hooks: {odd: {expression: "1 + 1", template: leaf}}'))
    assert phases(run) == {"[0].inner.a": "Error"}
    assert run.flow.verdict().phase is Phase.FAILED


def test_a_hook_of_a_step_breaks_the_group() -> None:
    spec = WRONG.replace("dag: {tasks: [{name: a, template: leaf, HOOKS}]}", "steps: [[{name: a, template: leaf, HOOKS}]]")
    run = played(spec.replace("HOOKS", 'hooks: {odd: {expression: "1 + 1", template: leaf}}'))
    groups = {n["name"].removeprefix(run.facts.name): n["phase"] for n in run.flow.nodes() if n["type"] == "StepGroup"}
    assert groups == {"[0]": "Failed", "[0].inner[0]": "Error"}


NAMED = """
  arguments: {parameters: [{name: x, value: one}]}
  templates:
  - name: main
    inputs: {parameters: [{name: x}]}
    steps:
    - - {name: "run-{{inputs.parameters.x}}", template: leaf, arguments: {parameters: [{name: m, value: '"r"'}]}}
      - {name: "loop-{{inputs.parameters.x}}", template: leaf, withItems: [a, b]}
      - {name: "list-{{inputs.parameters.x}}", template: leaf, withParam: '["{{inputs.parameters.x}}"]'}
    - - {name: sees, template: leaf, arguments: {parameters: [{name: m, value: "{{steps.run-one.outputs.result}}"}]}}
      - {name: tasks, template: tasks}
  - name: tasks
    dag:
      tasks:
      - name: "run-{{workflow.parameters.x}}"
        template: leaf
        hooks: {exit: {template: leaf, arguments: {parameters: [{name: m, value: "{{tasks.run-one.status}}"}]}}}
      - {name: before, template: leaf}
      - {name: "end-{{workflow.parameters.x}}", depends: before, template: leaf}
"""


def test_names_hold_tags() -> None:
    run = played(NAMED)
    assert sorted(phases(run)) == [
        "[0].list-one(0:one)",
        "[0].loop-one(0:a)",
        "[0].loop-one(1:b)",
        "[0].run-one",
        "[1].sees",
        "[1].tasks.before",
        "[1].tasks.end-one",
        "[1].tasks.run-one",
        "[1].tasks.run-one.onExit",
    ]
    assert inputs(run, "[1].sees") == {"m": '"r"'}
    assert inputs(run, "[1].tasks.run-one.onExit") == {"m": "Succeeded"}
    other = played(NAMED.replace("{{steps.run-one.outputs.result}}", "").replace("{{tasks.run-one.status}}", ""), x="two")
    assert [name for name in phases(other) if "run" in name][:2] == ["[0].run-two", "[1].tasks.run-two"]
