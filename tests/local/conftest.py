from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from argo_yaml_provider.local import EmbeddedKubernetes

Json = dict[str, Any]


class Client:
    """The API as a client sees it, without a client library in between."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def call(self, verb: str, path: str, body: Any = None, **headers: str) -> tuple[int, Json]:
        async with self._session.request(verb, path, json=body, headers=headers) as reply:
            return reply.status, await reply.json(content_type=None)

    async def text(self, path: str) -> str:
        async with self._session.get(path) as reply:
            return await reply.text()

    async def pod(self, manifest: Json) -> Json:
        status, pod = await self.call("POST", "/api/v1/namespaces/default/pods", manifest)
        assert status == 201, pod
        return dict(pod)

    async def until(self, name: str, test: Callable[[Json], Any]) -> Json:
        """The pod, once the test holds for it."""
        import json

        url = f"/api/v1/namespaces/default/pods?watch=true&fieldSelector=metadata.name={name}&timeoutSeconds=30"
        async with self._session.get(url) as reply:
            async for line in reply.content:
                event = json.loads(line)
                if event["type"] == "DELETED" or test(event["object"]):
                    return dict(event["object"])
        raise AssertionError(f"pod {name} did not come to be as awaited")

    async def ended(self, name: str) -> Json:
        return await self.until(name, lambda pod: pod["status"]["phase"] in {"Succeeded", "Failed"})

    async def log(self, name: str, query: str = "") -> str:
        return await self.text(f"/api/v1/namespaces/default/pods/{name}/log?{query}")


@pytest.fixture(scope="session")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKubernetes]:
    with EmbeddedKubernetes(tmp_path_factory.mktemp("kube")) as started:
        yield started


@pytest.fixture
async def client(kube: EmbeddedKubernetes) -> AsyncIterator[Client]:
    async with connect(kube) as session:
        yield Client(session)


def connect(kube: EmbeddedKubernetes) -> aiohttp.ClientSession:
    trust = ssl.create_default_context(cafile=str(kube.kubeconfig.parent / "ca.crt"))
    headers = {"Authorization": f"Bearer {kube.token}"}
    return aiohttp.ClientSession(kube.url, headers=headers, connector=aiohttp.TCPConnector(ssl=trust))


def pod(name: str, script: str, **spec: Any) -> Json:
    """A pod of one container that runs a shell script."""
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", script], **spec.pop("container", {})}
    return {"metadata": {"name": name}, "spec": {"restartPolicy": "Never", "containers": [container], **spec}}
