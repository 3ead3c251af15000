"""Where an artifact lies: Argo's artifact location, one of ten stores, and the repository that fills in what it leaves out.

In and out: Argo's own JSON of an artifact, `{"name": …, "path": …, "s3": {"endpoint": …, "bucket": …, "key": …}}`.
Must not know: pods, transports, credentials' values.
Argo: pkg/apis/workflow/v1alpha1/workflow_types.go (ArtifactLocation), artifact_repository_types.go.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from argo_yaml_provider.diagnostics import RunError

Json = dict[str, Any]

DEFAULT_KEY_FORMAT = "{{workflow.name}}/{{pod.name}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One kind of store: which field holds the key, and which fields make a location whole."""

    key: str | None
    """The field that holds the key; None: the store has no keys."""
    whole: tuple[str, ...]
    """A location that has all of these names a place by itself; without, the repository's is taken, with its own key."""
    key_format: str = "keyFormat"
    """The repository's field for the keys of artifacts that name none."""
    url: bool = False
    """The key is the path of the URL in the key field."""


# In the order in which Argo looks for them.
STORES: dict[str, Store] = {
    "artifactory": Store(key="url", whole=("url", "usernameSecret"), url=True),
    "azure": Store(key="blob", whole=("endpoint", "container", "blob"), key_format="blobNameFormat"),
    "git": Store(key=None, whole=("repo",)),
    "gcs": Store(key="key", whole=("bucket", "key")),
    "hdfs": Store(key="path", whole=("addresses",), key_format="pathFormat"),
    "http": Store(key="url", whole=("url",), url=True),
    "oss": Store(key="key", whole=("bucket", "endpoint", "key")),
    "plugin": Store(key="key", whole=("name", "configuration", "key")),
    "raw": Store(key=None, whole=()),
    "s3": Store(key="key", whole=("endpoint", "bucket", "key")),
    # Ours, not Argo's: a folder of a volume, which needs no server.
    "volume": Store(key="key", whole=("source", "key")),
}


def store_of(artifact: Json) -> str | None:
    """The name of the store that the artifact's location is in; None if it names none."""
    return next((name for name in STORES if artifact.get(name) is not None), None)


def key_of(artifact: Json) -> str:
    """The artifact's key; '' if it has none."""
    name = store_of(artifact)
    if name is None or (field := STORES[name].key) is None:
        return ""
    value = str(artifact[name].get(field) or "")
    return urlsplit(value).path if STORES[name].url else value


def with_key(artifact: Json, key: str) -> Json:
    """The artifact at another key of the same store."""
    name = store_of(artifact)
    if name is None or (field := STORES[name].key) is None:
        raise RunError(
            f"artifact {artifact.get('name', '')!r} is in a store that has no keys ({name or 'none is named'})",
            "give it a location with a key, such as s3",
        )
    value = urlunsplit(urlsplit(artifact[name].get(field) or "")._replace(path=key)) if STORES[name].url else key
    return {**artifact, name: {**artifact[name], field: value}}


def has_location(artifact: Json) -> bool:
    """Whether the artifact names a whole place, rather than a key in the repository."""
    name = store_of(artifact)
    return name is not None and all(artifact[name].get(field) for field in STORES[name].whole)


def archive_location(repository: Json) -> Json:
    """The location that a repository (`{"s3": {…, "keyFormat": …}}`) gives; its key is the key format, tags and all."""
    name = store_of(repository)
    if name is None:
        return {}
    settings, store = dict(repository[name]), STORES[name]
    prefix = settings.pop("keyPrefix", "")
    key = settings.pop(store.key_format, None) or posixpath.join(prefix, DEFAULT_KEY_FORMAT)
    if name == "artifactory":
        settings["url"] = settings.pop("repoURL", "").rstrip("/") + "/" + key
    elif store.key:
        settings[store.key] = key
    return {name: settings}


def relocate(artifact: Json, location: Json | None) -> Json:
    """The artifact with a whole location: its own, or the given one (the repository's) with the artifact's key."""
    if has_location(artifact):
        return artifact
    if not location:
        raise RunError(
            f"artifact {artifact.get('name', '')!r} has no location of its own, and the namespace has no artifact repository",
            "create the ConfigMap artifact-repositories in the namespace, or set [argo_yaml] artifact_repository",
        )
    bare = {field: value for field, value in artifact.items() if field not in STORES}
    return with_key({**bare, **location}, key_of(artifact))


def saved_as(artifact: Json, location: Json, file_name: str) -> Json:
    """An output artifact as it is recorded: its own key, or the repository's with the file's name; the bucket left out."""
    if key_of(artifact) or store_of(artifact) in {"http", "artifactory"}:
        return artifact
    name = store_of(location)
    if name is None:
        return relocate(artifact, None)
    return with_key({**artifact, name: {}}, posixpath.join(key_of(location), file_name))
