from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.step.watch import Expired, PodWatch


def pod(name: str, version: int, **more: object) -> Json:
    return {"metadata": {"name": name, "resourceVersion": str(version)}, **more}


class Server:
    """A list, and watches that each play a script."""

    def __init__(self, listed: list[list[Json]], watches: list[list[Json | Exception]]) -> None:
        self.listed, self.watches = listed, watches
        self.lists = 0
        self.from_versions: list[str] = []

    async def list_pods(self) -> Json:
        self.lists += 1
        return {"metadata": {"resourceVersion": str(self.lists * 100)}, "items": self.listed.pop(0)}

    async def watch_pods(self, version: str) -> AsyncIterator[Json]:
        self.from_versions.append(version)
        for event in self.watches.pop(0) if self.watches else []:
            if isinstance(event, Exception):
                raise event
            yield event
            await asyncio.sleep(0)
        if not self.watches:
            await asyncio.sleep(60)


def event(kind: str, changed: Json) -> Json:
    return {"type": kind, "object": changed}


async def test_lists_once_and_goes_on_from_the_last_version_when_a_watch_ends() -> None:
    server = Server([[pod("a", 1)]], [[event("MODIFIED", pod("b", 101)), event("BOOKMARK", pod("", 150))], []])
    watch = PodWatch(server.list_pods, server.watch_pods)
    feed = watch.subscribe(pod("a", 1))
    assert (await feed.next()).pod == pod("a", 1)
    await asyncio.sleep(0.05)
    assert (server.lists, server.from_versions) == (1, ["100", "150"])
    await watch.close()


async def test_lists_again_where_the_version_is_too_old() -> None:
    server = Server([[pod("a", 1)], [pod("a", 7, now="ended")]], [[Expired()], []])
    watch = PodWatch(server.list_pods, server.watch_pods)
    feed = watch.subscribe(pod("a", 1))
    await asyncio.sleep(0.05)
    seen = await feed.next()
    assert (seen.pod, seen.gone) == (pod("a", 7, now="ended"), False)
    assert server.from_versions == ["100", "200"]
    await watch.close()


async def test_a_pod_that_a_new_list_lacks_is_gone() -> None:
    server = Server([[]], [[]])
    watch = PodWatch(server.list_pods, server.watch_pods)
    feed = watch.subscribe(pod("a", 1))
    await asyncio.sleep(0.05)
    seen = await feed.next()
    assert (seen.pod, seen.gone) == (pod("a", 1), True)
    await watch.close()


async def test_every_waiter_hears_of_its_own_pod_only() -> None:
    server = Server([[pod("a", 1), pod("b", 2)]], [[event("MODIFIED", pod("b", 3, x=1)), event("DELETED", pod("a", 4))]])
    watch = PodWatch(server.list_pods, server.watch_pods)
    a, b = watch.subscribe(pod("a", 1)), watch.subscribe(pod("b", 2))
    await asyncio.sleep(0.05)
    assert ((await a.next()).gone, (await b.next()).pod) == (True, pod("b", 3, x=1))
    await watch.close()


async def test_all_who_wait_are_told_when_the_watch_is_refused() -> None:
    server = Server([[pod("a", 1)]], [[RunError("pods is forbidden")]])
    watch = PodWatch(server.list_pods, server.watch_pods)
    feed = watch.subscribe(pod("a", 1))
    await asyncio.sleep(0.05)
    with pytest.raises(RunError, match="pods is forbidden"):
        await feed.next()


async def test_a_watch_that_nobody_needs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PodWatch, "IDLE_SECONDS", 0.0)
    server = Server([[pod("a", 1)]], [[event("MODIFIED", pod("a", number)) for number in range(2, 50)]])
    watch = PodWatch(server.list_pods, server.watch_pods)
    feed = watch.subscribe(pod("a", 1))
    await feed.next()
    watch.unsubscribe("a", feed)
    async with asyncio.timeout(1):
        await watch._task  # type: ignore[misc]
