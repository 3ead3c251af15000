from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.step.outcome import End, pending_reason, read_end, with_message


def ended(code: int, reason: str = "", **more: Any) -> Json:
    return {"terminated": {"exitCode": code, "reason": reason or ("Error" if code else "Completed"), **more}}


def pod(phase: str = "Running", *, inits: Json | None = None, message: str = "", **containers: Json) -> Json:
    def statuses(states: Json) -> list[Json]:
        return [{"name": name, "state": state} for name, state in states.items()]

    status = {"phase": phase, "initContainerStatuses": statuses(inits or {}), "containerStatuses": statuses(containers)}
    return {"metadata": {"name": "p", "namespace": "n"}, "status": {**status, **({"message": message} if message else {})}}


RUNNING: Json = {"running": {}}
DEADLINE = "Pod was active on the node longer than the specified deadline"


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param(pod("Pending"), None, id="pending"),
        pytest.param(pod(main=RUNNING), None, id="running"),
        pytest.param(
            pod("Pending", main=ended(0)), End(phase=Phase.SUCCEEDED, exit_code="0"), id="mains-end-decides-not-the-phase"
        ),
        pytest.param(
            pod(main=ended(0), sidecar=RUNNING),
            End(phase=Phase.SUCCEEDED, exit_code="0"),
            id="a-running-sidecar-does-not-matter",
        ),
        pytest.param(
            pod(main=ended(0), sidecar=ended(143)),
            End(phase=Phase.SUCCEEDED, exit_code="0"),
            id="a-killed-sidecar-does-not-matter",
        ),
        pytest.param(
            pod(main=ended(0), sidecar=ended(1)),
            End(phase=Phase.FAILED, message="sidecar: Error (exit code 1)", exit_code="0"),
            id="a-sidecar-that-failed-fails-the-step",
        ),
        pytest.param(
            pod(main=ended(2, message="why")),
            End(phase=Phase.FAILED, message="main: Error (exit code 2): why", exit_code="2"),
            id="main-failed-and-said-why",
        ),
        pytest.param(
            pod(main=ended(137, "OOMKilled")),
            End(phase=Phase.FAILED, message="main: OOMKilled (exit code 137)", exit_code="137"),
            id="out-of-memory",
        ),
        pytest.param(
            pod(main=ended(128, "StartError", message='exec: "x": no such file')),
            End(phase=Phase.FAILED, message='main: StartError (exit code 128): exec: "x": no such file', exit_code="64"),
            id="a-program-that-is-not-there-has-emissarys-exit-code",
        ),
        pytest.param(
            pod(main=ended(128, "StartError", message="error mounting /a")),
            End(phase=Phase.FAILED, message="main: StartError (exit code 128): error mounting /a", exit_code="128"),
            id="any-other-trouble-at-the-start-has-the-runtimes",
        ),
        pytest.param(
            pod("Failed", message=DEADLINE, main=RUNNING),
            End(phase=Phase.FAILED, message=DEADLINE),
            id="deadline-before-main-ended",
        ),
        pytest.param(
            pod("Failed", message="The node was low on resource: memory."),
            End(phase=Phase.FAILED, message="The node was low on resource: memory."),
            id="evicted",
        ),
        pytest.param(
            pod("Failed", inits={"setup": ended(3)}, main={"waiting": {"reason": "PodInitializing"}}),
            End(phase=Phase.FAILED, message="setup: Error (exit code 3)"),
            id="an-init-container-failed",
        ),
        pytest.param(
            pod("Failed", main={"waiting": {"reason": "ContainerCreating", "message": "x"}}),
            End(phase=Phase.ERROR, message="Pod failed before main container starts due to ContainerCreating: x"),
            id="failed-before-main-started",
        ),
        pytest.param(
            pod(main=ended(0), supervisor=ended(1)),
            End(phase=Phase.ERROR, message="supervisor: Error (exit code 1)", exit_code="0"),
            id="the-supervisor-failed",
        ),
        pytest.param(
            pod(main=ended(5), supervisor=ended(1)),
            End(phase=Phase.FAILED, message="main: Error (exit code 5)", exit_code="5"),
            id="main-is-named-before-the-supervisor",
        ),
        pytest.param(
            pod("Failed"),
            End(phase=Phase.FAILED, message="can't find failed message for pod p namespace n"),
            id="failed-without-a-word",
        ),
    ],
)
def test_reads_the_end_as_argo_does(status: Json, want: End | None) -> None:
    assert read_end(status) == want


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param(pod(main=RUNNING), End(phase=Phase.ERROR, message="pod deleted"), id="while-it-ran"),
        pytest.param(
            pod(main=ended(143)),
            End(phase=Phase.FAILED, message="main: Error (exit code 143)", exit_code="143"),
            id="after-main-ended",
        ),
    ],
)
def test_a_pod_that_is_gone_is_judged_by_what_was_last_seen(status: Json, want: End) -> None:
    assert read_end(status, gone=True) == want


@pytest.mark.parametrize(
    ("status", "want"),
    [
        (pod("Pending", main={"waiting": {"reason": "ContainerCreating"}}), ""),
        (
            pod("Pending", main={"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}),
            "main: ImagePullBackOff: Back-off pulling image",
        ),
        (pod(main=RUNNING), ""),
        (
            {"metadata": {}, "status": {"conditions": [{"reason": "Unschedulable", "message": "0/3 nodes are available"}]}},
            "Unschedulable: 0/3 nodes are available",
        ),
    ],
)
def test_says_what_a_pod_waits_for(status: Json, want: str) -> None:
    assert pending_reason(status) == want


def test_mains_message_is_replaced() -> None:
    assert read_end(with_message(pod(main=ended(1, message="packed")), "own")) == End(
        phase=Phase.FAILED, message="main: Error (exit code 1): own", exit_code="1"
    )
