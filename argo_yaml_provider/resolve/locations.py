"""Whether an artifact says where it lies.

In: an artifact as Argo's JSON.  Out: yes or no.
Must not know: stores, credentials. Argo: workflow_types.go, ArtifactLocation.HasLocationOrKey.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from argo_yaml_provider.spec.resource import Json


def has_location_or_key(artifact: Json) -> bool:
    """Whether an artifact says where it lies, or at least by which key. Argo: ArtifactLocation.HasLocationOrKey."""
    for kind, (needed, key) in _LOCATIONS.items():
        location = artifact.get(kind)
        if location is not None:
            return all(location.get(field) for field in needed) or bool(key(location))
    return False


def _url_path(location: Json) -> str:
    return urlsplit(str(location.get("url") or "")).path


def _field(name: str) -> Callable[[Json], str]:
    return lambda location: str(location.get(name) or "")


def _no_key(_: Json) -> str:
    return ""


# In the order in which Argo looks: kind -> (fields a location needs, its key).
_LOCATIONS: dict[str, tuple[tuple[str, ...], Callable[[Json], str]]] = {
    "artifactory": (("url", "usernameSecret"), _url_path),
    "azure": (("endpoint", "container", "blob"), _field("blob")),
    "git": (("repo",), _no_key),
    "gcs": (("bucket", "key"), _field("key")),
    "hdfs": (("addresses",), _field("path")),
    "http": (("url",), _url_path),
    "oss": (("bucket", "endpoint", "key"), _field("key")),
    "raw": ((), _no_key),
    "s3": (("endpoint", "bucket", "key"), _field("key")),
    "plugin": (("name", "configuration", "key"), _field("key")),
    # Ours, not Argo's: a folder of a volume.
    "volume": (("source", "key"), _field("key")),
}
