from __future__ import annotations

from dataclasses import replace
from typing import Any

from argo_yaml_provider.artifacts.containers import Moved
from argo_yaml_provider.pods.artifacts import Moves, Output
from argo_yaml_provider.step.artifacts import stored_of
from argo_yaml_provider.step.outcome import read_end
from argo_yaml_provider.step.pod import run_pod
from tests.step.conftest import LocalHost, container

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
    stored = stored_of(pod({"exitCode": 0}, DONE), moves(), {1: "saved 7"})
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
    done = pod({"exitCode": 0}, DONE)
    assert stored_of(done, moves(), {1: "absent"}).problems == ("artifact a failed to save: /tmp/a no such file or directory",)
    assert stored_of(done, moves(optional=True), {1: "absent"}).problems == ()


def test_what_the_store_said_is_the_reason() -> None:
    done = pod({"exitCode": 0}, DONE)
    assert stored_of(done, moves(), {1: "failed AccessDenied"}).problems == ("artifact a failed to save: AccessDenied",)


def test_a_container_that_died_while_storing_is_named() -> None:
    killed = pod({"exitCode": 137, "reason": "OOMKilled"}, DONE)
    assert stored_of(killed, moves(), {}).problems == (
        "artifact a failed to save: argo-store-rclone: OOMKilled (exit code 137)",
    )


def test_the_step_ends_when_its_artifacts_are_stored() -> None:
    assert read_end(pod(None, DONE)) is None
    end = read_end(pod({"exitCode": 0}, DONE))
    assert end is not None
    assert end.phase == "Succeeded"


def test_nothing_is_waited_for_where_the_supervisor_was_killed() -> None:
    end = read_end(pod(None, {"exitCode": 137, "reason": "OOMKilled"}))
    assert end is not None
    assert end.message == "main: OOMKilled (exit code 137)"


async def test_a_step_may_give_five_hundred_artifacts(host: LocalHost) -> None:
    host.settings = replace(host.settings, artifact_repository={"volume": {"source": {"emptyDir": {}}, "keyFormat": "k"}})
    numbers = range(500)
    outputs = [{"name": f"a{n}", "path": f"/tmp/many/{n}", "archive": {"none": {}}} for n in numbers]
    script = "mkdir /tmp/many; n=0; while [ $n -lt 500 ]; do echo $n >/tmp/many/$n; n=$((n + 1)); done"
    done = await run_pod(host, container("sh", "-c", script, outputs={"artifacts": outputs}))
    assert (done.phase, done.message) == ("Succeeded", "")
    assert {name: (one["key"], one["size"]) for name, one in done.artifacts.items()} == {
        f"a{n}": (f"k/{n}", len(str(n)) + 1) for n in numbers
    }
    assert host.lines[1:] == []
