from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from argo_yaml_provider import __version__
from argo_yaml_provider.airflow.run import Stop
from argo_yaml_provider.commands.assess import assess_file, command
from argo_yaml_provider.commands.run import Options, Work, compile_works
from tests.parity.run import EXAMPLES, NAMESPACE, Case, read_cases, read_known

FOLDER = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: a-}
spec:
  entrypoint: a
  ttlStrategy: {secondsAfterCompletion: 1}
  templates:
  - name: a
    steps: [[{name: one, template: b}], [{name: two, template: b}]]
  - {name: b, container: {image: x}}
---
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: shared}
spec: {templates: [{name: p, plugin: {x: {}}}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflows
"""
TTL = "Airflow keeps runs until its own clean-up deletes them"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("all.yaml").write_text(FOLDER)
    Path("data.json").write_text("[1, 2]")


def test_the_table_says_of_every_object_what_becomes_of_it() -> None:
    answer = CliRunner().invoke(command, ["."])
    assert answer.exit_code == 2
    assert answer.output == (
        "translates      Workflow/a-                 3 tasks  all.yaml:2\n"
        f"                all.yaml:6:3: spec.ttlStrategy changes nothing: {TTL}\n"
        "unsupported     WorkflowTemplate/shared              all.yaml:13\n"
        '                all.yaml:15:30: "plugin" is not supported [unsupported-plugin]\n'
        "                call the plugin's service from a container step\n"
        "wrong           ?                                    all.yaml:22\n"
        '                all.yaml:22:7: kind "Workflows" is not one of Argo\'s [unknown-kind]\n'
        '                did you mean "Workflow"? Argo\'s kinds: '
        "Workflow, WorkflowTemplate, ClusterWorkflowTemplate, CronWorkflow, WorkflowEventBinding\n"
        "3 workflows and templates: 1 translates, 1 unsupported, 1 wrong\n"
    )


def test_json_has_an_object_for_each() -> None:
    found = json.loads(CliRunner().invoke(command, ["all.yaml", "--output", "json"]).output)
    assert [(one["kind"], one["name"], one["status"], one["tasks"]) for one in found] == [
        ("Workflow", "a-", "translates", 3),
        ("WorkflowTemplate", "shared", "unsupported", 0),
        ("", "", "wrong", 0),
    ]
    assert found[0] == {
        "file": "all.yaml",
        "line": 2,
        "kind": "Workflow",
        "name": "a-",
        "status": "translates",
        "tasks": 3,
        "problems": [],
        "changesNothing": [{"line": 6, "column": 3, "path": "spec.ttlStrategy", "reason": TTL}],
    }


def test_fields_that_change_nothing_are_told_wherever_they_stand() -> None:
    account = "executor: {serviceAccountName: waits}"
    pod_gc = "podGC: {strategy: OnPodSuccess, deleteDelayDuration: 1m}"
    text = FOLDER.split("---", maxsplit=1)[0].replace("ttlStrategy: {secondsAfterCompletion: 1}", f"{account}\n  {pod_gc}")
    Path("all.yaml").write_text(text.replace("container: {image: x}", f"{account}, container: {{image: x}}"))
    (found,) = json.loads(CliRunner().invoke(command, ["all.yaml", "--output", "json"]).output)
    assert [(one["path"], one["reason"]) for one in found["changesNothing"]] == [
        ("spec.executor", "no container of ours needs a service account"),
        ("spec.podGC.deleteDelayDuration", "pods are deleted as soon as they have been read, or the workflow has ended"),
        ("spec.templates[b].executor", "no container of ours needs a service account"),
    ]


def test_sarif_has_a_result_for_each_finding_and_the_rules_that_were_met() -> None:
    log = json.loads(CliRunner().invoke(command, ["all.yaml", "--output", "sarif"]).output)
    (run,) = log["runs"]
    assert (log["version"], run["tool"]["driver"]["version"]) == ("2.1.0", __version__)
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["changes-nothing", "unknown-kind", "unsupported-plugin"]
    assert [(one["ruleId"], one["level"]) for one in run["results"]] == [
        ("changes-nothing", "note"),
        ("unsupported-plugin", "warning"),
        ("unknown-kind", "error"),
    ]
    assert run["results"][1] == {
        "ruleId": "unsupported-plugin",
        "level": "warning",
        "message": {"text": '"plugin" is not supported: call the plugin\'s service from a container step'},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "all.yaml"},
                    "region": {"startLine": 15, "startColumn": 30},
                }
            }
        ],
    }


def test_a_folder_that_translates_exits_with_0() -> None:
    Path("all.yaml").write_text(FOLDER.split("---", maxsplit=1)[0])
    assert CliRunner().invoke(command, ["."]).exit_code == 0


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the recordings are not beside the repository")
def test_of_the_examples_it_refuses_just_those_that_no_run_begins_which_argo_refused_too_or_are_known() -> None:
    cases = read_cases()
    verdicts = {path: assess_file(path, (EXAMPLES,)) for path in {case.path for case in cases.values()}}
    refused = {name for name, case in cases.items() if any(one.status != "translates" for one in verdicts[case.path])}
    assert refused == {name for name, case in cases.items() if works_of(case)[0].error}
    known = {name for name, reason in read_known("both", "executor").items() if "refused" in reason}
    assert refused == known | {name for name, case in cases.items() if case.golden.get("rejected")}


def works_of(case: Case) -> list[Work]:
    """What `argo-yaml run --document` is about to run."""
    options = Options(
        files=(case.path,),
        parameters={},
        entrypoint=None,
        templates=(EXAMPLES,),
        document=case.document,
        kubeconfig=None,
        namespace=NAMESPACE,
        stop=Stop(),
        output="json",
        output_dir=None,
    )
    return compile_works(case.path, options)
