"""One watch of a namespace's pods for all who wait for one: list once, then watch; list again where the server says 410.

In: a way to list and to watch, pods that somebody waits for.  Out: to each waiter the newest state of its pod.
Must not know: HTTP, Argo, Airflow.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
_UNASKED = 1000
ListPods = Callable[[], Awaitable[Json]]
WatchPods = Callable[[str], AsyncIterator[Json]]


class Expired(Exception):
    """The server no longer knows the resource version (410): list again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A pod as it was last seen."""

    pod: Json
    gone: bool = False
    """It no longer exists; `pod` is its last known state."""


class PodFeed:
    """What one waiter is told of its pod; states that come faster than they are read are skipped."""

    def __init__(self, pod: Json) -> None:
        self._seen = Seen(pod=pod)
        self._error: Exception | None = None
        self._changed = asyncio.Event()
        self._changed.set()

    def put(self, pod: Json | None, *, gone: bool = False) -> None:
        """The newest state; None: as before."""
        self._seen = Seen(pod=pod or self._seen.pod, gone=gone)
        self._changed.set()

    def fail(self, error: Exception) -> None:
        """The pod cannot be watched."""
        self._error = error
        self._changed.set()

    async def next(self) -> Seen:
        """The newest state, as soon as it differs from what was read before."""
        await self._changed.wait()
        self._changed.clear()
        if self._error:
            raise self._error
        return self._seen


class PodWatch:
    """The shared watch; it runs while somebody waits, and a little longer."""

    IDLE_SECONDS = 30.0

    def __init__(self, list_pods: ListPods, watch_pods: WatchPods) -> None:
        self._list, self._watch = list_pods, watch_pods
        self._feeds: dict[str, set[PodFeed]] = {}
        self._unasked: OrderedDict[str, Json] = OrderedDict()
        """Last states of pods that nobody waits for yet: a quick pod may end before the reply to its creation is read."""
        self._task: asyncio.Task[None] | None = None
        self._idle_since = 0.0

    def subscribe(self, pod: Json) -> PodFeed:
        """Follows a pod from a state already known, such as the reply to its creation."""
        name = pod["metadata"]["name"]
        seen = self._unasked.pop(name, None)
        feed = PodFeed(seen if seen and _is_newer(seen, pod) else pod)
        self._feeds.setdefault(name, set()).add(feed)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return feed

    def unsubscribe(self, name: str, feed: PodFeed) -> None:
        """Ends what `subscribe` began."""
        feeds = self._feeds.get(name, set())
        feeds.discard(feed)
        if not feeds:
            self._feeds.pop(name, None)
            self._idle_since = time.monotonic()

    async def close(self) -> None:
        """Ends the watch."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        try:
            await self._follow()
        except Exception as error:  # noqa: BLE001 - whoever waits is told; nobody else looks at this task
            for feed in [feed for feeds in self._feeds.values() for feed in feeds]:
                feed.fail(error)

    async def _follow(self) -> None:
        version = ""
        while self._feeds:
            try:
                version = version or await self._relist()
                async for event in self._watch(version):
                    version = event["object"]["metadata"]["resourceVersion"]
                    self._deliver(event)
                    await asyncio.sleep(0)  # a thousand pods may have changed at once, and whose they are have much to do
                    if not self._feeds and time.monotonic() - self._idle_since > self.IDLE_SECONDS:
                        return
            except Expired:
                version = ""

    async def _relist(self) -> str:
        """Every waiter's pod as it is now; one that was waited for before and is not listed is gone."""
        waiting = {name: tuple(feeds) for name, feeds in self._feeds.items()}
        listed = await self._list()
        found = {pod["metadata"]["name"]: pod for pod in listed["items"]}
        for pod in found.values():
            self._deliver({"type": "MODIFIED", "object": pod})
            await asyncio.sleep(0)
        for name in waiting.keys() - found.keys():
            for feed in waiting[name]:
                feed.put(None, gone=True)
        return str(listed["metadata"]["resourceVersion"])

    def _deliver(self, event: Json) -> None:
        if event["type"] == "BOOKMARK":
            return
        pod, gone = event["object"], event["type"] == "DELETED"
        name = pod["metadata"]["name"]
        for feed in self._feeds.get(name, ()):
            feed.put(pod, gone=gone)
        self._unasked.pop(name, None)
        if name not in self._feeds and not gone:
            self._unasked[name] = pod
            if len(self._unasked) > _UNASKED:
                self._unasked.popitem(last=False)


def _is_newer(pod: Json, than: Json) -> bool:
    """Of two states of a pod. Versions are numbers that grow, which Kubernetes promises since 1.35 and has always kept."""
    one, other = pod["metadata"], than["metadata"]
    return one.get("uid") == other.get("uid") and int(one["resourceVersion"]) > int(other["resourceVersion"])
