"""The end of a supervised main container, heard from its supervisor: a pod's status tells of it up to a second later.

In: a running pod.  Out: to its feed, the pod as its status will soon have it; nothing where the supervisor does not speak.
Only a success is announced. Why another end came, the kubelet alone knows.
Must not know: Argo, Airflow.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from argo_yaml_provider.pods.containers import MAIN
from argo_yaml_provider.pods.supervise import SUPERVISOR
from argo_yaml_provider.step.kube import ApiError, Kube
from argo_yaml_provider.step.watch import PodFeed

Json = dict[str, Any]

MARK = b"argo-ended: "


class Announcement:
    """Waited for from when both containers run; by one connection, until its log ends."""

    def __init__(self, kube: Kube, feed: PodFeed) -> None:
        self._kube, self._feed = kube, feed
        self._task: asyncio.Task[None] | None = None

    def update(self, pod: Json) -> None:
        """The pod's newest state."""
        running = {status["name"] for status in _statuses(pod) if "running" in status.get("state", {})}
        if self._task is None and {MAIN, SUPERVISOR} <= running:
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
    statuses = [_completed(status, _second(at), message) if status["name"] == MAIN else status for status in _statuses(pod)]
    return {**pod, "status": {**pod["status"], "containerStatuses": statuses}}


def _completed(status: Json, at: str, message: str) -> Json:
    known = {"startedAt": status["state"]["running"].get("startedAt"), "containerID": status.get("containerID")}
    end = {**known, "exitCode": 0, "reason": "Completed", "message": message, "finishedAt": at}
    return {**status, "state": {"terminated": end}}


def _second(time: str) -> str:
    """As a status writes it."""
    return datetime.fromisoformat(time).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _statuses(pod: Json) -> list[Json]:
    found: list[Json] = pod.get("status", {}).get("containerStatuses", [])
    return found
