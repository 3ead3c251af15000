from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.step.container_sets import container_phases, read_set_end
from argo_yaml_provider.step.outcome import End
from argo_yaml_provider.step.pod import run_pod
from tests.step.conftest import LocalHost

Json = dict[str, Any]
GRAPH: Json = {"containerSet": {"containers": [{"name": "a"}, {"name": "b", "dependencies": ["a"]}, {"name": "c"}]}}


def pod(**codes: int | None) -> Json:
    states: Json = {
        name: {"running": {}}
        if code is None
        else {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed"}}
        for name, code in codes.items()
    }
    return {
        "metadata": {"name": "p", "namespace": "n"},
        "status": {"phase": "Running", "containerStatuses": [{"name": name, "state": state} for name, state in states.items()]},
    }


@pytest.mark.parametrize(
    ("codes", "want"),
    [
        pytest.param({"a": None, "b": None, "c": 0}, None, id="some-run"),
        pytest.param({"a": 0, "b": 0, "c": 0}, End(phase=Phase.SUCCEEDED), id="all-well"),
        pytest.param({"a": 0, "b": 0, "c": 2}, End(phase=Phase.FAILED, message="c: Error (exit code 2)"), id="one-failed"),
        pytest.param({"a": 1, "b": None, "c": None}, None, id="a-sibling-of-a-failed-one-goes-on"),
        pytest.param(
            {"a": 1, "b": None, "c": 0},
            End(phase=Phase.FAILED, message="a: Error (exit code 1)"),
            id="what-waits-for-a-failed-one-is-not-awaited",
        ),
        pytest.param(
            {"a": 0, "b": 2, "c": 1},
            End(phase=Phase.FAILED, message="b: Error (exit code 2)"),
            id="of-several-that-failed-the-first-by-name-is-told",
        ),
    ],
)
def test_a_set_ends_when_its_containers_have(codes: dict[str, int | None], want: End | None) -> None:
    assert read_set_end(pod(**codes), GRAPH) == want


def test_the_first_by_name_may_be_one_that_is_about_to_give_up() -> None:
    template = {"containerSet": {"containers": [{"name": "z"}, {"name": "main", "dependencies": ["z"]}]}}
    assert read_set_end(pod(z=3, main=None), template) == End(
        phase=Phase.FAILED,
        message='main: Error (exit code 64): dependency "z" exited with non-zero code: 3',
        exit_code="64",
    )


def test_main_alone_gives_the_exit_code() -> None:
    template = {"containerSet": {"containers": [{"name": "a"}, {"name": "main"}]}}
    assert read_set_end(pod(a=0, main=3), template) == End(
        phase=Phase.FAILED, message="main: Error (exit code 3)", exit_code="3"
    )


def test_each_container_has_its_phase() -> None:
    assert container_phases(pod(a=1, b=None, c=0), GRAPH) == {"a": "Failed", "b": "Error", "c": "Succeeded"}


def test_a_container_that_could_not_start_is_an_error() -> None:
    assert container_phases(pod(a=64, b=64, c=0), GRAPH) == {"a": "Error", "b": "Error", "c": "Succeeded"}


async def run(host: LocalHost, *containers: Json, workflow: Json | None = None, **fields: Any) -> Attempt:
    nodes = [{"image": "busybox", **one, "command": ["sh", "-c", one["command"]]} for one in containers]
    container_set = {"containers": nodes, "volumeMounts": [{"name": "w", "mountPath": "/w"}], **fields.pop("set", {})}
    template = {"name": "t", "volumes": [{"name": "w", "emptyDir": {}}], "containerSet": container_set, **fields}
    captured = any(one["name"] == "main" for one in nodes)
    return await run_pod(host, Decision(node="wf", template=template, workflow=workflow or {}, include_result=captured))


async def test_containers_wait_for_those_they_depend_on(host: LocalHost) -> None:
    done = await run(
        host,
        {"name": "a", "command": "sleep 0.5; echo 1 >> /w/order"},
        {"name": "b", "command": "echo 2 >> /w/order", "dependencies": ["a"]},
        {"name": "main", "command": "cat /w/order", "dependencies": ["b"]},
    )
    assert (done.phase, done.result, done.exit_code) == (Phase.SUCCEEDED, "1\n2", "0")
    assert done.containers == {"a": "Succeeded", "b": "Succeeded", "main": "Succeeded"}
    assert host.logged("main") == ["1", "2"]


async def test_what_depends_on_a_failed_one_never_begins(host: LocalHost) -> None:
    done = await run(host, {"name": "a", "command": "exit 3"}, {"name": "b", "command": "echo never", "dependencies": ["a"]})
    assert (done.phase, done.message, done.exit_code) == (Phase.FAILED, "a: Error (exit code 3)", None)
    assert (done.containers, "never" in host.logged("b")) == ({"a": "Failed", "b": "Error"}, False)


@pytest.mark.parametrize(
    ("retries", "phase"), [pytest.param(3, Phase.SUCCEEDED, id="three"), pytest.param(2, Phase.FAILED, id="two")]
)
async def test_retries_count_the_first_attempt_too(host: LocalHost, retries: int, phase: Phase) -> None:
    strategy = {"retryStrategy": {"retries": retries, "duration": "50ms"}}
    counting = {"name": "a", "command": "echo x >> /w/n; [ $(wc -l < /w/n) = 3 ]"}
    assert (await run(host, counting, set=strategy)).phase == phase


async def test_outputs_are_read_when_all_have_ended(host: LocalHost) -> None:
    done = await run(
        host,
        {"name": "a", "command": "sleep 1; echo late > /w/o"},
        {"name": "main", "command": "echo early"},
        outputs={"parameters": [{"name": "o", "valueFrom": {"path": "/w/o"}}]},
    )
    assert (done.phase, done.parameters, done.result) == (Phase.SUCCEEDED, {"o": "late"}, "early")


async def logs_of(host: LocalHost, *containers: Json) -> tuple[Attempt, dict[str, tuple[str, int]]]:
    """What became of the set, and key and size of each log that it left."""
    host.settings = replace(host.settings, artifact_repository={"volume": {"source": {"emptyDir": {}}, "keyFormat": "k"}})
    done = await run(host, *containers, workflow={"archiveLogs": True})
    return done, {name: (one["key"], one["size"]) for name, one in done.artifacts.items()}


async def test_each_containers_log_is_archived_under_its_name(host: LocalHost) -> None:
    done, logs = await logs_of(
        host,
        {"name": "a", "command": "echo out; sleep 0.2; echo err >&2"},
        {"name": "main", "command": "echo result; sleep 0.2; echo more >&2; exit 3", "dependencies": ["a"]},
        {"name": "z", "command": "sleep 1; echo late"},
    )
    assert (done.phase, done.message, done.result) == (Phase.FAILED, "main: Error (exit code 3)", "result")
    assert logs == {"a-logs": ("k/a.log", 8), "main-logs": ("k/main.log", 12), "z-logs": ("k/z.log", 5)}
    assert (host.logged("a"), host.logged("main")) == (["out", "err"], ["result", "more"])


async def test_a_set_without_main_archives_its_logs_too(host: LocalHost) -> None:
    done, logs = await logs_of(host, {"name": "a", "command": "true"}, {"name": "b", "command": "sleep 1; echo out; exit 2"})
    assert (done.phase, done.message, done.exit_code) == (Phase.FAILED, "b: Error (exit code 2)", None)
    assert logs == {"a-logs": ("k/a.log", 0), "b-logs": ("k/b.log", 4)}


async def test_a_container_that_never_began_has_no_log(host: LocalHost) -> None:
    done, logs = await logs_of(
        host, {"name": "a", "command": "echo no; exit 1"}, {"name": "main", "command": "echo never", "dependencies": ["a"]}
    )
    assert (done.phase, done.message) == (Phase.FAILED, "a: Error (exit code 1)")
    assert (done.containers, logs) == ({"a": "Failed", "main": "Error"}, {"a-logs": ("k/a.log", 3)})
