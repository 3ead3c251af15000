from __future__ import annotations

import pytest

from argo_yaml_provider.flow.facts import RunFacts
from argo_yaml_provider.flow.variables import WrongLabel, workflow_variables
from argo_yaml_provider.plan.compile import compile_text

FACTS = RunFacts(name="wf-x", namespace="ns", uid="u-1", created_at="2026-02-03T14:05:06Z", parameters={"size": "9"})
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf, labels: {team: data, kind: own}, annotations: {note: hello}}
spec:
  entrypoint: main
  priority: 7
  serviceAccountName: robot
  arguments: {parameters: [{name: size, value: "1"}, {name: color, value: red}]}
  workflowMetadata:
    labels: {kind: "{{workflow.parameters.color}}"}
    annotations: {more: "of {{workflow.name}}"}
    labelsFrom: {both: {expression: "workflow.labels.team + '-' + workflow.parameters.size"}}
  templates: [{name: main, container: {image: x, command: [x]}}]
"""
KNOWN = {
    "name": "wf-x",
    "namespace": "ns",
    "uid": "u-1",
    "mainEntrypoint": "main",
    "priority": "7",
    "serviceAccountName": "robot",
    "status": "Running",
    "duration": "0.000000",
    "parameters.size": "9",
    "parameters.color": "red",
    "parameters": '[{"name":"size","value":"9"},{"name":"color","value":"red"}]',
    "labels.team": "data",
    "labels.kind": "red",
    "labels.both": "data-9",
    "annotations.note": "hello",
    "annotations.more": "of wf-x",
    "creationTimestamp": "2026-02-03T14:05:06Z",
    "creationTimestamp.RFC3339": "2026-02-03T14:05:06Z",
    "creationTimestamp.s": "1770127506",
    **{f"creationTimestamp.{letter}": value for letter, value in zip("YmdHIMSpByAb", (
        "2026", "02", "03", "14", "02", "05", "06", "PM", "February", "26", "Tuesday", "Feb"), strict=True)},
}  # fmt: skip


def variables(text: str) -> dict[str, str]:
    (plan,) = compile_text(text)
    return workflow_variables(plan, FACTS, lambda _name, _key: None)


def test_a_workflow_knows_its_name_parameters_labels_and_times() -> None:
    found = variables(WORKFLOW)
    assert {name: found[f"workflow.{name}"] for name in KNOWN} == KNOWN


def test_an_expression_that_gives_no_label_is_told() -> None:
    with pytest.raises(WrongLabel) as caught:
        variables(WORKFLOW.replace("'-'", "' and '"))
    assert "data and 9" in caught.value.message
