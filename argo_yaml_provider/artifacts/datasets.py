"""What OpenLineage calls the place of an artifact: a namespace, which is the store, and a name in it.

In: an artifact with a whole location.  Out: both; None where no name would lead back to it.
Must not know: OpenLineage itself, pods, Airflow.
The names: openlineage.io/docs/spec/naming.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any
from urllib.parse import urlsplit

from argo_yaml_provider.artifacts.locations import key_of, store_of

Json = dict[str, Any]
Name = tuple[str, str]


def dataset_of(artifact: Json) -> Name | None:
    """Namespace and name of the dataset that the artifact is."""
    store = store_of(artifact)
    if store is None or store not in _NAMES:
        return None
    return _NAMES[store](artifact[store], key_of(artifact).lstrip("/"))


def _azure(location: Json, key: str) -> Name:
    """Where a connection knows the account, the container has to do."""
    host = urlsplit(location.get("endpoint") or "").hostname or ""
    account = f"@{host.split('.')[0]}.dfs.core.windows.net" if host else ""
    return f"wasbs://{location['container']}{account}", key


def _hdfs(location: Json, _key: str) -> Name:
    return f"hdfs://{location['addresses'][0]}", location["path"]


def _url(location: Json, _key: str) -> Name:
    """Without what may be a password."""
    parts = urlsplit(location["url"])
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", parts.path or "/"


def _git(location: Json, _key: str) -> Name:
    """A repository, as `https://host/path`, `ssh://host/path` or ssh's own `user@host:path`."""
    repo = str(location["repo"])
    by_ssh = re.match(r"^(?!\w+://)(?:[^/@]*@)?([^/:]+):(.*)$", repo)
    parts = urlsplit(f"ssh://{by_ssh[1]}/{by_ssh[2].lstrip('/')}" if by_ssh else repo)
    return f"{parts.scheme or 'file'}://{parts.netloc.rpartition('@')[2]}", parts.path


def _volume(location: Json, key: str) -> Name | None:
    """A folder of a machine, of a server or of a claim; nothing is left of others when the pod is gone."""
    source = location["source"]
    if path := (source.get("hostPath") or {}).get("path"):
        return "file", posixpath.join(path, key)
    if nfs := source.get("nfs"):
        return f"file://{nfs['server']}", posixpath.join(nfs["path"], key)
    claim = (source.get("persistentVolumeClaim") or {}).get("claimName")
    return (f"file://{claim}", f"/{key}") if claim else None


_NAMES = {
    "artifactory": _url,
    "azure": _azure,
    "gcs": lambda location, key: (f"gs://{location['bucket']}", key),
    "git": _git,
    "hdfs": _hdfs,
    "http": _url,
    "oss": lambda location, key: (f"oss://{location['bucket']}", key),
    "s3": lambda location, key: (f"s3://{location['bucket']}", key),
    "volume": _volume,
}
