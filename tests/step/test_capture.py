from __future__ import annotations

import base64
import dataclasses
from typing import Any

import pytest

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.step.pod import run_pod
from tests.step.conftest import LocalHost, container


def captured(decision: Decision) -> Decision:
    return dataclasses.replace(decision, include_result=True)


def outputs(**paths: Any) -> dict[str, Any]:
    return {"outputs": {"parameters": [{"name": name, "valueFrom": value} for name, value in paths.items()]}}


async def test_the_result_is_stdout_without_one_newline_and_still_logged(host: LocalHost) -> None:
    attempt = await run_pod(host, captured(container("sh", "-c", "echo one; echo err >&2; printf 'two\\n\\n'")))
    assert (attempt.phase, attempt.exit_code, attempt.result) == (Phase.SUCCEEDED, "0", "one\ntwo\n")
    assert sorted(host.logged()) == sorted(["one", "err", "two", ""])


async def test_output_parameters_are_read_also_when_the_step_failed(host: LocalHost) -> None:
    declared = outputs(a={"path": "/tmp/a"}, b={"path": "/tmp/b", "default": "fallback"}, c={"path": "/none"})
    attempt = await run_pod(host, container("sh", "-c", "printf 'x\\n\\n' >/tmp/a; exit 3", **declared))
    assert (attempt.phase, attempt.message, attempt.exit_code) == (Phase.FAILED, "main: Error (exit code 3)", "3")
    assert attempt.parameters == {"a": "x\n", "b": "fallback", "c": None}


async def test_a_missing_output_of_a_step_that_succeeded_is_an_error(host: LocalHost) -> None:
    attempt = await run_pod(host, container("true", **outputs(c={"path": "/none"})))
    assert (attempt.phase, attempt.message) == (Phase.ERROR, "output parameter 'c': the step left no file /none")


async def test_a_mebibyte_arrives_whole(host: LocalHost) -> None:
    script = "head -c 786432 /dev/urandom | base64 -w 0 >/tmp/big; md5sum </tmp/big | cut -d' ' -f1"
    attempt = await run_pod(host, captured(container("sh", "-c", script, **outputs(big={"path": "/tmp/big"}))))
    big = attempt.parameters["big"] or ""
    assert len(big) == 1024 * 1024
    assert len(base64.b64decode(big)) == 786432
    import hashlib

    assert attempt.result == hashlib.md5(big.encode()).hexdigest()


async def test_only_the_last_256_kib_of_stdout_are_the_result(host: LocalHost) -> None:
    attempt = await run_pod(host, captured(container("sh", "-c", "head -c 400000 /dev/zero | tr '\\0' x; printf end")))
    assert attempt.result == "x" * (256 * 1024 - 3) + "end"


@pytest.mark.parametrize(
    ("script", "code"),
    # Kubernetes makes $ of $$.
    [("kill -9 $$$$", "137"), ("kill -TERM $$$$", "143"), ("kill -SEGV $$$$", "139"), ("exit 255", "255")],
)
async def test_exit_codes_and_signals_are_those_of_the_command(host: LocalHost, script: str, code: str) -> None:
    attempt = await run_pod(host, captured(container("sh", "-c", f"echo before; {script}")))
    assert (attempt.phase, attempt.exit_code, attempt.result) == (Phase.FAILED, code, "before")
    assert host.logged() == ["before"]


async def test_a_command_that_is_not_there_exits_as_argo_says(host: LocalHost) -> None:
    attempt = await run_pod(host, captured(container("nothere", "x")))
    assert (attempt.phase, attempt.exit_code) == (Phase.FAILED, "64")
    assert attempt.message == (
        'main: Error (exit code 64): failed to find name in PATH: exec: "nothere": executable file not found in $PATH'
    )


async def test_the_steps_own_termination_message_is_kept(host: LocalHost) -> None:
    attempt = await run_pod(host, captured(container("sh", "-c", "echo why >/dev/termination-log; exit 2")))
    assert attempt.message == "main: Error (exit code 2): why\n"


async def test_an_image_without_a_shell_is_captured(host: LocalHost) -> None:
    attempt = await run_pod(host, captured(container("python3", "-c", "print('hi')", image="python:3.12-slim")))
    assert attempt.result == "hi"


async def test_a_script_gets_its_path_last_and_its_environment_untouched(host: LocalHost) -> None:
    script = {
        "image": "python:3.12-slim",
        "command": ["python3", "-u"],
        "args": ["-X", "utf8"],
        "env": [{"name": "odd.name", "value": "a\nb"}],
        "source": "import os, sys\nprint(sys.argv, repr(os.environ['odd.name']), 'SHLVL' in os.environ, 'é')\n",
    }
    decision = Decision(node="wf", template={"name": "t", "script": script}, include_result=True)
    attempt = await run_pod(host, decision)
    assert attempt.result == "['/argo/staging/script'] 'a\\nb' False é"
