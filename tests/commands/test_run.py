from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from argo_yaml_provider.cli import main

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: wf}\n"
HELLO = (
    HEAD
    + """
spec:
  entrypoint: main
  arguments: {parameters: [{name: who, value: world}]}
  templates:
  - name: main
    inputs: {parameters: [{name: who, value: "{{workflow.parameters.who}}"}]}
    container:
      image: busybox
      command: [sh, -c]
      args: ["echo hello {{inputs.parameters.who}} from $LEVEL; exit $CODE"]
      env:
      - {name: LEVEL, valueFrom: {configMapKeyRef: {name: settings, key: level}}}
      - {name: CODE, value: "0"}
"""
)
BROKEN = HEAD + "spec: {entrypoint: nowhere, templates: [{name: main, container: {image: busybox}}]}\n"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "argo_yaml_provider", "run", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    (tmp_path / "settings.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {level: high}\n"
    )
    (tmp_path / "hello.yaml").write_text(HELLO)
    return tmp_path / "hello.yaml"


def test_a_wrong_file_is_refused_with_its_problem_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(BROKEN)
    answer = CliRunner().invoke(main, ["run", str(tmp_path / "broken.yaml"), "--output", "json"])
    assert answer.exit_code == 2
    assert json.loads(answer.stdout) == {"name": "broken", "phase": "Rejected", "nodes": []}
    assert "nowhere" in answer.stderr


def test_a_parameter_without_an_equals_sign_is_a_usage_error(hello: Path) -> None:
    answer = CliRunner().invoke(main, ["run", str(hello), "-p", "who"])
    assert answer.exit_code == 2
    assert "'who' is not NAME=VALUE" in answer.output


def test_a_workflow_runs_with_its_parameters_and_the_config_map_beside_it(hello: Path, tmp_path: Path) -> None:
    ended = run(hello, "-p", "who=you", "--output", "json", "--output-dir", tmp_path / "out")
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)
    assert (result["phase"], [node["inputs"]["parameters"] for node in result["nodes"]]) == ("Succeeded", [{"who": "you"}])
    assert json.loads((tmp_path / "out" / "hello.json").read_text()) == result


def test_a_failed_workflow_among_others_is_told_and_makes_the_exit_code_one(hello: Path) -> None:
    failing = hello.with_name("failing.yaml")
    failing.write_text(HELLO.replace('value: "0"', 'value: "7"'))
    ended = run(hello, failing, "--output", "json")
    results = [json.loads(line) for line in ended.stdout.splitlines()]
    assert (ended.returncode, [result["phase"] for result in results]) == (1, ["Succeeded", "Failed"])


def test_a_hook_that_watches_a_step_is_over_when_that_is(tmp_path: Path) -> None:
    (tmp_path / "hook.yaml").write_text(
        HEAD
        + """
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - name: a
        template: leaf
        hooks: {bad: {template: leaf, expression: 'steps.a.status == "Failed" || steps.a.status == "Error"'}}
    - - {name: b, template: leaf}
  - name: leaf
    container: {image: busybox, command: [sh, -c, "kill -0 $$$$"]}
"""
    )
    answer = run(tmp_path / "hook.yaml", "--timeout", "200", "--output", "json")
    result = json.loads(answer.stdout)
    pods = [(node["name"].removeprefix(result["name"]), node["phase"]) for node in result["nodes"] if node["type"] == "Pod"]
    assert (answer.returncode, pods) == (0, [("[0].a", "Succeeded"), ("[1].b", "Succeeded")])


def test_where_there_is_no_terminal_the_lines_are_plain(hello: Path) -> None:
    ended = run(hello)
    lines = ended.stdout.splitlines()
    assert lines[-1].endswith(": Succeeded")
    assert any("Succeeded wf" in line for line in lines)


def kubeconfig(folder: Path, **changed: object) -> Path:
    config = {
        "clusters": [{"name": "gone", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "gone", "user": {"token": "none"}}],
        "contexts": [{"name": "gone", "context": {"cluster": "gone", "user": "gone"}}],
        "current-context": "gone",
    }
    (folder / "kubeconfig").write_text(json.dumps(config | changed))
    return folder / "kubeconfig"


def test_a_cluster_that_does_not_answer_is_told_before_anything_starts(hello: Path) -> None:
    ended = run(hello, "--kubeconfig", kubeconfig(hello.parent))
    refused = "Cannot connect to host 127.0.0.1:9 ssl:default [Connect call failed ('127.0.0.1', 9)]"
    assert ended.stderr == f"error: the API server http://127.0.0.1:9 has not answered for 5 s: {refused}\n"
    assert (ended.returncode, ended.stdout) == (1, "")


def test_a_kubeconfig_without_a_context_is_told_with_the_way_out(hello: Path) -> None:
    path = kubeconfig(hello.parent, **{"current-context": ""})
    ended = run(hello, "--kubeconfig", path)
    told = f"error: the kubeconfig {path} has no current-context\n   = help: choose one: kubectl config use-context NAME\n"
    assert (ended.returncode, ended.stderr) == (1, told)


def test_a_kubeconfig_that_is_not_yaml_is_told_with_its_place(hello: Path) -> None:
    path = hello.with_name("kubeconfig")
    path.write_text("clusters: [")
    ended = run(hello, "--kubeconfig", path)
    assert ended.stderr.startswith(f"error: the kubeconfig {path}:1:12 is not YAML: ")
    assert ended.returncode == 1
