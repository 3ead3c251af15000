from __future__ import annotations

import pytest

from argo_yaml_provider.diagnostics import SpecError
from argo_yaml_provider.plan.compile import compile_text

LIBRARY = """
---
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: near}
spec: {templates: [{name: a, steps: [[{name: s, templateRef: {name: far, template: b, clusterScope: true}}]]}]}
---
apiVersion: argoproj.io/v1alpha1
kind: ClusterWorkflowTemplate
metadata: {name: far}
spec: {templates: [{name: b, container: {image: x, command: [a]}}]}
---
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: other}
spec: {templates: [{name: c, container: {image: x, command: [a]}}]}
"""
HEAD = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: wf-}
spec:
  entrypoint: main
  templates:
  - name: main
    resource:
      action: create
      manifest: |
        apiVersion: argoproj.io/v1alpha1
        kind: Workflow
        metadata: {generateName: "sub-{{workflow.name}}-"}
        spec: {workflowTemplateRef: {name: REFERENCE}}
"""


@pytest.mark.parametrize(
    ("reference", "library"),
    [
        pytest.param("near", ["far", "near"], id="what-it-names-and-what-that-needs"),
        pytest.param("nowhere", [], id="not-there"),
        pytest.param("'{{workflow.name}}'", ["far", "near", "other"], id="any-that-a-tag-may-mean"),
    ],
)
def test_templates_that_a_manifest_may_refer_to_travel_with_the_plan(reference: str, library: list[str]) -> None:
    assert library_of(HEAD.replace("REFERENCE", reference)) == library


def test_a_manifest_that_is_known_only_at_run_time_may_refer_to_any() -> None:
    head, _, _ = HEAD.partition("manifest:")
    assert library_of(f'{head}manifest: "{{{{workflow.parameters.m}}}}"\n  arguments: {{parameters: [{{name: m}}]}}\n') == [
        "far",
        "near",
        "other",
    ]


def library_of(text: str) -> list[str]:
    plan = next(plan for plan in compile_text(text + LIBRARY) if plan.name == "wf")
    return sorted(one["metadata"]["name"] for one in plan.library)


def test_where_workflows_go_is_said_in_one_word() -> None:
    with pytest.raises(SpecError) as caught:
        compile_text(HEAD.replace("wf-}", 'wf-, annotations: {argo-yaml/workflow-manifests: "yes"}}'))
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("bad-annotation", '"yes" is nothing that argo-yaml/workflow-manifests may say')
