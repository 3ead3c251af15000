"""How long the embedded Kubernetes takes to start, one pod to be seen ended, and many pods to end."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time

import aiohttp

from argo_yaml_provider.local import EmbeddedKubernetes

PODS = "/api/v1/namespaces/bench/pods"


def pod(name: str) -> dict[str, object]:
    container = {"name": "main", "image": "busybox", "command": ["true"]}
    return {"metadata": {"name": name}, "spec": {"restartPolicy": "Never", "containers": [container]}}


async def ended(session: aiohttp.ClientSession, count: int, version: str) -> None:
    """Wait until so many pods have ended."""
    done: set[str] = set()
    async with session.get(f"{PODS}?watch=1&resourceVersion={version}") as reply:
        async for line in reply.content:
            found = json.loads(line)["object"]
            if found["status"]["phase"] in {"Succeeded", "Failed"}:
                done.add(found["metadata"]["name"])
            if len(done) == count:
                return


async def seconds(session: aiohttp.ClientSession, prefix: str, count: int) -> float:
    async with session.get(PODS) as reply:
        version = (await reply.json())["metadata"]["resourceVersion"]
    begun = time.perf_counter()
    waiting = asyncio.create_task(ended(session, count, version))
    for index in range(count):
        async with session.post(PODS, json=pod(f"{prefix}-{index}")) as reply:
            assert reply.status == 201, await reply.text()
    await waiting
    return time.perf_counter() - begun


async def main(kube: EmbeddedKubernetes, many: int) -> None:
    trust = ssl.create_default_context(cafile=str(kube.kubeconfig.parent / "ca.crt"))
    headers = {"Authorization": f"Bearer {kube.token}"}
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(kube.url, headers=headers, connector=connector) as session:
        single = sorted([await seconds(session, f"one{i}", 1) for i in range(11)])
        print(f"one pod, created to seen ended: median {single[5] * 1000:.0f} ms")
        took = await seconds(session, "many", many)
        print(f"{many} pods at once: {took:.1f} s, {took / many * 1000:.1f} ms each")


if __name__ == "__main__":
    began = time.perf_counter()
    with EmbeddedKubernetes() as embedded:
        print(f"start: {time.perf_counter() - began:.2f} s (pods isolated by: {embedded.sandbox})")
        asyncio.run(main(embedded, int(sys.argv[1]) if len(sys.argv) > 1 else 200))
        stopping = time.perf_counter()
    print(f"stop: {time.perf_counter() - stopping:.2f} s")
