"""s3, oss, gcs and azure, moved for real by rclone: files, folders, credentials right and wrong, buckets that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from argo_yaml_provider.artifacts.transports import transport_for
from argo_yaml_provider.diagnostics import RunError
from tests.stores import install, servers
from tests.stores.moving import Secrets, fetch, store
from tests.stores.web import Web, serve_web

Json = dict[str, Any]
TOKEN_NAMES = "check key key of Secret right, key secret of Secret right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A store with a bucket `box`, as a workflow would name it."""

    name: str
    location: Json
    """Without the key."""
    key: str
    """The field that holds it."""
    bucket: str
    """The field that holds the bucket."""
    place: str
    right: dict[str, str]
    wrong: dict[str, str]
    env: dict[str, str]

    def at(self, key: str, **more: Any) -> Json:
        return {self.name: {**self.location, self.key: key, **more}}

    @property
    def secrets(self) -> Secrets:
        return {"login": self.right}

    @property
    def wrong_secrets(self) -> Secrets:
        return {"login": self.wrong}


def login(key: str) -> dict[str, str]:
    return {"name": "login", "key": key}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which rclone is a new one."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "rclone").symlink_to(install.rclone())
    return f"{folder}:/usr/local/bin:/usr/bin:/bin"


@pytest.fixture(scope="module")
def strict_s3() -> Iterator[servers.S3]:
    with servers.serve_strict_s3() as running:
        yield running


@pytest.fixture(scope="module")
def s3(strict_s3: servers.S3, path: str) -> Bucket:
    endpoint = f"127.0.0.1:{strict_s3.port}"
    keys = {"accessKeySecret": login("key"), "secretKeySecret": login("secret")}
    return Bucket(
        name="s3",
        location={"endpoint": endpoint, "insecure": True, "bucket": "box", **keys},
        key="key",
        bucket="bucket",
        place=f"at {endpoint}",
        right={"key": strict_s3.key, "secret": strict_s3.secret},
        wrong={"key": strict_s3.key, "secret": "guess"},
        env={"PATH": path},
    )


@pytest.fixture(scope="module")
def oss(s3: Bucket) -> Bucket:
    endpoint = f"http://{s3.location['endpoint']}"
    location = {**s3.location, "endpoint": endpoint}
    del location["insecure"]
    return Bucket(
        name="oss",
        location=location,
        key="key",
        bucket="bucket",
        place=f"at {endpoint}",
        right=s3.right,
        wrong=s3.wrong,
        env=s3.env,
    )


@pytest.fixture(scope="module")
def azure(path: str) -> Iterator[Bucket]:
    with servers.serve_azure() as port:
        endpoint = f"http://127.0.0.1:{port}/{servers.ACCOUNT}"
        yield Bucket(
            name="azure",
            location={"endpoint": endpoint, "container": "box", "accountKeySecret": login("key")},
            key="blob",
            bucket="container",
            place=f"at {endpoint}",
            right={"key": servers.ACCOUNT_KEY},
            wrong={"key": servers.WRONG_KEY},
            env={"PATH": path},
        )


@pytest.fixture(scope="module")
def gcs(path: str) -> Iterator[Bucket]:
    with serve_web(Web()) as tokens, servers.serve_gcs("127.0.0.1") as port:
        url = f"http://127.0.0.1:{tokens.port}/google"
        right, wrong = servers.google_key(url), servers.google_key(url)
        tokens.google = right.public
        yield Bucket(
            name="gcs",
            location={"bucket": "box", "serviceAccountKeySecret": login("key")},
            key="key",
            bucket="bucket",
            place="",
            right={"key": right.private},
            wrong={"key": wrong.private},
            env={"PATH": path, "RCLONE_GCS_ENDPOINT": f"http://127.0.0.1:{port}/storage/v1/"},
        )


@pytest.fixture(params=["s3", "oss", "azure", "gcs"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    found: Bucket = request.getfixturevalue(request.param)
    return found


def said(bucket: Bucket, key: str, words: str, where: str = "box") -> str:
    return " ".join(filter(None, [f"{bucket.name} {where}/{key}", bucket.place])) + f": {words}"


def test_a_file_that_was_stored_comes_back(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"five\0")
    artifact = bucket.at("a b/ümlaut/x.tgz")
    assert store(artifact, tmp_path / "file", tmp_path, bucket.secrets, **bucket.env) == "saved 5"
    assert fetch({**artifact, "archive": {"none": {}}}, tmp_path, bucket.secrets, **bucket.env) == ""
    assert (tmp_path / "got").read_bytes() == b"five\0"


def test_a_folder_that_was_stored_comes_back(bucket: Bucket, tmp_path: Path) -> None:
    for name in ("one", "sub/two", "sub/ünï code"):
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_text(name)
    assert store(bucket.at("folder"), tmp_path / "folder", tmp_path, bucket.secrets, **bucket.env) == "saved 24"
    assert fetch(bucket.at("folder"), tmp_path, bucket.secrets, **bucket.env) == ""
    found = {
        str(path.relative_to(tmp_path / "got")): path.read_text() for path in (tmp_path / "got").rglob("*") if path.is_file()
    }
    assert found == {name: name for name in ("one", "sub/two", "sub/ünï code")}


def test_wrong_credentials_are_told_with_the_way_out(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    keys = "key key of Secret login" + (", key secret of Secret login" if "secret" in bucket.right else "")
    want = said(bucket, "k", f"the store refuses the credentials: check {keys}")
    stored = store(bucket.at("k"), tmp_path / "file", tmp_path, bucket.wrong_secrets, **bucket.env)
    assert stored.partition(" (")[0] == f"failed {want}"
    fetched = fetch(bucket.at("k"), tmp_path, bucket.wrong_secrets, **bucket.env)
    assert fetched.partition(" (")[0] == f"artifact model failed to load: {want}"


def test_a_bucket_that_is_not_there_is_told_with_the_way_out(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    artifact = bucket.at("k", **{bucket.bucket: "nosuch"})
    create = {"s3": "create the bucket, or set createBucketIfNotPresent"}
    way_out = create["s3"] if bucket.name in ("s3", "oss") else "create it, or correct the location"
    stored = store(artifact, tmp_path / "file", tmp_path, bucket.secrets, **bucket.env)
    assert stored.partition(" (")[0] == "failed " + said(bucket, "k", f"there is no such place: {way_out}", "nosuch")
    fetched = fetch(artifact, tmp_path, bucket.secrets, **bucket.env)
    assert fetched.startswith("artifact model failed to load: " + said(bucket, "k", "", "nosuch"))


@pytest.mark.parametrize("name", ["s3", "azure", "gcs"])
def test_a_store_that_is_away_is_told_also_where_the_artifact_is_optional(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bucket: Bucket = request.getfixturevalue(name)
    address = bucket.env.get("RCLONE_GCS_ENDPOINT") or f"//{bucket.place.removeprefix('at ').rpartition('//')[2]}"

    def away(text: str) -> str:
        return text.replace(f":{urlsplit(address).port}", ":9")

    location = {field: away(value) if isinstance(value, str) else value for field, value in bucket.at("k")[name].items()}
    env = {variable: away(value) for variable, value in bucket.env.items()}
    fetched = fetch({name: location, "optional": True}, tmp_path, bucket.secrets, **env)
    want = away(said(bucket, "k", "the store does not answer, tried 1 times: see that it is up, and its address right"))
    assert fetched.partition(" (")[0] == f"artifact model failed to load: {want}"


def test_a_key_that_is_not_there_is_told_unless_it_is_optional(bucket: Bucket, tmp_path: Path) -> None:
    want = said(bucket, "none", "nothing lies at its key: store it first, or declare the artifact optional")
    fetched = fetch(bucket.at("none"), tmp_path, bucket.secrets, **bucket.env)
    assert fetched.partition(" (")[0] == f"artifact model failed to load: {want}"
    assert fetch({**bucket.at("none"), "optional": True}, tmp_path, bucket.secrets, **bucket.env) == ""


def test_a_secret_that_is_not_there_is_told(bucket: Bucket, tmp_path: Path) -> None:
    lacking = next(reversed(bucket.right))
    want = f"Secret login has no key {lacking}, or is not in the namespace: create it, or correct the location"
    assert fetch(bucket.at("k"), tmp_path, {}, **bucket.env) == "artifact model failed to load: " + said(bucket, "k", want)


@pytest.mark.parametrize("name", ["s3", "oss"])
def test_a_bucket_is_created_where_that_is_asked_for(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    bucket: Bucket = request.getfixturevalue(name)
    (tmp_path / "file").write_text("x")
    artifact = bucket.at("k", bucket=f"new-{name}", createBucketIfNotPresent={} if name == "s3" else True)
    assert store(artifact, tmp_path / "file", tmp_path, bucket.secrets, **bucket.env) == "saved 1"


def test_an_azure_key_may_be_a_shared_access_signature(azure: Bucket, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    token = servers.azure_signature("box")
    secrets = {"login": {"key": token}}
    assert store(azure.at("sas"), tmp_path / "file", tmp_path, secrets, **azure.env) == "saved 1"
    assert fetch(azure.at("sas"), tmp_path, secrets, **azure.env) == ""
    refused = fetch(azure.at("sas"), tmp_path, {"login": {"key": token.replace("sig=", "sig=x")}}, **azure.env)
    assert refused.partition(" (")[0].endswith("the store refuses the credentials: check key key of Secret login")
    assert token.partition("sig=")[2] not in refused


def with_old_rclone(tmp_path: Path) -> str:
    """A PATH on which rclone is Debian's."""
    old = tmp_path / "bin"
    old.mkdir()
    (old / "rclone").write_text("#!/bin/sh\necho 'rclone v1.60.1-DEV'\n")
    (old / "rclone").chmod(0o755)
    return f"{old}:/usr/bin:/bin"


NEWER = "the store needs a newer tool: name its image in [argo_yaml] artifact_images"


def test_an_old_rclone_says_that_a_newer_one_is_needed(azure: Bucket, tmp_path: Path) -> None:
    refused = fetch(azure.at("k"), tmp_path, azure.secrets, PATH=with_old_rclone(tmp_path))
    found = "(rclone 1.61 or newer is needed, and this is 1.60)"
    assert refused == "artifact model failed to load: " + said(azure, "k", f"{NEWER} {found}")


def test_hdfs_needs_an_rclone_that_waits_for_data_nodes_and_knows_several_name_nodes(tmp_path: Path) -> None:
    location = {"hdfs": {"addresses": ["a:1", "b:2"], "path": "/p", "hdfsUser": "me"}}
    (tmp_path / "file").write_text("x")
    refused = store(location, tmp_path / "file", tmp_path, PATH=with_old_rclone(tmp_path))
    assert refused == f"failed hdfs /p at a:1,b:2: {NEWER} (rclone 1.65 or newer is needed, and this is 1.60)"


@pytest.mark.parametrize(
    ("artifact", "want"),
    [
        pytest.param({"s3": {"key": "k"}}, "s3.bucket", id="s3"),
        pytest.param({"gcs": {"bucket": "b"}}, "gcs.key", id="gcs"),
        pytest.param({"azure": {"endpoint": "e", "container": "c", "blob": "b"}}, "azure.accountKeySecret", id="azure"),
        pytest.param({"hdfs": {"addresses": ["a:1"], "path": "/p"}}, "hdfs.hdfsUser", id="hdfs"),
        pytest.param({"artifactory": {"url": "u"}}, "artifactory.usernameSecret", id="artifactory"),
    ],
)
def test_a_location_that_lacks_something_says_what(artifact: Json, want: str) -> None:
    with pytest.raises(RunError) as caught:
        transport_for({"name": "model", **artifact}, index=1)
    help_ = "add it to the artifact, or to the artifact repository"
    assert str(caught.value) == f"artifact 'model': {want} of an artifact is missing\n   = help: {help_}"


def test_hdfs_is_reached_by_all_its_name_nodes() -> None:
    location = {"addresses": ["a:8020", "b:8020"], "path": "/p/x", "hdfsUser": "root", "dataTransferProtection": "privacy"}
    transport = transport_for({"hdfs": location}, index=7)
    assert {entry["name"].removeprefix("RCLONE_CONFIG_A7_"): entry["value"] for entry in transport.env} == {
        "TYPE": "hdfs",
        "NAMENODE": "a:8020,b:8020",
        "USERNAME": "root",
        "DATA_TRANSFER_PROTECTION": "privacy",
    }
    assert transport.fetch.endswith('copyto A7:/p/x "$file"')
