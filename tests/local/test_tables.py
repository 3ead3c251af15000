from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from argo_yaml_provider.local.tables import pod_status, render_age


@pytest.mark.parametrize(
    ("ago", "want"),
    [
        ({"seconds": 5}, "5s"),
        ({"seconds": 119}, "119s"),
        ({"minutes": 5, "seconds": 3}, "5m3s"),
        ({"minutes": 90}, "90m"),
        ({"hours": 5}, "5h"),
        ({"hours": 30}, "30h"),
        ({"days": 3, "hours": 4}, "3d4h"),
        ({"days": 9}, "9d"),
    ],
)
def test_an_age_is_written_as_kubectl_writes_it(ago: dict[str, int], want: str) -> None:
    then = datetime.now(UTC) - timedelta(**ago)
    assert render_age(then.strftime("%Y-%m-%dT%H:%M:%SZ")) == want


def found(*states: dict[str, Any], **status: Any) -> dict[str, Any]:
    statuses = [{"name": f"c{i}", "ready": False, "state": state} for i, state in enumerate(states)]
    names = [{"name": s["name"]} for s in statuses]
    return {"metadata": {}, "spec": {"containers": names}, "status": {"containerStatuses": statuses, **status}}


DONE = {"terminated": {"exitCode": 0, "reason": "Completed"}}
FAILED = {"terminated": {"exitCode": 1, "reason": "Error"}}


def half_done() -> dict[str, Any]:
    pod = found(DONE, {"running": {}}, phase="Running")
    pod["status"]["containerStatuses"][1]["ready"] = True
    return pod


@pytest.mark.parametrize(
    ("pod", "want"),
    [
        pytest.param(found(DONE, FAILED, phase="Failed"), "Completed", id="the-first-container-has-the-word"),
        pytest.param(found(FAILED, phase="Failed", reason="DeadlineExceeded"), "Error", id="containers-say-more-than-the-pod"),
        pytest.param(found({"waiting": {"reason": "ErrImagePull"}}, phase="Pending"), "ErrImagePull", id="waiting"),
        pytest.param(found({"terminated": {"exitCode": 3}}, phase="Failed"), "ExitCode:3", id="no-reason"),
        pytest.param(half_done(), "NotReady", id="half-done"),
    ],
)
def test_the_status_column(pod: dict[str, Any], want: str) -> None:
    assert pod_status(pod) == want
