"""What a run does whose facts say that it is being stopped."""

from __future__ import annotations

import pytest

from argo_yaml_provider.flow.facts import RunFacts
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.plan.compile import compile_text
from tests.flow.simulate import TIME, Run

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  onExit: bye
  templates:
  - name: main
    dag:
      tasks:
      - {name: pod, template: pod, hooks: {exit: {template: pod}}}
      - {name: retried, template: retried}
      - {name: nap, template: nap}
      - {name: after, template: pod, depends: pod}
      - {name: anyway, template: pod, depends: pod.Failed}
  - name: pod
    container: {image: busybox}
  - name: retried
    retryStrategy: {limit: 3}
    container: {image: busybox}
  - name: nap
    suspend: {}
  - name: bye
    steps: [[{name: last, template: pod}]]
"""
SUCCEEDED = Attempt(phase=Phase.SUCCEEDED, started_at=TIME, finished_at=TIME)
POD = "workflow shutdown with strategy: {0}"
OTHER = "Stopped with strategy '{0}'"


@pytest.mark.parametrize("strategy", ["Stop", "Terminate"])
def test_no_leaf_begins_and_only_a_stopped_run_has_its_exit_handlers(strategy: str) -> None:
    (plan,) = compile_text(WORKFLOW)
    facts = RunFacts(name="wf", namespace="argo", uid="u", created_at=TIME, shutdown=strategy)
    result = Run(plan=plan, facts=facts, leaf=lambda _: SUCCEEDED).go().result()
    ended = {node["name"].removeprefix("wf"): (node["phase"], node["message"]) for node in result["nodes"]}
    want = {
        "": ("Failed", ""),
        ".pod": ("Failed", POD.format(strategy)),
        ".retried": ("Failed", OTHER.format(strategy)),
        ".retried(0)": ("Failed", POD.format(strategy)),
        ".nap": ("Failed", OTHER.format(strategy)),
        ".after": ("Omitted", "omitted: depends condition not met"),
        ".anyway": ("Failed", POD.format(strategy)),
    }
    if strategy == "Stop":
        want |= dict.fromkeys((".pod.onExit", ".onExit", ".onExit[0]", ".onExit[0].last"), ("Succeeded", ""))
    assert ended == want
    assert (result["phase"], result["message"]) == ("Failed", OTHER.format(strategy))
