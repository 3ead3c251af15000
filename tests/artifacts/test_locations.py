"""Locations: which store, which key, and what the repository adds."""

from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.artifacts.locations import archive_location, has_location, key_of, relocate, saved_as, with_key
from argo_yaml_provider.diagnostics import RunError

REPOSITORY = {"s3": {"endpoint": "minio:9000", "bucket": "my-bucket", "insecure": True}}


@pytest.mark.parametrize(
    ("artifact", "key", "whole"),
    [
        pytest.param({"name": "a"}, "", False, id="no-store"),
        pytest.param({"s3": {"key": "x/y"}}, "x/y", False, id="key-only"),
        pytest.param({"s3": {"endpoint": "e", "bucket": "b", "key": "k"}}, "k", True, id="s3"),
        pytest.param({"gcs": {"bucket": "b", "key": "k"}}, "k", True, id="gcs-needs-no-endpoint"),
        pytest.param({"azure": {"endpoint": "e", "container": "c", "blob": "x"}}, "x", True, id="azure"),
        pytest.param({"http": {"url": "https://h/a/b?c=d"}}, "/a/b", True, id="http-key-is-the-path"),
        pytest.param({"raw": {"data": ""}}, "", True, id="raw-is-always-whole"),
        pytest.param({"git": {"repo": "r"}}, "", True, id="git"),
        pytest.param({"hdfs": {"addresses": ["n:1"], "path": "/p"}}, "/p", True, id="hdfs"),
    ],
)
def test_a_location_has_a_key_and_is_whole_or_not(artifact: dict[str, Any], key: str, whole: bool) -> None:
    assert (key_of(artifact), has_location(artifact)) == (key, whole)


@pytest.mark.parametrize(
    ("repository", "want"),
    [
        pytest.param({}, {}, id="none"),
        pytest.param(
            REPOSITORY,
            {
                "s3": {
                    "endpoint": "minio:9000",
                    "bucket": "my-bucket",
                    "insecure": True,
                    "key": "{{workflow.name}}/{{pod.name}}",
                }
            },
            id="the-default-key-format",
        ),
        pytest.param(
            {"s3": {"bucket": "b", "keyPrefix": "old"}},
            {"s3": {"bucket": "b", "key": "old/{{workflow.name}}/{{pod.name}}"}},
            id="key-prefix",
        ),
        pytest.param({"gcs": {"bucket": "b", "keyFormat": "k"}}, {"gcs": {"bucket": "b", "key": "k"}}, id="key-format"),
        pytest.param(
            {"azure": {"container": "c", "blobNameFormat": "k"}}, {"azure": {"container": "c", "blob": "k"}}, id="azure"
        ),
        pytest.param(
            {"artifactory": {"repoURL": "https://h/r", "keyFormat": "k"}},
            {"artifactory": {"url": "https://h/r/k"}},
            id="artifactory",
        ),
    ],
)
def test_a_repository_becomes_a_location(repository: dict[str, Any], want: dict[str, Any]) -> None:
    assert archive_location(repository) == want


def test_a_key_only_artifact_takes_the_repositorys_place_and_keeps_its_key() -> None:
    artifact = {"name": "a", "path": "/p", "s3": {"key": "mine"}}
    assert relocate(artifact, archive_location(REPOSITORY)) == {
        "name": "a",
        "path": "/p",
        "s3": {"endpoint": "minio:9000", "bucket": "my-bucket", "insecure": True, "key": "mine"},
    }


def test_a_whole_location_stays_as_it_is() -> None:
    artifact = {"name": "a", "http": {"url": "https://h/x"}}
    assert relocate(artifact, archive_location(REPOSITORY)) == artifact


def test_an_output_is_recorded_under_the_repositorys_key_without_its_bucket() -> None:
    location = {"s3": {"endpoint": "e", "bucket": "b", "key": "wf/pod"}}
    assert saved_as({"name": "a", "path": "/p"}, location, "a.tgz") == {
        "name": "a",
        "path": "/p",
        "s3": {"key": "wf/pod/a.tgz"},
    }
    assert saved_as({"name": "a", "s3": {"key": "own"}}, location, "a.tgz") == {"name": "a", "s3": {"key": "own"}}


def test_no_repository_says_what_to_create() -> None:
    with pytest.raises(RunError) as caught:
        relocate({"name": "model"}, None)
    assert str(caught.value) == (
        "artifact 'model' has no location of its own, and the namespace has no artifact repository\n"
        "   = help: create the ConfigMap artifact-repositories in the namespace, or set [argo_yaml] artifact_repository"
    )


def test_a_url_keeps_its_host_when_its_key_changes() -> None:
    assert with_key({"http": {"url": "https://h:1/a"}}, "/b/c") == {"http": {"url": "https://h:1/b/c"}}
