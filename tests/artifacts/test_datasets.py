from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.artifacts.datasets import dataset_of

CLAIM = {"persistentVolumeClaim": {"claimName": "shared"}}


@pytest.mark.parametrize(
    ("location", "want"),
    [
        ({"s3": {"endpoint": "minio:9000", "bucket": "b", "key": "/a/c.tgz"}}, ("s3://b", "a/c.tgz")),
        ({"gcs": {"bucket": "b", "key": "a/c"}}, ("gs://b", "a/c")),
        (
            {"azure": {"endpoint": "https://acc.blob.core.windows.net", "container": "c", "blob": "a/b"}},
            ("wasbs://c@acc.dfs.core.windows.net", "a/b"),
        ),
        ({"azure": {"connection": "wasb_default", "container": "c", "blob": "a/b"}}, ("wasbs://c", "a/b")),
        ({"oss": {"endpoint": "e", "bucket": "b", "key": "k"}}, ("oss://b", "k")),
        ({"hdfs": {"addresses": ["one:9000", "two:9000"], "path": "/a/b"}}, ("hdfs://one:9000", "/a/b")),
        ({"http": {"url": "https://me:secret@h:8443/a/b?x=1"}}, ("https://h:8443", "/a/b")),
        ({"artifactory": {"url": "http://h/a"}}, ("http://h", "/a")),
        ({"git": {"repo": "git@github.com:org/repo.git"}}, ("ssh://github.com", "/org/repo.git")),
        ({"git": {"repo": "https://me:pw@github.com/org/repo"}}, ("https://github.com", "/org/repo")),
        ({"volume": {"source": {"hostPath": {"path": "/data"}}, "key": "a/b"}}, ("file", "/data/a/b")),
        ({"volume": {"source": {"nfs": {"server": "nas", "path": "/export"}}, "key": "a"}}, ("file://nas", "/export/a")),
        ({"volume": {"source": CLAIM, "key": "a"}}, ("file://shared", "/a")),
        ({"volume": {"source": {"emptyDir": {}}, "key": "a"}}, None),
        ({"raw": {"data": "x"}}, None),
    ],
)
def test_a_place_has_the_name_that_openlineage_gives_it(location: dict[str, Any], want: tuple[str, str] | None) -> None:
    assert dataset_of({"name": "a", **location}) == want
