"""Stores that rclone reaches: s3, gcs, azure, oss, hdfs.

In: the location, a prefix for names of environment variables.  Out: a `Transport`; the remote is configured by variables alone.
Must not know: pods, Airflow.
"""

from __future__ import annotations

import ipaddress
import json
import posixpath
import shlex
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from argo_yaml_provider.artifacts.transport import Json, Shelf, Transport, connection_env, need, refuse, secret_env, value_env
from argo_yaml_provider.diagnostics import RunError

RCLONE = (
    "rclone --quiet --retries 1 --low-level-retries 3 --contimeout 15s"
    " --multi-thread-streams 2 --buffer-size 4M --use-mmap"
)
BEGIN = (
    f"rclone={shlex.quote(f'{RCLONE} --transfers 16 --checkers 16 --no-traverse')}",
    # Two processes, of four files each, do with 64 MiB. To Azure each file is sent in parts, which are held in memory.
    "slots=2",
    "export RCLONE_AZUREBLOB_UPLOAD_CONCURRENCY=${RCLONE_AZUREBLOB_UPLOAD_CONCURRENCY:-1}",
)
"""What a script begins with that moves by rclone: what moves many artifacts, how many of the others at once."""
_LISTING = "lsjson --recursive --files-only --no-modtime --no-mimetype --fast-list"
_ON_BUCKET = "set it on the bucket itself, once, beside the workflow"
_CREATE = "create the bucket, or set createBucketIfNotPresent"
_IDENTITY = "give the pod's service account the right, or name the Secrets that hold the credentials"


def _rclone(prefix: str, options: dict[str, Any], secrets: dict[str, Json | None], path: str, **more: str) -> Transport:
    """`first` of `more` is a command that comes before each of rclone's own."""
    first = more.pop("first", "")
    given = {key: value for key, value in options.items() if value not in (None, "", False)}
    env = [value_env(f"RCLONE_CONFIG_{prefix}_{key.upper()}", _text(value)) for key, value in given.items()]
    env += [secret_env(f"RCLONE_CONFIG_{prefix}_{key.upper()}", ref) for key, ref in secrets.items() if ref]
    remote = shlex.quote(f"{prefix}:{path}")
    command = f"{first}{RCLONE} --transfers ${{transfers:-4}}"
    return Transport(
        tool="rclone",
        env=tuple(env),
        # copyto takes a file as a file and a folder as a folder, whichever is at the key.
        fetch=f'{command} copyto {remote} "$file"',
        store=f'{command} copyto "$file" {remote}',
        listing=f"{command} {_LISTING} {remote}",
        deletion=f"{command} delete {remote}",
        shelf=None if first else _shelf(prefix, env, path),
        **more,
    )


def _shelf(prefix: str, env: list[Json], path: str) -> Shelf | None:
    bucket, _, key = path.partition("/")
    # A path that rclone would tidy names another object, and a line can name only one.
    if not bucket or not key or posixpath.normpath(f"/{key}") != f"/{key}" or "\n" in key:
        return None
    same = [(entry["name"].replace(f"_{prefix}_", "_", 1), entry.get("value"), entry.get("valueFrom")) for entry in env]
    return Shelf(identity=json.dumps([bucket, sorted(same, key=str)]), remote=f"{prefix}:{bucket}", path=key)


CONNECTED: dict[str, tuple[str, ...]] = {
    "s3": (
        *("provider", "env_auth", "access_key_id", "secret_access_key", "session_token", "region", "endpoint"),
        *("force_path_style", "no_check_bucket"),
    ),
    "gcs": ("env_auth", "service_account_credentials", "no_check_bucket", "bucket_policy_only"),
    "azure": (
        *("account", "key", "sas_url", "endpoint", "use_emulator", "env_auth", "no_check_container"),
        *("tenant", "client_id", "client_secret"),
    ),
}
"""What a connection of the deployment's may say of a store, in rclone's words, beside its `type`."""


def _connected(store: str, location: Json, prefix: str, path: str) -> Transport:
    """A store that a connection of the deployment's knows the way to."""
    name, connection = f"RCLONE_CONFIG_{prefix}", str(location["connection"])
    options = [connection_env(f"{name}_{one.upper()}", connection, one, optional=True) for one in CONNECTED[store]]
    env = [connection_env(f"{name}_TYPE", connection, "type", optional=False), *options]
    return replace(
        _rclone(prefix, {}, {}, path),
        env=tuple(env),
        shelf=_shelf(prefix, env, path),
        place=f"{store} {path} by connection {connection}",
        access=f"check the Airflow connection {connection}",
        bucket="create it, or correct [argo_yaml] artifact_repository",
    )


def s3(location: Json, prefix: str) -> Transport:
    """Argo: workflow/artifacts/s3/s3.go."""
    if location.get("connection"):
        return _connected("s3", location, prefix, _path(location["bucket"], location["key"]))
    need(location, "s3", ("bucket", "key"))
    endpoint = location.get("endpoint", "")
    amazon = not endpoint or endpoint.endswith(("amazonaws.com", "amazonaws.com.cn"))
    scheme = "http" if location.get("insecure") else "https"
    create = location.get("createBucketIfNotPresent")
    encryption = location.get("encryptionOptions") or {}
    encryption = encryption if encryption.get("enableEncryption") else {}
    customer = encryption.get("serverSideCustomerKeySecret")
    options = {
        "type": "s3",
        "provider": "AWS" if amazon else "Other",
        "endpoint": f"{scheme}://{endpoint}" if endpoint else "",
        "region": location.get("region"),
        "env_auth": not location.get("accessKeySecret"),
        "force_path_style": "false" if location.get("addressingStyle") == "virtual-hosted" else "true",
        # An empty object says yes.
        "no_check_bucket": "true" if create is None else "",
        "server_side_encryption": "" if customer or not encryption else "aws:kms" if encryption.get("kmsKeyId") else "AES256",
        "sse_kms_key_id": encryption.get("kmsKeyId"),
        "sse_customer_algorithm": "AES256" if customer else "",
    }
    secrets = {
        "access_key_id": location.get("accessKeySecret"),
        "secret_access_key": location.get("secretKeySecret"),
        "session_token": location.get("sessionTokenSecret"),
        "sse_customer_key": customer,
        "ca": location.get("caSecret"),
    }
    refuse(encryption, "s3.encryptionOptions", kmsEncryptionContext=_ON_BUCKET)
    refuse(create or {}, "s3.createBucketIfNotPresent", objectLocking=_ON_BUCKET)
    refuse(location, "s3", roleARN="give the pod's service account the role")
    path = _path(location["bucket"], location["key"])
    return _rclone(
        prefix,
        options,
        secrets,
        path,
        place=f"s3 {path} at {endpoint or 'amazonaws.com'}",
        access="" if location.get("accessKeySecret") else _IDENTITY,
        bucket=_CREATE,
        first=_trust(prefix) if location.get("caSecret") else "",
    )


def _trust(prefix: str) -> str:
    """The authority that signs the store's certificate goes into a file, which is all that rclone takes."""
    return f'printf "%s\\n" "$RCLONE_CONFIG_{prefix}_CA" > "$private/{prefix}.ca" && RCLONE_CA_CERT="$private/{prefix}.ca" '


def gcs(location: Json, prefix: str) -> Transport:
    """Argo: workflow/artifacts/gcs/gcs.go."""
    if location.get("connection"):
        return _connected("gcs", location, prefix, _path(location["bucket"], location["key"]))
    need(location, "gcs", ("bucket", "key"))
    key = location.get("serviceAccountKeySecret")
    options = {"type": "google cloud storage", "env_auth": not key, "no_check_bucket": "true", "bucket_policy_only": "true"}
    path = _path(location["bucket"], location["key"])
    access = "" if key else "give the pod's service account the right, or name serviceAccountKeySecret"
    return _rclone(prefix, options, {"service_account_credentials": key}, path, place=f"gcs {path}", access=access)


def azure(location: Json, prefix: str) -> Transport:
    """An account key may be one, or a SAS token. Argo: workflow/artifacts/azure/azure.go."""
    if location.get("connection"):
        return _connected("azure", location, prefix, _path(location["container"], location["blob"]))
    need(location, "azure", ("endpoint", "container", "blob"))
    url, identity = urlsplit(location["endpoint"]), bool(location.get("useSDKCreds"))
    host = url.hostname or ""
    usual = host.endswith(".blob.core.windows.net")
    account = url.path.strip("/").split("/")[0] if _is_address(host) else host.split(".")[0]
    if not identity:
        need(location, "azure", ("accountKeySecret",))
    options = {
        "type": "azureblob",
        "account": account,
        "endpoint": "" if usual else location["endpoint"].rstrip("/"),
        "use_emulator": not usual and not identity,
        "env_auth": identity,
        "no_check_container": "true",
    }
    path = _path(location["container"], location["blob"])
    return _rclone(
        prefix,
        options,
        {} if identity else {"key": location["accountKeySecret"]},
        path,
        place=f"azure {path} at {location['endpoint']}",
        access="give the pod's identity the role Storage Blob Data Contributor" if identity else "",
        first=_azure_first(prefix, location["endpoint"].rstrip("/"), usual=usual, identity=identity),
    )


def _azure_first(prefix: str, endpoint: str, *, usual: bool, identity: bool) -> str:
    name = f"RCLONE_CONFIG_{prefix}"
    # rclone 1.60, which Debian 12 has, takes neither an address of one's own nor an identity.
    first = "" if usual and not identity else "newer_rclone 61 && "
    if identity:
        return first
    sas = f'export {name}_SAS_URL="{endpoint}?${{{name}_KEY#\\?}}"; unset {name}_KEY {name}_ACCOUNT {name}_USE_EMULATOR'
    return f"{first}{{ case ${name}_KEY in *[?\\&]*=*) {sas} ;; esac; }} && "


def oss(location: Json, prefix: str) -> Transport:
    """Alibaba's store, by its S3 interface. Argo: workflow/artifacts/oss/oss.go."""
    need(location, "oss", ("endpoint", "bucket", "key"))
    refuse(location, "oss", lifecycleRule=_ON_BUCKET)
    endpoint, identity = location["endpoint"], bool(location.get("useSDKCreds"))
    host = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}").hostname or ""
    options = {
        "type": "s3",
        # At an address without a name the bucket cannot be part of the name.
        "provider": "Other" if _is_address(host) else "Alibaba",
        "endpoint": endpoint,
        "env_auth": identity or not location.get("accessKeySecret"),
        "session_token": location.get("securityToken"),
        "no_check_bucket": "" if location.get("createBucketIfNotPresent") else "true",
    }
    secrets = {"access_key_id": location.get("accessKeySecret"), "secret_access_key": location.get("secretKeySecret")}
    path = _path(location["bucket"], location["key"])
    return _rclone(
        prefix,
        options,
        {} if identity else secrets,
        path,
        place=f"oss {path} at {endpoint}",
        access=_IDENTITY if identity or not location.get("accessKeySecret") else "",
        bucket=_CREATE,
    )


def hdfs(location: Json, prefix: str) -> Transport:
    """Argo: workflow/artifacts/hdfs/hdfs.go."""
    need(location, "hdfs", ("addresses", "path"))
    keytab = "run the step with a service that holds the Kerberos ticket, or use webhdfs through http"
    refuse(location, "hdfs", krbCCacheSecret=keytab, krbKeytabSecret=keytab)
    if not location["path"].startswith("/"):
        raise RunError("hdfs.path must be a absolute file path", "begin it with /")
    need(location, "hdfs", ("hdfsUser",))
    names = ",".join(location["addresses"])
    options = {
        "type": "hdfs",
        "namenode": names,
        "username": location["hdfsUser"],
        "data_transfer_protection": location.get("dataTransferProtection"),
    }
    access = f"let the user {location['hdfsUser']} read and write there, or name another hdfsUser"
    # Older ones know but one name node (1.64), and take a file for lost that the data nodes still report (1.63).
    words = {"place": f"hdfs {location['path']} at {names}", "access": access, "first": "newer_rclone 65 && "}
    return _rclone(prefix, options, {}, location["path"], **words)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _path(bucket: str, key: str) -> str:
    return f"{bucket}/{key.lstrip('/')}"


def _text(value: object) -> str:
    return "true" if value is True else str(value)
