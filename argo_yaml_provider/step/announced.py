"""The end of a supervised main container, heard from its supervisor: a pod's status tells of it up to a second later.

In: a running pod.  Out: to its feed, the pod as its status will soon have it; nothing where the supervisor does not speak.
Only a success is announced. Why another end came, the kubelet alone knows.
Must not know: Argo, Airflow.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Any

from argo_yaml_provider.flow.clock import rfc3339
from argo_yaml_provider.pods.containers import MAIN
from argo_yaml_provider.pods.supervise import SUPERVISOR
from argo_yaml_provider.step.kube import ApiError, Kube
from argo_yaml_provider.step.outcome import with_end
from argo_yaml_provider.step.watch import PodFeed

Json = dict[str, Any]

MARK = b"argo-ended: "


class Announcement:
    """Waited for from when both containers run; by one connection, until its log ends."""

    def __init__(self, kube: Kube, feed: PodFeed, *, expected: bool = True) -> None:
        self._kube, self._feed, self._expected = kube, feed, expected
        self._task: asyncio.Task[None] | None = None

    def update(self, pod: Json) -> None:
        """The pod's newest state."""
        if self._task or not self._expected:
            return
        if {MAIN, SUPERVISOR} <= {status["name"] for status in _statuses(pod) if "running" in status.get("state", {})}:
            self._task = asyncio.create_task(self._hear(pod))

    def stop(self) -> None:
        """It is no longer of interest."""
        if self._task:
            self._task.cancel()

    async def _hear(self, pod: Json) -> None:
        with suppress(ApiError, OSError):  # the status will tell
            async with self._kube.read_log(pod, SUPERVISOR, follow=True) as lines:
                async for line in lines:
                    time, _, text = line.partition(b" ")
                    if text.startswith(MARK):
                        self._feed.put(ended(pod, time.decode(), text.removeprefix(MARK).decode(errors="replace")))
                        return


def ended(pod: Json, at: str, message: str) -> Json:
    """The pod with main ended well; `at` is a log's time."""
    main = next(status for status in _statuses(pod) if status["name"] == MAIN)
    known = {"startedAt": main["state"]["running"].get("startedAt"), "containerID": main.get("containerID")}
    finished = rfc3339(datetime.fromisoformat(at))
    return with_end(pod, MAIN, {**known, "exitCode": 0, "reason": "Completed", "message": message, "finishedAt": finished})


def _statuses(pod: Json) -> list[Json]:
    found: list[Json] = pod.get("status", {}).get("containerStatuses", [])
    return found
