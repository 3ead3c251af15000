"""A watch: changes of one kind as lines of JSON.

In: the store and a watch request.  Out: bytes, one event a line.
Must not know: pods.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from argo_yaml_provider.local.errors import ApiError
from argo_yaml_provider.local.http import Request, dump
from argo_yaml_provider.local.objects import Target
from argo_yaml_provider.local.resources import Json, Resource
from argo_yaml_provider.local.selectors import Predicate, field_selector, selector
from argo_yaml_provider.local.store import Event, Store
from argo_yaml_provider.local.tables import render_table, wants_table

_TIMEOUT = 1800.0
_BOOKMARK_EVERY = 60.0


def _seen_as(event: Event, test: Predicate) -> str | None:
    """What a change is to one who sees only what the selector matches."""
    matched = event.old is not None and test(event.old)
    matches = test(event.obj)
    if event.type != "MODIFIED":
        return event.type if matches else None
    if matches:
        return "MODIFIED" if matched else "ADDED"
    return "DELETED" if matched else None


def _bookmark(resource: Resource, version: int, *, initial: bool = False) -> bytes:
    meta: Json = {"resourceVersion": str(version), "creationTimestamp": None}
    if initial:
        meta["annotations"] = {"k8s.io/initial-events-end": "true"}
    return _line("BOOKMARK", {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta})


def _line(kind: str, obj: Json) -> bytes:
    return dump({"type": kind, "object": obj}) + b"\n"


def _since(request: Request) -> int | None:
    text = request.arg("resourceVersion")
    if text in {"", "0"}:
        return None
    if not text.isdigit():
        raise ApiError("BadRequest", f"invalid resource version: {text!r} is no number")
    return int(text)


def _test(target: Target, request: Request) -> Predicate:
    namespace, asked = target.namespace, selector(request.arg("labelSelector"), request.arg("fieldSelector"))
    named = field_selector(f"metadata.name={target.name}") if target.name else None

    def matches(obj: Json) -> bool:
        if namespace and obj["metadata"].get("namespace") != namespace:
            return False
        return (named is None or named(obj)) and (asked is None or asked(obj))

    return matches


async def watch(store: Store, target: Target, request: Request) -> AsyncIterator[bytes]:
    """Events until the client's timeout; a resourceVersion that is too old is one ERROR event."""
    since, start = _since(request), store.version
    initial = request.flag("sendInitialEvents")
    try:
        queue = store.watch(target.resource, None if initial else since)
    except ApiError as error:
        yield _line("ERROR", error.status)
        return
    encode = _Encoder(target, request)
    bookmarks = request.flag("allowWatchBookmarks")
    try:
        while not queue.empty():
            yield encode(queue.get_nowait())
        if initial:
            yield _bookmark(target.resource, start, initial=True)
        async for chunk in _follow(store, queue, target.resource, float(request.arg("timeoutSeconds") or _TIMEOUT)):
            if isinstance(chunk, Event):
                yield encode(chunk)
            elif bookmarks:
                yield chunk
    finally:
        store.unwatch(target.resource, queue)


async def _follow(
    store: Store, queue: asyncio.Queue[Event], resource: Resource, seconds: float
) -> AsyncIterator[Event | bytes]:
    """Events as they come, and a bookmark where nothing has come for a while."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while (left := end - loop.time()) > 0:
        try:
            yield await asyncio.wait_for(queue.get(), min(left, _BOOKMARK_EVERY))
        except TimeoutError:
            yield _bookmark(resource, store.version)


class _Encoder:
    """An event as the watcher asked for it; b"" where it must not see it."""

    def __init__(self, target: Target, request: Request) -> None:
        self._resource, self._test = target.resource, _test(target, request)
        self._include = request.arg("includeObject", "Metadata") if wants_table(request) else None
        self._headed = False

    def __call__(self, event: Event) -> bytes:
        kind = _seen_as(event, self._test)
        if kind is None:
            return b""
        if self._include is not None:
            table = render_table(self._resource, [event.obj], event.obj["metadata"], self._include)
            if self._headed:
                table["columnDefinitions"] = None
            self._headed = True
            return _line(kind, table)
        if kind not in event.encoded:
            event.encoded[kind] = _line(kind, event.obj)
        return event.encoded[kind]
