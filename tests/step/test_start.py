"""The task before all others, on a host that tells it what it likes."""

from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.flow.slots import History
from argo_yaml_provider.plan.compile import compile_text
from argo_yaml_provider.plan.names import START
from argo_yaml_provider.step.run import run_task
from tests.step.conftest import LocalHost

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: {kind}
metadata: {{name: wf}}
spec:
  {fields}
  {inner}entrypoint: main
    templates:
    - name: main
      container: {{image: busybox}}
"""


async def started(host: LocalHost, kind: str, fields: str) -> Outcome:
    cron = kind == "CronWorkflow"
    text = WORKFLOW.format(
        kind=kind,
        fields=f"schedules: ['@daily']\n  {fields}" if cron else fields,
        inner="workflowSpec:\n    " if cron else "",
    )
    (host.plan,) = compile_text(text if cron else text.replace("\n    ", "\n  "))
    host.task_id = START
    return (await run_task(host)).outcome


async def test_a_suspended_workflow_starts_once_a_person_says_so(host: LocalHost) -> None:
    host.answers = [{}]
    assert await started(host, "Workflow", "suspend: true") == Outcome(phase=Phase.SUCCEEDED)
    assert [(question.node, wait) for question, wait in host.questions] == [("wf", None)]


async def test_an_artifact_repository_that_is_not_there_ends_the_workflow_before_its_first_node(host: LocalHost) -> None:
    message = f"failed to resolve artifact repository: there is no ConfigMap artifact-repositories in {host.facts.namespace}"
    want = Outcome(phase=Phase.ERROR, message=message)
    assert await started(host, "Workflow", "artifactRepositoryRef: {key: mine}") == want


@pytest.mark.parametrize(
    ("fields", "want"),
    [
        pytest.param(
            "concurrencyPolicy: Forbid",
            {"phase": Phase.SKIPPED, "message": "slot skipped: concurrencyPolicy Forbid, and earlier still runs"},
            id="forbid",
        ),
        pytest.param("concurrencyPolicy: Replace", {"phase": Phase.SUCCEEDED}, id="replace"),
        pytest.param(
            "when: '{{cronworkflow.failed}} < 3'",
            {"phase": Phase.ERROR, "message": "run policy error: failed to resolve {{cronworkflow.failed}} to string"},
            id="a-condition-without-an-answer",
        ),
    ],
)
async def test_a_slot_is_judged_once(host: LocalHost, fields: str, want: dict[str, Any]) -> None:
    host.past = History(active=("earlier",))
    assert await started(host, "CronWorkflow", fields) == Outcome(**want)
    host.past = History()
    assert await started(host, "CronWorkflow", fields) == Outcome(**want)
    assert host.terminated == (("earlier",) if "Replace" in fields else ())


async def test_a_run_by_hand_is_not_judged(host: LocalHost) -> None:
    assert await started(host, "CronWorkflow", "when: '{{= false }}'") == Outcome(phase=Phase.SUCCEEDED)
