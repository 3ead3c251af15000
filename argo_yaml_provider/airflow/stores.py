"""An Airflow connection as the artifact repository: `s3://conn_id@bucket/prefix`, gs://…, wasb://….

In: the option's URI; a connection.  Out: the repository, which names the connection and holds no credentials; what a
pod's own Secret says of the store, in rclone's words.
Must not know: pods.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from argo_yaml_provider.artifacts.locations import DEFAULT_KEY_FORMAT, STORES, store_of
from argo_yaml_provider.diagnostics import RunError

Json = dict[str, Any]

_SCHEMES = {"s3": "s3", "gs": "gcs", "gcs": "gcs", "wasb": "azure", "abfs": "azure", "azure": "azure"}
_TYPES = {"aws": "s3", "s3": "s3", "google_cloud_platform": "gcs", "wasb": "azure", "adls": "azure", "azure": "azure"}
_WANTED = "s3://CONN_ID@BUCKET/PREFIX, gs://… or wasb://…"


def repository_at(uri: str) -> Json:
    """The repository that a URI names."""
    parts = urlsplit(uri)
    store = _SCHEMES.get(parts.scheme)
    connection, at, bucket = parts.netloc.rpartition("@")
    if store is None or not at or not connection or not bucket:
        raise ValueError(f"{uri!r} names no store: write {_WANTED}, or a JSON object")
    prefix = parts.path.strip("/")
    key_format = f"{prefix}/{DEFAULT_KEY_FORMAT}" if prefix else DEFAULT_KEY_FORMAT
    field = "container" if store == "azure" else "bucket"
    return {store: {field: bucket, STORES[store].key_format: key_format, "connection": connection}}


def connection_in(repository: Json | None) -> str:
    """The connection that a repository names; '' if none."""
    store = store_of(repository or {})
    return str((repository or {})[store].get("connection") or "") if store else ""


def options_of(connection: Any) -> dict[str, str]:
    """What the connection says, in rclone's words; RunError where its kind has none."""
    store = _TYPES.get(connection.conn_type or "")
    if store is None:
        raise RunError(
            f"the connection {connection.conn_id!r} is of type {connection.conn_type!r}, which is no store of artifacts",
            f"use one of: {', '.join(_TYPES)}",
        )
    found = {"s3": _aws, "gcs": _google, "azure": _azure}[store](connection, connection.extra_dejson)
    return {name: str(value) for name, value in found.items() if value not in (None, "")}


def _aws(connection: Any, extra: Json) -> Json:
    endpoint = ((extra.get("service_config") or {}).get("s3") or {}).get("endpoint_url") or extra.get("endpoint_url")
    key = connection.login or extra.get("aws_access_key_id")
    return {
        "type": "s3",
        "provider": "Other" if endpoint else "AWS",
        "access_key_id": key,
        "secret_access_key": connection.password or extra.get("aws_secret_access_key"),
        "session_token": extra.get("aws_session_token"),
        "region": extra.get("region_name"),
        "endpoint": endpoint,
        "env_auth": "" if key else "true",
        "no_check_bucket": "true",
    }


def _google(connection: Any, extra: Json) -> Json:
    key = extra.get("keyfile_dict") or extra.get("extra__google_cloud_platform__keyfile_dict")
    if not key and extra.get("key_path"):
        raise RunError(
            f"the key of the connection {connection.conn_id!r} is a file of Airflow's machines, which a pod does not see",
            "put its contents into keyfile_dict, or leave it out for the identity of the pod's service account",
        )
    return {
        "type": "google cloud storage",
        "service_account_credentials": json.dumps(key) if isinstance(key, dict) else key,
        "env_auth": "" if key else "true",
        "no_check_bucket": "true",
        "bucket_policy_only": "true",
    }


def _azure(connection: Any, extra: Json) -> Json:
    """By an account key, a connection string, a SAS token, or a service principal, in the provider's order."""
    shared = {"type": "azureblob", "no_check_container": "true"}
    given = dict(part.split("=", 1) for part in (extra.get("connection_string") or "").split(";") if "=" in part)
    account = given.get("AccountName") or connection.login or ""
    host = connection.host or ""
    endpoint = given.get("BlobEndpoint") or (host if "//" in host else f"https://{host}" if "." in host else "")
    usual = not endpoint or (urlsplit(endpoint).hostname or "").endswith(".blob.core.windows.net")
    own = {} if usual else {"endpoint": endpoint.rstrip("/"), "use_emulator": "true"}
    if sas := extra.get("sas_token"):
        base = endpoint or f"https://{account}.blob.core.windows.net"
        return {**shared, "sas_url": sas if sas.startswith("https:") else f"{base.rstrip('/')}?{sas.lstrip('?')}"}
    if tenant := extra.get("tenant_id"):
        name = (urlsplit(endpoint).hostname or host).split(".")[0]
        return {
            **shared,
            "account": name,
            "tenant": tenant,
            "client_id": connection.login,
            "client_secret": connection.password,
        }
    key = given.get("AccountKey") or connection.password
    return {**shared, "account": account, "key": key, "env_auth": "" if key else "true", **(own if key else {})}
