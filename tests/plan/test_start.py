from __future__ import annotations

import pytest

from argo_yaml_provider.plan.compile import compile_text

SPEC = """
  {fields}
  entrypoint: main
  templates:
  - name: main
    container: {{image: busybox}}
"""
WORKFLOW = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: wf}\nspec:"
CRON = """apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {{name: wf}}
spec:
  schedules: ['@daily']
  {}
  workflowSpec:"""


def tasks(text: str) -> dict[str, tuple[str, ...]]:
    (plan,) = compile_text(text)
    return {task.id: task.upstream for task in plan.tasks}


def cron(policy: str) -> str:
    body = SPEC.format(fields="").replace("\n  ", "\n    ")
    return CRON.format(policy) + body


PLAIN = {"main": ()}
GATED = {"workflow.start": (), "main": ("workflow.start",), "verdict": ("main",)}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param(WORKFLOW + SPEC.format(fields=""), PLAIN, id="an-ordinary-workflow-has-none"),
        pytest.param(WORKFLOW + SPEC.format(fields="suspend: false"), PLAIN, id="not-suspended"),
        pytest.param(WORKFLOW + SPEC.format(fields="suspend: true"), GATED, id="suspended"),
        pytest.param(WORKFLOW + SPEC.format(fields="artifactRepositoryRef: {key: mine}"), GATED, id="repository"),
        pytest.param(cron("concurrencyPolicy: Allow"), PLAIN, id="allow"),
        pytest.param(cron("concurrencyPolicy: Forbid"), GATED, id="forbid"),
        pytest.param(cron("concurrencyPolicy: Replace"), GATED, id="replace"),
        pytest.param(cron("when: '{{= true }}'"), GATED, id="when"),
        pytest.param(cron("stopStrategy: {expression: 'cronworkflow.failed > 1'}"), GATED, id="stop-strategy"),
    ],
)
def test_only_a_workflow_that_may_not_start_has_a_start(text: str, want: dict[str, tuple[str, ...]]) -> None:
    assert tasks(text) == want
