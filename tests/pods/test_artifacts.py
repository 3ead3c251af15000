from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.pods.artifacts import archives_logs, input_mounts, plan_moves

REPOSITORY = {
    "s3": {"endpoint": "minio:9000", "bucket": "b", "keyFormat": "{{workflow.name}}/{{inputs.parameters.day}}/{{pod.name}}"}
}


def decision(inputs: list[Any] | None = None, outputs: list[Any] | None = None, **template: Any) -> Decision:
    filled = {
        "name": "main",
        "inputs": {"artifacts": inputs or [], "parameters": [{"name": "day", "value": "monday"}]},
        "outputs": {"artifacts": outputs or []},
        "container": {"image": "busybox", "volumeMounts": [{"name": "work", "mountPath": "/work"}]},
        **template,
    }
    return Decision(node="wf", template=filled, variables={"workflow.name": "wf"})


@pytest.mark.parametrize(
    ("archive", "want"),
    [
        pytest.param(None, "wf/monday/pod-1/model.tgz", id="packed-by-default"),
        pytest.param({"tar": {"compressionLevel": 9}}, "wf/monday/pod-1/model.tgz", id="packed"),
        pytest.param({"zip": {}}, "wf/monday/pod-1/model.zip", id="zipped"),
        pytest.param({"none": {}}, "wf/monday/pod-1/model.bin", id="as-it-is"),
    ],
)
def test_an_output_without_a_key_is_named_after_its_pod_and_itself(archive: Any, want: str) -> None:
    artifact = {"name": "model", "path": "/tmp/model.bin", "archive": archive}
    (output,) = plan_moves(decision(outputs=[artifact]), REPOSITORY, pod_name="pod-1").outputs
    assert output.recorded["s3"] == {"key": want}
    assert output.moved.artifact["s3"] == {"endpoint": "minio:9000", "bucket": "b", "key": want}


def test_an_output_with_a_key_keeps_it_in_the_repository() -> None:
    artifact = {"name": "model", "path": "/tmp/model.bin", "s3": {"key": "mine"}}
    (output,) = plan_moves(decision(outputs=[artifact]), REPOSITORY, pod_name="pod-1").outputs
    assert (output.recorded["s3"], output.moved.artifact["s3"]["bucket"]) == ({"key": "mine"}, "b")


def test_the_templates_own_location_goes_before_the_repository() -> None:
    own = {"gcs": {"bucket": "other", "key": "{{pod.name}}"}}
    (output,) = plan_moves(
        decision(outputs=[{"name": "a", "path": "/a"}], archiveLocation=own), REPOSITORY, pod_name="p"
    ).outputs
    assert output.moved.artifact["gcs"] == {"bucket": "other", "key": "p/a.tgz"}


def test_an_input_on_a_volume_of_the_users_is_fetched_onto_it() -> None:
    raw = {"raw": {"data": "x"}}
    inputs = [{"name": "a", "path": "/work/a", **raw}, {"name": "b", "path": "/workshop/b", **raw}]
    moved = plan_moves(decision(inputs=inputs), None, pod_name="p").inputs
    assert [one.path for one in moved] == ["/mainctrfs/work/a", "/argo/inputs/artifacts/2"]


def test_main_sees_inputs_where_they_have_been_put() -> None:
    where = {"endpoint": "e", "bucket": "b"}
    inputs = [
        {"name": "packed", "path": "/in/1", "s3": {**where, "key": "x/1.tgz"}},
        {"name": "plain", "path": "/in/2", "archive": {"none": {}}, "s3": {**where, "key": "x/2"}},
    ]
    assert input_mounts(plan_moves(decision(inputs=inputs), None, pod_name="p")) == [
        {"name": "input-artifacts", "mountPath": "/in/1", "subPath": "1"},
        {"name": "input-artifacts", "mountPath": "/in/2", "subPath": ".many/1/x/2"},
    ]


def test_an_optional_input_that_nobody_gave_is_not_fetched() -> None:
    assert plan_moves(decision(inputs=[{"name": "a", "path": "/a", "optional": True}]), None, pod_name="p").inputs == ()


def test_without_a_repository_an_output_says_where_one_is_configured() -> None:
    with pytest.raises(RunError) as caught:
        plan_moves(decision(outputs=[{"name": "a", "path": "/a"}]), None, pod_name="p")
    assert str(caught.value) == (
        "artifact 'a' has no location of its own, and the namespace has no artifact repository\n"
        "   = help: create the ConfigMap artifact-repositories in the namespace, or set [argo_yaml] artifact_repository"
    )


def test_a_tag_of_the_key_format_that_has_no_value_is_an_error() -> None:
    repository = {"s3": {"endpoint": "e", "bucket": "b", "keyFormat": "{{inputs.parameters.nosuch}}"}}
    with pytest.raises(RunError) as caught:
        plan_moves(decision(outputs=[{"name": "a", "path": "/a"}]), repository, pod_name="p")
    assert "holds a tag that has no value here: {{inputs.parameters.nosuch}}" in str(caught.value)


def test_a_key_format_that_nobody_needs_may_hold_any_tag() -> None:
    repository = {"s3": {"endpoint": "e", "bucket": "b", "keyFormat": "{{inputs.parameters.nosuch}}"}}
    whole = {"name": "b", "path": "/b", "s3": {"endpoint": "other", "bucket": "b", "key": "k"}}
    moves = plan_moves(decision([{"name": "a", "path": "/a", "raw": {"data": "x"}}], [whole]), repository, pod_name="p")
    assert [one.artifact.get("s3") for one in (*moves.inputs, *moves.stored)] == [None, whole["s3"]]


@pytest.mark.parametrize(
    ("repository", "template", "workflow", "want"),
    [(None, None, None, False), (None, None, True, True), (None, False, True, False), (True, False, False, True)],
)
def test_logs_are_archived_as_repository_template_or_workflow_say(
    repository: bool | None, template: bool | None, workflow: bool | None, want: bool
) -> None:
    location = {"archiveLocation": {"archiveLogs": template}}
    assert archives_logs(location, {"archiveLogs": workflow}, {"archiveLogs": repository}) is want


def test_two_inputs_on_one_path_are_refused() -> None:
    raw = {"raw": {"data": "x"}}
    inputs = [{"name": "a", "path": "/in/x", **raw}, {"name": "b", "path": "/in/./x/", **raw}]
    with pytest.raises(RunError) as caught:
        plan_moves(decision(inputs=inputs), None, pod_name="p")
    assert str(caught.value) == ("input artifacts 'a' and 'b' have one path: /in/x\n   = help: give one of them another path")
