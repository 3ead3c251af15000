"""An Airflow connection as the artifact repository: what is read from it, and who may have it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.models.connection import Connection

from argo_yaml_provider.airflow.connections import _store_options
from argo_yaml_provider.airflow.settings import artifact_repository
from argo_yaml_provider.airflow.stores import connection_in, options_of, repository_at
from argo_yaml_provider.artifacts.locations import archive_location
from argo_yaml_provider.diagnostics import RunError

KEYS = "{{workflow.name}}/{{pod.name}}"


@pytest.mark.parametrize(
    ("uri", "want"),
    [
        pytest.param("s3://aws@box/a/b", {"s3": {"bucket": "box", "key": f"a/b/{KEYS}", "connection": "aws"}}, id="s3"),
        pytest.param("gs://g@box", {"gcs": {"bucket": "box", "key": KEYS, "connection": "g"}}, id="gs"),
        pytest.param("wasb://w@box/p/", {"azure": {"container": "box", "blob": f"p/{KEYS}", "connection": "w"}}, id="wasb"),
    ],
)
def test_a_uri_names_connection_bucket_and_prefix(uri: str, want: Any) -> None:
    assert archive_location(repository_at(uri)) == want


def test_the_option_takes_a_uri_or_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "AIRFLOW__ARGO_YAML__ARTIFACT_REPOSITORY"
    monkeypatch.setenv(name, '{"s3": {"bucket": "b"}}')
    assert artifact_repository() == {"s3": {"bucket": "b"}}
    monkeypatch.setenv(name, "s3://aws@box/p")
    assert connection_in(artifact_repository()) == "aws"
    monkeypatch.setenv(name, "ftp://x/y")
    with pytest.raises(ValueError, match=r"^\[argo_yaml\] artifact_repository: 'ftp://x/y' names no store: ") as caught:
        artifact_repository()
    assert str(caught.value).endswith("write s3://CONN_ID@BUCKET/PREFIX, gs://… or wasb://…, or a JSON object")


S3 = {"type": "s3", "no_check_bucket": "true"}
AZURE = {"type": "azureblob", "no_check_container": "true"}
GCS = {"type": "google cloud storage", "no_check_bucket": "true", "bucket_policy_only": "true"}


@pytest.mark.parametrize(
    ("given", "want"),
    [
        pytest.param({"conn_type": "aws"}, {**S3, "provider": "AWS", "env_auth": "true"}, id="aws-identity"),
        pytest.param(
            {"conn_type": "aws", "login": "k", "password": "s", "extra": {"region_name": "r", "endpoint_url": "http://m:9000"}},
            {
                **S3,
                "provider": "Other",
                "access_key_id": "k",
                "secret_access_key": "s",
                "region": "r",
                "endpoint": "http://m:9000",
            },
            id="aws-keys",
        ),
        pytest.param(
            {"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": {"type": "service_account"}}},
            {**GCS, "service_account_credentials": '{"type": "service_account"}'},
            id="google-key",
        ),
        pytest.param({"conn_type": "google_cloud_platform"}, {**GCS, "env_auth": "true"}, id="google-identity"),
        pytest.param(
            {"conn_type": "wasb", "login": "acc", "password": "k"}, {**AZURE, "account": "acc", "key": "k"}, id="azure-key"
        ),
        pytest.param(
            {"conn_type": "wasb", "login": "acc", "extra": {"sas_token": "?sv=1&sig=2"}},
            {**AZURE, "sas_url": "https://acc.blob.core.windows.net?sv=1&sig=2"},
            id="azure-sas",
        ),
        pytest.param(
            {"conn_type": "wasb", "extra": {"connection_string": "AccountName=a;AccountKey=k==;BlobEndpoint=http://h:1/a"}},
            {**AZURE, "account": "a", "key": "k==", "endpoint": "http://h:1/a", "use_emulator": "true"},
            id="azure-connection-string",
        ),
        pytest.param(
            {
                "conn_type": "wasb",
                "host": "https://a.blob.core.windows.net",
                "login": "i",
                "password": "s",
                "extra": {"tenant_id": "t"},
            },
            {**AZURE, "account": "a", "tenant": "t", "client_id": "i", "client_secret": "s"},
            id="azure-principal",
        ),
    ],
)
def test_a_connection_is_said_in_rclones_words(given: dict[str, Any], want: dict[str, str]) -> None:
    extra = json.dumps(given.pop("extra", {}))
    assert options_of(Connection(conn_id="c", **given, extra=extra)) == want


def test_a_connection_that_is_no_store_says_so() -> None:
    with pytest.raises(RunError) as caught:
        options_of(Connection(conn_id="mail", conn_type="smtp"))
    assert caught.value.message == "the connection 'mail' is of type 'smtp', which is no store of artifacts"


async def test_only_the_connection_that_the_deployment_names_is_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__ARGO_YAML__ARTIFACT_REPOSITORY", "s3://store@box")
    found = Connection(conn_id="store", conn_type="aws", login="k", password="s")
    assert (await _store_options(lambda _: found, "store"))["access_key_id"] == "k"
    with pytest.raises(RunError) as caught:
        await _store_options(lambda _: found, "other")
    assert str(caught.value) == (
        "artifacts are at the connection 'other', which [argo_yaml] artifact_repository does not name\n   = help: name it there"
    )
