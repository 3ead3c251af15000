"""The servers and tools that the tests of artifact stores need, installed once into a cache: `python -m tests.stores.install`.

Azurite comes from npm, fake-gcs-server and an rclone newer than Debian's from their Go modules.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "argo-yaml-tests"
AZURITE = "azurite@3.35.0"
FAKE_GCS = "github.com/fsouza/fake-gcs-server@v1.52.2"
_MACHINE_TRUST = {"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt"}
"""npm trusts only authorities of its own, unless told of the machine's."""
HOW = "python -m tests.stores.install (needs npm and go)"


def azurite() -> list[str]:
    """The command that starts Azurite's blob service."""
    return [_program("node"), str(_there(CACHE / "azurite/node_modules/azurite/dist/src/blob/main.js"))]


def fake_gcs() -> list[str]:
    return [str(_there(CACHE / "bin/fake-gcs-server"))]


def rclone() -> Path:
    """An rclone that takes an address of one's own for every store."""
    sources = b"".join((HERE / "rclone" / name).read_bytes() for name in ("go.mod", "main.go"))
    return _there(CACHE / f"rclone-{hashlib.sha256(sources).hexdigest()[:8]}")


def _there(path: Path) -> Path:
    if not path.exists():
        _lacking(f"{path.name} is not installed: {HOW}")
    return path


def _program(name: str) -> str:
    return shutil.which(name) or _lacking(f"{name} is not installed")


def _lacking(reason: str) -> str:
    """A developer's machine may lack it; where CI is set, everything must run."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def main() -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    if not (CACHE / "azurite/node_modules").exists():
        print(f"installing {AZURITE}", flush=True)
        command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", CACHE / "azurite", AZURITE]
        subprocess.run(command, env={**_MACHINE_TRUST, **os.environ}, check=True)
    if not (CACHE / "bin/fake-gcs-server").exists():
        print(f"building {FAKE_GCS}", flush=True)
        subprocess.run(["go", "install", FAKE_GCS], env={**os.environ, "GOBIN": str(CACHE / "bin")}, check=True)
    sources = b"".join((HERE / "rclone" / name).read_bytes() for name in ("go.mod", "main.go"))
    target = CACHE / f"rclone-{hashlib.sha256(sources).hexdigest()[:8]}"
    if not target.exists():
        print("building rclone", flush=True)
        environment = {**os.environ, "CGO_ENABLED": "0"}
        part = target.with_suffix(".part")
        command = ["go", "build", "-ldflags", "-s -w", "-o", part, "."]
        subprocess.run(command, cwd=HERE / "rclone", env=environment, check=True)
        part.rename(target)


if __name__ == "__main__":
    sys.exit(main())
