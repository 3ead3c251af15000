"""The stand-in for busybox, on machines that have none."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    program = tmp_path / "busybox"
    program.write_text((resources.files("argo_yaml_provider.local") / "programs" / "busybox.sh").read_text())
    program.chmod(0o755)

    def run(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    return run


def test_an_applet_is_the_program_of_that_name(run: Run) -> None:
    assert run("printf", "%s-%s", "a b", "c") == (0, "a b-c", "")
    assert run("sh", "-c", "exit 5")[0] == 5


@pytest.mark.skipif(not shutil.which("bash", path="/bin"), reason="no bash on this machine")
def test_its_shell_knows_process_substitution(run: Run) -> None:
    assert run("sh", "-c", "cat <(echo in)") == (0, "in\n", "")


def test_an_applet_that_is_not_there_is_named(run: Run) -> None:
    said = "busybox: no-such: applet not found: this machine has neither busybox nor a program of that name\n"
    assert run("no-such") == (127, "", said)
