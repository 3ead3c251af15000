"""A pod's logs, line by line into the task's log while it runs, and complete when it has ended.

In: a cluster, a pod.  Out: lines to the host.  One connection for each running container, no thread.
Must not know: Argo, Airflow.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.pods.supervise import SUPERVISOR
from argo_yaml_provider.step.kube import ApiError, Kube
from argo_yaml_provider.step.outcome import STORE_PREFIX
from argo_yaml_provider.step.reports import MARK

Json = dict[str, Any]
Log = Callable[..., None]

_LINGER_SECONDS = 0.05
"""How long a followed log may take to end by itself; the kubelet may need a second more to notice that its container did."""


class LogReader:
    """The logs of one pod's containers."""

    def __init__(self, kube: Kube, log: Log) -> None:
        self._kube, self._log = kube, log
        self._followers: dict[str, asyncio.Task[bool]] = {}
        self._last: dict[str, tuple[bytes, int]] = {}

    def update(self, pod: Json) -> None:
        """Begins to follow containers that have started."""
        status = pod.get("status", {})
        for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
            name = container["name"]
            if "running" in container.get("state", {}) and name not in self._followers and name != SUPERVISOR:
                self._followers[name] = asyncio.create_task(self._read(pod, name, follow=True))

    async def finish(self, pod: Json) -> None:
        """Reads what was not yet read of containers that have ended, and stops following all."""
        if self._followers:
            await asyncio.wait(self._followers.values(), timeout=_LINGER_SECONDS)
        for follower in self._followers.values():
            if not follower.done():
                follower.cancel()
                with suppress(asyncio.CancelledError):
                    await follower
        status = pod.get("status", {})
        for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
            state = container.get("state", {})
            if "terminated" in state and state["terminated"].get("containerID") and not self._is_read(container["name"]):
                await self._read(pod, container["name"], follow=False)

    def stop(self) -> None:
        """Stops following, whatever is left."""
        for follower in self._followers.values():
            follower.cancel()

    def _is_read(self, container: str) -> bool:
        """Whether the container's log was followed to its end."""
        follower = self._followers.get(container)
        if container == SUPERVISOR:
            return True
        return follower is not None and not follower.cancelled() and follower.exception() is None and follower.result()

    async def _read(self, pod: Json, container: str, *, follow: bool) -> bool:
        """Writes the lines that were not yet written: those later than the last, told apart by their times and number."""
        read_until, read = self._last.get(container, (b"", 0))
        equal = 0
        try:
            async with self._kube.read_log(pod, container, follow=follow, since=_whole_second(read_until)) as lines:
                async for line in lines:
                    time, _, text = line.partition(b" ")
                    equal += time == read_until
                    if time < read_until or (time == read_until and equal <= read):
                        continue
                    if text.startswith(MARK) and container.startswith(STORE_PREFIX):
                        continue
                    last, count = self._last.get(container, (b"", 0))
                    self._last[container] = (time, count + 1 if time == last else 1)
                    self._log(text.decode(errors="replace"), container=container)
        except (ApiError, OSError) as error:
            if not follow:
                self._log(f"the log of container {container} could not be read: {_words(error)}", container=container)
            return False
        return True


def _whole_second(time: bytes) -> str:
    """A log's time as `sinceTime` takes it, without its fraction."""
    return re.sub(r"\.\d+", "", time.decode())


def _words(error: Exception) -> str:
    return error.message if isinstance(error, RunError) else str(error)
