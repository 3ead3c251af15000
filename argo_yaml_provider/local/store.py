"""Every object of the embedded Kubernetes, in memory, with the history that watches read.

In: whole objects.  Out: the same with uid, resourceVersion and timestamps; events to those who watch.
Must not know: HTTP, pods, what a field means beyond `metadata`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from argo_yaml_provider.local.errors import ApiError, already_exists, conflict, not_found
from argo_yaml_provider.local.resources import Json, Resource

HISTORY = 10_000
"""How many past events of a kind a watch may still ask for; older ones are answered 410."""

Key = tuple[str, str]


def now() -> str:
    """The present as Kubernetes writes times: whole seconds, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True, eq=False)
class Event:
    """One change: the object as it is and as it was."""

    type: str
    version: int
    obj: Json
    old: Json | None = None
    encoded: dict[str, bytes] = field(default_factory=dict)
    """The event as bytes, made once for all who watch."""


@dataclass(slots=True)
class _Shelf:
    """The objects of one kind."""

    objects: dict[Key, Json] = field(default_factory=dict)
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=HISTORY))
    trimmed: int = 0
    watchers: set[asyncio.Queue[Event]] = field(default_factory=set)


class Store:
    """Objects by resource, namespace and name. An object that was handed out is never changed in place."""

    def __init__(self) -> None:
        self.version = 1
        self._shelves: dict[tuple[str, str], _Shelf] = {}
        self._listeners: list[Callable[[Resource, Event], None]] = []

    def listen(self, listener: Callable[[Resource, Event], None]) -> None:
        """Call back at once on every change of any kind."""
        self._listeners.append(listener)

    def _shelf(self, resource: Resource) -> _Shelf:
        return self._shelves.setdefault((resource.group, resource.plural), _Shelf())

    def find(self, resource: Resource, namespace: str, name: str) -> Json | None:
        return self._shelf(resource).objects.get((namespace, name))

    def get(self, resource: Resource, namespace: str, name: str) -> Json:
        obj = self.find(resource, namespace, name)
        if obj is None:
            raise not_found(resource, name)
        return obj

    def list(self, resource: Resource, namespace: str = "") -> list[Json]:
        """The objects of a kind, in one namespace or in all, ordered by namespace and name."""
        objects = self._shelf(resource).objects
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def oldest(self, resource: Resource, *, beyond: int) -> Json | None:
        """The first object of a kind that was created, where there are more than so many."""
        objects = self._shelf(resource).objects
        return next(iter(objects.values())) if len(objects) > beyond else None

    def create(self, resource: Resource, obj: Json) -> Json:
        meta = obj["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        if key in self._shelf(resource).objects:
            raise already_exists(resource, meta["name"])
        meta = {**meta, "uid": str(uuid.uuid4()), "creationTimestamp": now(), "generation": 1}
        return self._put(resource, {**obj, "metadata": meta}, "ADDED", None)

    def update(self, resource: Resource, obj: Json) -> Json:
        """Replace an object; a resourceVersion it carries must be the present one. No change, no event."""
        meta = obj["metadata"]
        old = self.get(resource, meta.get("namespace", ""), meta["name"])
        given = meta.get("resourceVersion")
        if given and given != old["metadata"]["resourceVersion"]:
            why = "the object has been modified; please apply your changes to the latest version and try again"
            raise conflict(resource, meta["name"], why)
        kept = {k: old["metadata"][k] for k in ("uid", "creationTimestamp", "resourceVersion")}
        obj = {**obj, "metadata": {**meta, **kept}}
        if obj == old:
            return old
        return self._put(resource, obj, "MODIFIED", old)

    def delete(self, resource: Resource, namespace: str, name: str) -> Json:
        old = self.get(resource, namespace, name)
        return self._put(resource, old, "DELETED", old)

    def _put(self, resource: Resource, obj: Json, kind: str, old: Json | None) -> Json:
        self.version += 1
        obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
        shelf = self._shelf(resource)
        key = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        if kind == "DELETED":
            del shelf.objects[key]
        else:
            shelf.objects[key] = obj
        event = Event(type=kind, version=self.version, obj=obj, old=old)
        if len(shelf.events) == HISTORY:
            shelf.trimmed = shelf.events[0].version
        shelf.events.append(event)
        for watcher in shelf.watchers:
            watcher.put_nowait(event)
        for listener in self._listeners:
            listener(resource, event)
        return obj

    def watch(self, resource: Resource, since: int | None) -> asyncio.Queue[Event]:
        """Events after a resourceVersion; None starts with what is there, each as ADDED. `unwatch` it at the end."""
        shelf = self._shelf(resource)
        if since is not None and since < shelf.trimmed:
            raise ApiError("Expired", f"too old resource version: {since} ({shelf.trimmed})")
        queue: asyncio.Queue[Event] = asyncio.Queue()
        for event in self._backlog(shelf, since):
            queue.put_nowait(event)
        shelf.watchers.add(queue)
        return queue

    def _backlog(self, shelf: _Shelf, since: int | None) -> Iterator[Event]:
        if since is None:
            for obj in shelf.objects.values():
                yield Event(type="ADDED", version=int(obj["metadata"]["resourceVersion"]), obj=obj)
            return
        for event in shelf.events:
            if event.version > since:
                yield event

    def unwatch(self, resource: Resource, queue: asyncio.Queue[Event]) -> None:
        self._shelf(resource).watchers.discard(queue)
