from __future__ import annotations

import asyncio
import base64
import dataclasses
from typing import Any

import pytest

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.step.pod import DELETE_POD, run_pod
from tests.step.conftest import LocalHost, container, settled


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


async def test_a_signal_reaches_the_command_and_what_it_then_gives_is_captured(host: LocalHost) -> None:
    script = "trap 'echo caught; exit 5' TERM; echo begun; while :; do sleep 0.1; done"
    task = asyncio.create_task(run_pod(host, captured(container("sh", "-c", script))))
    await settled(lambda: "begun" in host.logged())
    (pod,) = await host.kube.list_pods(host.facts.namespace, {"run_id": host.run_id})
    await host.kube.delete_pod(host.facts.namespace, pod["metadata"]["name"])
    attempt = await task
    assert (attempt.phase, attempt.exit_code, attempt.result) == (Phase.FAILED, "5", "begun\ncaught")


async def test_what_a_command_leaves_behind_does_not_hold_up_its_step(host: LocalHost) -> None:
    attempt = await run_pod(host, captured(container("sh", "-c", "sleep 1000 & echo done")))
    assert (attempt.phase, attempt.result) == (Phase.SUCCEEDED, "done")


async def test_a_sidecar_does_not_hold_up_its_step(host: LocalHost) -> None:
    sidecars = [{"name": "side", "image": "busybox", "command": ["sh", "-c", "echo beside; exec sleep 1000"]}]
    attempt = await run_pod(host, captured(container("sh", "-c", "sleep 1; echo done", sidecars=sidecars)))
    assert (attempt.phase, attempt.result) == (Phase.SUCCEEDED, "done")
    assert host.logged("side") == ["beside"]


async def test_why_a_pod_does_not_start_is_in_the_log(host: LocalHost) -> None:
    task = asyncio.create_task(run_pod(host, container("true", image="no.such.registry/nothing:1")))
    await settled(lambda: any(line.startswith("waiting: main: ErrImagePull") for line in host.logged("")))
    task.cancel(DELETE_POD)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_pod_that_waits_longer_than_its_pending_timeout_fails(host: LocalHost) -> None:
    decision = container("true", image="no.such.registry/nothing:1", pendingTimeout="2s")
    attempt = await run_pod(host, decision)
    assert (attempt.phase, attempt.message) == (Phase.FAILED, "Step exceeded its deadline")
