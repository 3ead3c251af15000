"""Servers that hold artifacts, each in a process or thread of its own, at every address of this machine."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
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
def running(command: list[str], ready: Callable[[], bool]) -> Iterator[None]:
    """The server, from the moment it is ready."""
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder) as server,
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
