"""Pods that only say that they ran: for measuring who makes them, not what they do.

In: pods, as they are created.  Out: their status; each has succeeded so many seconds after its creation.
Must not know: containers' commands.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from argo_yaml_provider.local.http import Request
from argo_yaml_provider.local.kubelet import Kubelet
from argo_yaml_provider.local.resources import Json
from argo_yaml_provider.local.scheduling import NODE
from argo_yaml_provider.local.store import now


class InstantKubelet(Kubelet):
    """A node that runs nothing."""

    def __init__(self, *args: Any, seconds: float, **more: Any) -> None:
        super().__init__(*args, **more)
        self._seconds = seconds

    async def _run(self, pod: Json) -> None:
        pod = {**pod, "spec": {**pod["spec"], "nodeName": NODE}}
        begun = now()
        if self._seconds:
            self.write_status(pod, _status(pod, "Running", {"running": {"startedAt": begun}}, begun))
            await asyncio.sleep(self._seconds)
        ended = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": begun, "finishedAt": now()}}
        self.write_status(pod, _status(pod, "Succeeded", ended, begun))

    def open_logs(self, pod: Json, request: Request) -> AsyncIterator[bytes]:  # noqa: ARG002 - the kubelet's signature
        """Nothing was said."""
        return _lines(())


def _status(pod: Json, phase: str, state: Json, begun: str) -> Json:
    containers = [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "state": state,
            "lastState": {},
            "ready": "running" in state,
            "started": "running" in state,
            "restartCount": 0,
        }
        for container in pod["spec"]["containers"]
    ]
    return {**pod["status"], "phase": phase, "startTime": begun, "podIP": "127.0.0.1", "containerStatuses": containers}


async def _lines(lines: Iterable[bytes]) -> AsyncIterator[bytes]:
    for line in lines:
        yield line
