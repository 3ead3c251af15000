"""How a location is reached: which tool moves it, with which environment, by which two shell commands.

In: an artifact with a whole location (`locations.relocate`).  Out: `Transport`, made of container env entries and shell text.
Credentials stay in Kubernetes secrets: an env entry refers to one, and no command line ever shows its value.
Must not know: pods, Airflow.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from argo_yaml_provider.artifacts.locations import store_of
from argo_yaml_provider.diagnostics import RunError

Json = dict[str, Any]

RCLONE = (
    "rclone --quiet --retries 1 --low-level-retries 3 --contimeout 15s"
    " --transfers 4 --multi-thread-streams 2 --buffer-size 4M --use-mmap"
)
CURL = "curl --fail --silent --show-error --location --connect-timeout 15"
_LISTING = "lsjson --recursive --files-only --no-modtime --no-mimetype --fast-list"
_ON_BUCKET = "set it on the bucket itself, once, beside the workflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How one artifact moves. In the commands, `$file` is the local path; a fetch that finds nothing leaves no file there."""

    tool: str
    """`rclone`, `curl`, `git`, or `sh` where a shell is enough: the image that the deployment's settings name for it."""
    fetch: str
    store: str = ""
    """'' = nothing can be stored there."""
    listing: str = ""
    """Prints what lies below the key, as `rclone lsjson` does, or names with a NUL behind each. '' = it cannot be had."""
    deletion: str = ""
    """Deletes the key, or all below it; one that is gone is no error. '' = nothing can be deleted there."""
    env: tuple[Json, ...] = ()
    """Container env entries, Kubernetes' JSON."""


def transport_for(artifact: Json, *, index: int) -> Transport:
    """How the artifact, the index-th of its container, is moved; RunError where it can't be."""
    name = store_of(artifact)
    if name is None or name not in _TRANSPORTS:
        raise RunError(
            f"artifact {artifact.get('name', '')!r} is in a store that is not supported here: {name}",
            f"move it to one of these: {', '.join(sorted(_TRANSPORTS))}",
        )
    return _TRANSPORTS[name](artifact[name], f"A{index}")


def _rclone(prefix: str, options: dict[str, Any], secrets: dict[str, Json | None], path: str) -> Transport:
    """An rclone remote that is configured by environment variables alone."""
    given = {key: value for key, value in options.items() if value not in (None, "", False)}
    env = [_value(f"RCLONE_CONFIG_{prefix}_{key.upper()}", _text(value)) for key, value in given.items()]
    env += [_secret(f"RCLONE_CONFIG_{prefix}_{key.upper()}", ref) for key, ref in secrets.items() if ref]
    remote = shlex.quote(f"{prefix}:{path}")
    return Transport(
        tool="rclone",
        env=tuple(env),
        # copyto takes a file as a file and a folder as a folder, whichever is at the key.
        fetch=f'{RCLONE} copyto {remote} "$file"',
        store=f'{RCLONE} copyto "$file" {remote}',
        listing=f"{RCLONE} {_LISTING} {remote}",
        deletion=f"{RCLONE} delete {remote}",
    )


def _s3(location: Json, prefix: str) -> Transport:
    endpoint = location.get("endpoint", "")
    amazon = not endpoint or endpoint.endswith(("amazonaws.com", "amazonaws.com.cn"))
    scheme = "http" if location.get("insecure") else "https"
    encryption = location.get("encryptionOptions") or {}
    options = {
        "type": "s3",
        "provider": "AWS" if amazon else "Other",
        "endpoint": f"{scheme}://{endpoint}" if endpoint else "",
        "region": location.get("region"),
        "env_auth": not location.get("accessKeySecret"),
        "force_path_style": "false" if location.get("addressingStyle") == "virtual-hosted" else "true",
        "no_check_bucket": "" if location.get("createBucketIfNotPresent") else "true",
        "server_side_encryption": encryption.get("enableEncryption")
        and ("aws:kms" if encryption.get("kmsKeyId") else "AES256"),
        "sse_kms_key_id": encryption.get("kmsKeyId"),
        "sse_customer_algorithm": "AES256" if encryption.get("serverSideCustomerKeySecret") else "",
    }
    secrets = {
        "access_key_id": location.get("accessKeySecret"),
        "secret_access_key": location.get("secretKeySecret"),
        "session_token": location.get("sessionTokenSecret"),
        "sse_customer_key": encryption.get("serverSideCustomerKeySecret"),
    }
    _refuse(encryption, "s3.encryptionOptions", kmsEncryptionContext=_ON_BUCKET)
    _refuse(location.get("createBucketIfNotPresent") or {}, "s3.createBucketIfNotPresent", objectLocking=_ON_BUCKET)
    _refuse(location, "s3", roleARN="give the pod's service account the role", caSecret="mount the CA into the rclone image")
    return _rclone(prefix, options, secrets, _path(location["bucket"], location["key"]))


def _gcs(location: Json, prefix: str) -> Transport:
    key = location.get("serviceAccountKeySecret")
    options = {"type": "google cloud storage", "env_auth": not key, "no_check_bucket": "true", "bucket_policy_only": "true"}
    return _rclone(prefix, options, {"service_account_credentials": key}, _path(location["bucket"], location["key"]))


def _azure(location: Json, prefix: str) -> Transport:
    url = urlsplit(location["endpoint"])
    host = url.hostname or ""
    public = ".blob." in host
    account = host.split(".")[0] if public else url.path.strip("/").split("/")[0]
    options = {
        "type": "azureblob",
        "account": account,
        "endpoint": "" if host.endswith(".blob.core.windows.net") else location["endpoint"],
        "env_auth": bool(location.get("useSDKCreds")),
    }
    return _rclone(prefix, options, {"key": location.get("accountKeySecret")}, _path(location["container"], location["blob"]))


def _oss(location: Json, prefix: str) -> Transport:
    options = {
        "type": "s3",
        "provider": "Alibaba",
        "endpoint": location["endpoint"],
        "env_auth": bool(location.get("useSDKCreds")),
        "session_token": location.get("securityToken"),
        "no_check_bucket": "" if location.get("createBucketIfNotPresent") else "true",
    }
    secrets = {"access_key_id": location.get("accessKeySecret"), "secret_access_key": location.get("secretKeySecret")}
    _refuse(location, "oss", lifecycleRule=_ON_BUCKET)
    return _rclone(prefix, options, secrets, _path(location["bucket"], location["key"]))


def _hdfs(location: Json, prefix: str) -> Transport:
    keytab = "run the step with a service that holds the Kerberos ticket, or use webhdfs through http"
    _refuse(location, "hdfs", krbCCacheSecret=keytab, krbKeytabSecret=keytab)
    options = {
        "type": "hdfs",
        "namenode": location["addresses"][0],
        "username": location.get("hdfsUser"),
        "data_transfer_protection": location.get("dataTransferProtection"),
    }
    return _rclone(prefix, options, {}, location["path"])


def _http(location: Json, prefix: str) -> Transport:
    """Argo: workflow/artifacts/http/http.go: GET to fetch, PUT to store, with headers and one kind of authentication."""
    auth = location.get("auth") or {}
    if auth.get("oauth2") or auth.get("clientCert"):
        kind = "oauth2" if auth.get("oauth2") else "clientCert"
        raise RunError(f"http.auth.{kind} of an artifact is not supported here", "use basicAuth or a header with the token")
    basic = auth.get("basicAuth") or {}
    return _curl(location["url"], prefix, basic, [(h["name"], h.get("value", "")) for h in location.get("headers") or []])


def _artifactory(location: Json, prefix: str) -> Transport:
    return _curl(location["url"], prefix, location, [])


def _curl(url: str, prefix: str, basic: Json, headers: list[tuple[str, str]]) -> Transport:
    # curl reads its secrets from standard input, so that no list of processes shows them.
    config, env = [], []
    for number, (name, value) in enumerate(headers):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        env.append(_value(f"{prefix}_HEADER_{number}", f"{name}: {escaped}"))
        config.append(f'"header = \\"${prefix}_HEADER_{number}\\""')
    if basic.get("usernameSecret"):
        env += [_secret(f"{prefix}_USER", basic["usernameSecret"]), _secret(f"{prefix}_PASSWORD", basic["passwordSecret"])]
        config.append(f'"user = \\"${prefix}_USER:${prefix}_PASSWORD\\""')
    feed, flag = (f"printf '%s\\n' {' '.join(config)} | ", " --config -") if config else ("", "")
    target = shlex.quote(url)
    return Transport(
        tool="curl",
        env=tuple(env),
        fetch=f'{feed}{CURL}{flag} --output "$file" {target}',
        store=f'{feed}{CURL}{flag} --output /dev/null --upload-file "$file" {target}',
    )


def _git(location: Json, prefix: str) -> Transport:
    """Argo: workflow/artifacts/git/git.go."""
    env = []
    if location.get("usernameSecret"):
        env += [
            _secret(f"{prefix}_USER", location["usernameSecret"]),
            _secret(f"{prefix}_PASSWORD", location["passwordSecret"]),
        ]
    if location.get("sshPrivateKeySecret"):
        env.append(_secret(f"{prefix}_SSH_KEY", location["sshPrivateKeySecret"]))
    return Transport(tool="git", env=tuple(env), fetch=" && ".join(_git_lines(location, prefix)))


def _git_lines(location: Json, prefix: str) -> list[str]:
    lines = []
    if location.get("sshPrivateKeySecret"):
        check = "no" if location.get("insecureIgnoreHostKey") else "accept-new"
        lines += [
            f'(umask 077; printf "%s\\n" "${prefix}_SSH_KEY" > "$file.key")',
            f'export GIT_SSH_COMMAND="ssh -i $file.key -o StrictHostKeyChecking={check}"',
        ]
    options = ["-c safe.directory=*"]
    if location.get("usernameSecret"):
        # git asks this helper, which reads the environment: the secret is in no file and on no command line.
        helper = f'!f() {{ echo "username=${prefix}_USER"; echo "password=${prefix}_PASSWORD"; }}; f'
        options.append(f"-c credential.helper={shlex.quote(helper)}")
    if location.get("insecureSkipTLS"):
        options.append("-c http.sslVerify=false")
    git = f"git {' '.join(options)}"
    lines.append(f'{git} clone --quiet {" ".join(_git_clone_options(location))} -- {shlex.quote(location["repo"])} "$file"')
    inside = f'{git} -C "$file"'
    depth = f" --depth {int(location['depth'])}" if location.get("depth") else ""
    refs = [str(ref) for ref in location.get("fetch") or []]
    if refs:
        lines.append(f"{inside} fetch --quiet{depth} origin {' '.join(shlex.quote(ref) for ref in refs)}")
    if revision := str(location.get("revision") or ""):
        wanted = shlex.quote(revision)
        lines.append(
            f"{{ {inside} checkout --quiet {wanted} -- 2>/dev/null"
            f" || {{ {inside} fetch --quiet{depth} origin {wanted} && {inside} checkout --quiet FETCH_HEAD; }}; }}"
        )
    if not location.get("disableSubmodules"):
        lines.append(f"{inside} submodule --quiet update --init --recursive{depth}")
    lines.append('rm -f "$file.key"')
    return lines


def _git_clone_options(location: Json) -> list[str]:
    options = [f"--depth {int(location['depth'])}"] if location.get("depth") else []
    if location.get("depth") and not location.get("singleBranch"):
        options.append("--no-single-branch")
    if location.get("singleBranch"):
        options.append("--single-branch")
    if location.get("branch"):
        options.append(f"--branch {shlex.quote(str(location['branch']))}")
    return options


def _raw(location: Json, prefix: str) -> Transport:
    """The data itself is an environment variable: it needs no quoting there."""
    return Transport(
        tool="sh", env=(_value(f"{prefix}_DATA", location.get("data", "")),), fetch=f'printf %s "${prefix}_DATA" > "$file"'
    )


def _volume(location: Json, _prefix: str) -> Transport:
    """A folder of a mounted volume; an object appears under its key whole or not at all."""
    key = posixpath.normpath("/" + location["key"]).lstrip("/")
    place = posixpath.join(_store_folder(location), key)
    target, folder = shlex.quote(place), shlex.quote(posixpath.dirname(place))
    root, below = shlex.quote(_store_folder(location)), shlex.quote(posixpath.dirname(key) or ".")
    return Transport(
        tool="sh",
        fetch=f'[ ! -e {target} ] || cp -R {target} "$file"',
        store=(
            f'mkdir -p {folder} && chmod a+rwx {folder} && rm -rf {target}.part && cp -R "$file" {target}.part'
            f" && rm -rf {target} && mv {target}.part {target}"
        ),
        listing=f"""{{ cd {target} 2>/dev/null || {{ echo "directory not found" >&2; exit 3; }}; }} && find . -type f -print0""",
        # Folders that hold nothing any more go too, as they do in an object store.
        deletion=f"rm -rf {target} && cd {root} && {{ rmdir -p {below} 2>/dev/null || :; }}",
    )


def mounts_of(artifact: Json) -> list[tuple[Json, Json]]:
    """The volume mounts that the artifact's transport needs, each with its volume's source."""
    location = artifact.get("volume")
    if location is None:
        return []
    folder = _store_folder(location)
    return [({"name": f"artifacts-{posixpath.basename(folder)}", "mountPath": folder}, location["source"])]


def _store_folder(location: Json) -> str:
    digest = hashlib.sha256(json.dumps(location["source"], sort_keys=True).encode()).hexdigest()
    return f"/argo/store/{digest[:8]}"


_TRANSPORTS: dict[str, Callable[[Json, str], Transport]] = {
    "artifactory": _artifactory,
    "azure": _azure,
    "gcs": _gcs,
    "git": _git,
    "hdfs": _hdfs,
    "http": _http,
    "oss": _oss,
    "raw": _raw,
    "s3": _s3,
    "volume": _volume,
}


def _path(bucket: str, key: str) -> str:
    return f"{bucket}/{key.lstrip('/')}"


def _refuse(location: Json, store: str, **ways_out: str) -> None:
    for field, way_out in ways_out.items():
        if location.get(field):
            raise RunError(f"{store}.{field} of an artifact is not supported here", way_out)


def _text(value: object) -> str:
    return "true" if value is True else str(value)


def _value(name: str, value: str) -> Json:
    # Kubernetes expands $(NAME) and $$ in values; $$ is how it is told not to.
    return {"name": name, "value": value.replace("$", "$$")}


def _secret(name: str, selector: Json) -> Json:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": selector["name"], "key": selector["key"]}}}
