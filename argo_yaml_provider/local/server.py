"""Put the parts together and serve until told to stop.

In: a folder for state, a table of images.  Out: an API server on loopback and its kubeconfig.
Must not know: who uses it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

from argo_yaml_provider.local.api import Api
from argo_yaml_provider.local.certificate import make_certificate
from argo_yaml_provider.local.collector import Collector
from argo_yaml_provider.local.images import Images, write_layer
from argo_yaml_provider.local.instant import InstantKubelet
from argo_yaml_provider.local.kubelet import Kubelet
from argo_yaml_provider.local.objects import Objects, Target
from argo_yaml_provider.local.processes import Processes
from argo_yaml_provider.local.resources import Catalogue, Json
from argo_yaml_provider.local.scheduling import build_node
from argo_yaml_provider.local.store import Store

NAMESPACES = ("default", "kube-system", "kube-public", "argo")


class _Uvicorn(uvicorn.Server):
    """Leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def write_kubeconfig(path: Path, *, url: str, token: str, certificate: str) -> None:
    """JSON is YAML; readable by its owner only from the first byte."""
    from base64 import b64encode

    cluster = {"server": url, "certificate-authority-data": b64encode(certificate.encode()).decode()}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "embedded",
        "clusters": [{"name": "embedded", "cluster": cluster}],
        "users": [{"name": "embedded", "user": {"token": token}}],
        "contexts": [{"name": "embedded", "context": {"cluster": "embedded", "user": "embedded", "namespace": "default"}}],
    }
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(json.dumps(config, indent=2) + "\n")


class Server:
    """One embedded Kubernetes."""

    def __init__(self, folder: Path, images: dict[str, Any] | None = None, *, instant: float | None = None) -> None:
        self.folder = folder
        self._instant = instant
        self._images = Images(images)
        self.token = secrets.token_urlsafe(32)
        self.url = ""
        self.mode = ""

    async def start(self) -> None:
        """Listen, and write the kubeconfig once requests can be answered."""
        for name in ("pods", "claims", "launch", "groups"):
            (self.folder / name).mkdir(exist_ok=True)
        certificate, key = make_certificate(self.folder)
        write_layer(self.folder / "layer")
        processes = Processes(self.folder / "launch")
        await processes.start(self.folder / "layer")
        self.mode = processes.mode
        listening = _listen()
        port = listening.getsockname()[1]
        self.url = f"https://127.0.0.1:{port}"
        objects = Objects(Store(), Catalogue())
        Collector(objects, certificate.read_text())
        shared = objects, processes, self._images, self.folder
        kubelet = Kubelet(*shared) if self._instant is None else InstantKubelet(*shared, seconds=self._instant)
        kubelet.token = {"token": self.token, "ca.crt": certificate.read_text()}
        kubelet.service = _service_env(port)
        self._populate(objects, port)
        self._api = Api(objects, kubelet, self.token)
        config = uvicorn.Config(
            self._api,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            ssl_version=ssl.PROTOCOL_TLS_SERVER,
            lifespan="off",
            log_level="critical",
            access_log=False,
            ws="websockets-sansio",
            timeout_keep_alive=300,
            timeout_graceful_shutdown=1,
        )
        self._processes, self._kubelet = processes, kubelet
        self._uvicorn = _Uvicorn(config)
        self._serving = asyncio.create_task(self._uvicorn.serve(sockets=[listening]))
        while not (self._uvicorn.started or self._serving.done()):  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.002)
        write_kubeconfig(self.folder / "kubeconfig", url=self.url, token=self.token, certificate=certificate.read_text())

    def _populate(self, objects: Objects, port: int) -> None:
        node: Json = build_node(self.mode)
        objects.create(Target(resource=objects.resource("nodes")), node)
        for name in NAMESPACES:
            objects.ensure_namespace(name)
        spec = {"type": "ClusterIP", "clusterIP": "127.0.0.1", "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}
        service = {"metadata": {"name": "kubernetes"}, "spec": spec}
        objects.create(Target(resource=objects.resource("services"), namespace="default"), service)

    async def stop(self) -> None:
        await self._kubelet.close()
        self._uvicorn.should_exit = True
        self._api.close()
        await self._serving
        self._processes.stop()


def _listen() -> socket.socket:
    # the protocol must be named: asyncio turns off Nagle's delays (40 ms a request) only where it is
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", 0))
    listening.listen(2048)
    return listening


def _service_env(port: int) -> dict[str, str]:
    address = f"tcp://127.0.0.1:{port}"
    return {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(port),
        "KUBERNETES_SERVICE_PORT_HTTPS": str(port),
        "KUBERNETES_PORT": address,
    }
