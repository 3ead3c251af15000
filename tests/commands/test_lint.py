from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from argo_yaml_provider.commands.lint import command

GOOD = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: a-}
spec: {entrypoint: a, templates: [{name: a, container: {image: x}}]}
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "good.yaml": GOOD,
        "later.yaml": GOOD.replace("container: {image: x}", "plugin: {x: {}}"),
        "map.yaml": MAP,
        "wrong.yaml": GOOD.replace("entrypoint: a", "entrypoint: b"),
        "data.json": "[1, 2]",
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_every_file_gets_its_verdict(folder: Path) -> None:
    result = CliRunner().invoke(command, ["."])
    assert result.exit_code == 2
    assert result.output == (
        "good.yaml: translates\n\n"
        'later.yaml:4:45: "plugin" is not supported [unsupported-plugin]\n'
        "  |\n4 | spec: {entrypoint: a, templates: [{name: a, plugin: {x: {}}}]}\n"
        "  |                                             ^^^^^^\n"
        "  = at spec.templates[a].plugin\n"
        "  = help: call the plugin's service from a container step\n\n"
        "map.yaml: nothing here is Argo's, only: ConfigMap\n\n"
        'wrong.yaml:4:20: the entrypoint "b" is not defined [unknown-template]\n'
        "  |\n4 | spec: {entrypoint: b, templates: [{name: a, container: {image: x}}]}\n"
        "  |                    ^\n"
        "  = at spec.entrypoint\n"
        "  = help: defined here: a\n\n"
        "4 files: 1 translate, 1 not supported, 1 wrong, 1 without anything of Argo's\n"
    )


def test_good_files_exit_with_0(folder: Path) -> None:
    result = CliRunner().invoke(command, ["good.yaml", "map.yaml", "--quiet"])
    assert (result.exit_code, result.output) == (
        0,
        "map.yaml: nothing here is Argo's, only: ConfigMap\n\n2 files: 1 translate, 1 without anything of Argo's\n",
    )


def test_output_can_be_json(folder: Path) -> None:
    result = CliRunner().invoke(command, ["good.yaml", "wrong.yaml", "--output", "json"])
    assert result.exit_code == 2
    assert json.loads(result.output) == [
        {"file": "good.yaml", "status": "translates", "problems": []},
        {
            "file": "wrong.yaml",
            "status": "wrong",
            "problems": [
                {
                    "file": "wrong.yaml",
                    "line": 4,
                    "column": 20,
                    "code": "unknown-template",
                    "message": 'the entrypoint "b" is not defined',
                    "path": "spec.entrypoint",
                    "help": "defined here: a",
                }
            ],
        },
    ]
