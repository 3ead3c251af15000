"""Servers that hold artifacts, each in a process or thread of its own, at every address of this machine."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from tests.stores import install

ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's own, known to everybody."""
WRONG_KEY = base64.b64encode(b"wrong" * 12).decode()
START_SECONDS = 120.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: list[str], ready: Callable[[], bool], env: dict[str, str] | None = None) -> Iterator[None]:
    """The server, from the moment it is ready."""
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, env=env) as server,
    ):
        try:
            end = time.monotonic() + START_SECONDS
            while not ready():
                if server.poll() is not None or time.monotonic() > end:
                    message = f"{' '.join(command[:2])} did not start"
                    raise RuntimeError(message)
                time.sleep(0.1)
            yield
        finally:
            server.terminate()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@contextlib.contextmanager
def serve_azure() -> Iterator[int]:
    """Azurite's port; its container is `box`."""
    port = free_port()
    options = ["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck", "--silent", "--loose"]
    command = [*install.azurite(), *options, "--blobHost", "0.0.0.0", "--blobPort", str(port)]
    with running(command, lambda: answers(f"http://127.0.0.1:{port}/")):
        remote = {
            "TYPE": "azureblob",
            "ACCOUNT": ACCOUNT,
            "KEY": ACCOUNT_KEY,
            "ENDPOINT": f"http://127.0.0.1:{port}/{ACCOUNT}",
            "USE_EMULATOR": "true",
        }
        environment = {
            "PATH": "",
            "RCLONE_CONFIG": "/dev/null",
            **{f"RCLONE_CONFIG_X_{key}": value for key, value in remote.items()},
        }
        subprocess.run([install.rclone(), "mkdir", "X:box"], env=environment, check=True, capture_output=True)
        yield port


@contextlib.contextmanager
def serve_gcs(host: str) -> Iterator[int]:
    """fake-gcs-server's port; its bucket is `box`. It believes everybody: credentials are the token server's business."""
    port = free_port()
    options = ["-scheme", "http", "-host", "0.0.0.0", "-port", str(port), "-backend", "memory"]
    names = ["-public-host", f"{host}:{port}", "-external-url", f"http://{host}:{port}"]
    with running([*install.fake_gcs(), *options, *names], lambda: answers(f"http://127.0.0.1:{port}/storage/v1/b")):
        body = json.dumps({"name": "box"}).encode()
        address = f"http://127.0.0.1:{port}/storage/v1/b?project=p"
        with urllib.request.urlopen(urllib.request.Request(address, body, {"Content-Type": "application/json"}), timeout=30):
            yield port


@dataclass(frozen=True, slots=True, kw_only=True)
class S3:
    """A strict S3 server: it knows one user, and checks signatures."""

    port: int
    key: str
    secret: str


@contextlib.contextmanager
def serve_strict_s3() -> Iterator[S3]:
    """Moto's server with the bucket `box`; after five requests, which set it up, it lets nobody in without credentials."""
    import boto3

    port = free_port()
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "0.0.0.0", "-p", str(port)]
    environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "4"}
    url = f"http://127.0.0.1:{port}"
    with running(command, lambda: answers(f"{url}/moto-api/"), environment):
        given = {"endpoint_url": url, "aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
        boto3.client("s3", **given).create_bucket(Bucket="box")
        iam = boto3.client("iam", **given)
        iam.create_user(UserName="robot")
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        iam.put_user_policy(UserName="robot", PolicyName="all", PolicyDocument=json.dumps(policy))
        made = iam.create_access_key(UserName="robot")["AccessKey"]
        yield S3(port=port, key=made["AccessKeyId"], secret=made["SecretAccessKey"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A private key and what belongs to it."""

    private: str
    public: str


def ssh_key() -> Key:
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return Key(private=private.decode(), public=public.decode())


def google_key(token_url: str) -> Key:
    """A service account's key, as Google hands it out, and the public key that its tokens are signed with."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    account = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "robot@p.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": token_url,
    }
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Key(private=json.dumps(account), public=public.decode())


def make_repository(folder: Path) -> Path:
    """`folder/project.git`: three commits on main, a branch `other`, a tag, a submodule beside it."""
    work, library = folder / "work", folder / "library-work"
    for place, bare in ((library, "library.git"), (work, "project.git")):
        _git(folder, "init", "--quiet", "--initial-branch=main", str(place))
        _commit(place, "one", "1")
        if place is work:
            _git(work, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../library.git", "library")
            _git(work, "config", "-f", ".gitmodules", "submodule.library.url", "../library.git")
            _commit(work, "two", "2")
            _git(work, "tag", "v2")
            _git(work, "branch", "other")
            _commit(work, "three", "3")
            _git(work, "checkout", "--quiet", "other")
            _commit(work, "only-other", "o")
            _git(work, "checkout", "--quiet", "main")
        _git(folder, "clone", "--quiet", "--bare", str(place), str(folder / bare))
        for setting in ("http.receivepack", "uploadpack.allowAnySHA1InWant"):
            _git(folder / bare, "config", setting, "true")
    return folder / "project.git"


def _commit(place: Path, name: str, text: str) -> None:
    (place / name).write_text(text)
    _git(place, "add", ".")
    _git(place, "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", name)


def _git(place: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=place, check=True, capture_output=True)


@contextlib.contextmanager
def serve_ssh(root: Path, public: str) -> Iterator[tuple[int, str]]:
    """The port of a server that lets `git` in with that key, to fetch what lies below `root`; and its host key."""
    port, host = free_port(), ssh_key()
    (root / "authorized").write_text(public + "\n")
    (root / "host-key").write_text(host.private)
    command = [sys.executable, "-m", "tests.stores.ssh", str(port), str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout
            assert server.stdout.readline() == "ready\n"
            yield port, host.public
        finally:
            server.terminate()


def azure_signature(container: str) -> str:
    """A shared access signature for a container of Azurite's, as Azure hands it out: `?sv=…&sig=…`."""
    fields = {"sp": "racwdl", "st": "", "se": "2099-01-01T00:00:00Z", "spr": "https,http", "sv": "2020-12-06", "sr": "c"}
    resource = f"/blob/{ACCOUNT}/{container}"
    # Permissions, start, expiry, resource, identifier, IP, protocol, version, kind, snapshot, scope, five response headers.
    head = [fields["sp"], fields["st"], fields["se"], resource, "", "", fields["spr"], fields["sv"], fields["sr"]]
    text = "\n".join([*head, *[""] * 7])
    digest = hmac.new(base64.b64decode(ACCOUNT_KEY), text.encode(), hashlib.sha256).digest()
    given = {name: value for name, value in fields.items() if value} | {"sig": base64.b64encode(digest).decode()}
    return "?" + urllib.parse.urlencode(given)
