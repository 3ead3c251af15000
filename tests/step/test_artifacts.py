from __future__ import annotations

from typing import Any

from argo_yaml_provider.artifacts.containers import Moved
from argo_yaml_provider.pods.artifacts import Moves, Output
from argo_yaml_provider.step.artifacts import read_stored
from argo_yaml_provider.step.outcome import read_end

LOCATION = {"s3": {"endpoint": "e", "bucket": "b", "key": "k/a.tgz"}}


def moves(*, optional: bool = False) -> Moves:
    artifact = {"name": "a", "path": "/tmp/a", "optional": optional}
    moved = Moved(index=1, artifact={**artifact, **LOCATION}, path="/tmp/a")
    return Moves(outputs=(Output(moved=moved, recorded={**artifact, "s3": {"key": "k/a.tgz"}}),))


def pod(store: dict[str, Any] | None, main: dict[str, Any]) -> dict[str, Any]:
    state = {"terminated": store} if store else {"running": {}}
    statuses = [{"name": "argo-store-rclone", "state": state}, {"name": "main", "state": {"terminated": main}}]
    return {"metadata": {"name": "p", "namespace": "n"}, "status": {"phase": "Running", "containerStatuses": statuses}}


DONE = {"exitCode": 0, "message": "packed"}


def test_a_stored_artifact_is_recorded_with_store_bucket_and_size() -> None:
    stored = read_stored(pod({"exitCode": 0, "message": "1 saved 7\n"}, DONE), moves())
    assert (stored.problems, stored.artifacts) == (
        (),
        {
            "a": {
                "store": "s3",
                "bucket": "b",
                "key": "k/a.tgz",
                "connection": "",
                "size": 7,
                "media_type": "application/gzip",
                "location": {"path": "/tmp/a", "optional": False, "s3": {"key": "k/a.tgz"}},
            }
        },
    )


def test_only_an_optional_artifact_may_be_missing() -> None:
    absent = pod({"exitCode": 0, "message": "1 absent\n"}, DONE)
    assert read_stored(absent, moves()).problems == ("artifact a failed to save: /tmp/a no such file or directory",)
    assert read_stored(absent, moves(optional=True)).problems == ()


def test_what_the_store_said_is_the_reason() -> None:
    refused = pod({"exitCode": 0, "message": "1 failed AccessDenied\n"}, DONE)
    assert read_stored(refused, moves()).problems == ("artifact a failed to save: AccessDenied",)


def test_a_container_that_died_while_storing_is_named() -> None:
    killed = pod({"exitCode": 137, "reason": "OOMKilled"}, DONE)
    assert read_stored(killed, moves()).problems == ("artifact a failed to save: argo-store-rclone: OOMKilled (exit code 137)",)


def test_the_step_ends_when_its_artifacts_are_stored() -> None:
    assert read_end(pod(None, DONE)) is None
    end = read_end(pod({"exitCode": 0}, DONE))
    assert end is not None
    assert end.phase == "Succeeded"


def test_nothing_is_waited_for_where_the_supervisor_was_killed() -> None:
    end = read_end(pod(None, {"exitCode": 137, "reason": "OOMKilled"}))
    assert end is not None
    assert end.message == "main: OOMKilled (exit code 137)"
