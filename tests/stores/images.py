"""Images for the cluster's own registry, each an image that is there and one layer more, without Docker.

The registry answers at ARGO_TEST_REGISTRY, by default on port 5000 of this machine.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.stores import install

REGISTRY = os.environ.get("ARGO_TEST_REGISTRY", "http://127.0.0.1:5000")
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_SSH = """#!/bin/sh
exec /opt/ssh/loader --library-path /opt/ssh /opt/ssh/ssh "$@"
"""


def with_rclone() -> str:
    """An image of the size of rclone's own: a busybox, and an rclone newer than Debian's."""
    return _extended("library/busybox", "latest", "rclone/rclone", {"usr/local/bin/rclone": install.rclone().read_bytes()})


def with_authority(authority: Path) -> tuple[str, str]:
    """Curl's image with the certificate of an authority in it, and where that lies."""
    path = "etc/ssl/certs/tests.pem"
    return _extended("curlimages/curl", "latest", "curlimages/curl", {path: authority.read_bytes()}), f"/{path}"


def with_ssh() -> str:
    """Git's image with an ssh, as the real one has it: this machine's, with its libraries."""
    ssh = shutil.which("ssh")
    if ssh is None:
        pytest.skip("ssh is not installed")
    libraries = re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", ssh], capture_output=True, text=True, check=True).stdout)
    files = {f"opt/ssh/{Path(path).name}": Path(path).read_bytes() for path in libraries}
    loader = next(name for name in files if "ld-linux" in name)
    files |= {"opt/ssh/loader": files[loader], "opt/ssh/ssh": Path(ssh).read_bytes(), "usr/bin/ssh": _SSH.encode()}
    return _extended("alpine/git", "latest", "alpine/git", files)


def _extended(base: str, tag: str, name: str, files: dict[str, bytes]) -> str:
    """The name of the image with these files more; its tag is their digest, for a node keeps what it once pulled by a name."""
    try:
        manifest = json.loads(_call("GET", f"{base}/manifests/{tag}", accept=_MANIFEST))
    except OSError as error:
        pytest.skip(f"the cluster's registry does not answer at {REGISTRY}: {error}")
    config = json.loads(_call("GET", f"{base}/blobs/{manifest['config']['digest']}"))
    layer = _layer(files)
    new_tag = _digest(layer).partition(":")[2][:12]
    for entry in manifest["layers"]:
        _call("POST", f"{name}/blobs/uploads/?mount={entry['digest']}&from={base}")
    config["rootfs"]["diff_ids"].append(_digest(layer))
    config["config"]["Entrypoint"] = []
    media = "application/vnd.oci.image.layer.v1.tar"
    manifest["layers"].append({"mediaType": media, "digest": _push(name, layer), "size": len(layer)})
    text = json.dumps(config).encode()
    manifest["config"] |= {"digest": _push(name, text), "size": len(text)}
    _call("PUT", f"{name}/manifests/{new_tag}", json.dumps(manifest).encode(), content=manifest.get("mediaType", _MANIFEST))
    return f"{name}:{new_tag}"


def _layer(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _push(name: str, data: bytes) -> str:
    digest = _digest(data)
    try:
        _call("HEAD", f"{name}/blobs/{digest}")
    except urllib.error.HTTPError:
        request = urllib.request.Request(f"{REGISTRY}/v2/{name}/blobs/uploads/", method="POST")
        with urllib.request.urlopen(request, timeout=30) as reply:
            place = reply.headers["Location"]
        place = place if place.startswith("http") else f"{REGISTRY}{place}"
        _open(urllib.request.Request(f"{place}{'&' if '?' in place else '?'}digest={digest}", data, method="PUT"))
    return digest


def _call(method: str, path: str, body: bytes | None = None, *, accept: str = "", content: str = "") -> bytes:
    given = {"Accept": accept, "Content-Type": content}
    headers = {name: value for name, value in given.items() if value}
    return _open(urllib.request.Request(f"{REGISTRY}/v2/{path}", body, headers, method=method))


def _open(request: urllib.request.Request) -> bytes:
    request.add_header("Content-Type", request.get_header("Content-type") or "application/octet-stream")
    with urllib.request.urlopen(request, timeout=60) as reply:
        data: Any = reply.read()
        return bytes(data)
