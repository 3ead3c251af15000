from __future__ import annotations

import subprocess
import sys
import time

from click.testing import CliRunner

from argo_yaml_provider.cli import COMMANDS, main


def test_help_imports_no_command() -> None:
    code = "import sys; from argo_yaml_provider.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = output.splitlines()[-1].split()
    heavy = ("airflow", "kubernetes", "kubernetes_asyncio", "lark", "rich", "yaml", "argo_yaml_provider.commands")
    assert [name for name in heavy if name in loaded] == []
    assert all(name in output for name in COMMANDS)


def test_eval_starts_without_airflow() -> None:
    code = "import sys, argo_yaml_provider.commands.eval; print(*sys.modules)"
    began = time.monotonic()
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in ("airflow", "kubernetes", "kubernetes_asyncio", "rich") if name in loaded] == []
    assert time.monotonic() - began < 5


def test_every_command_has_its_module() -> None:
    for name, line in COMMANDS.items():
        result = CliRunner().invoke(main, [name, "--help"])
        assert (result.exit_code, line in " ".join(result.output.split())) == (0, True), name


def test_an_unknown_command_is_named() -> None:
    result = CliRunner().invoke(main, ["nosuch"])
    assert (result.exit_code, "No such command 'nosuch'" in result.output) == (2, True)
