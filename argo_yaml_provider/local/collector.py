"""What the controllers do that clients count on: garbage collection, new namespaces, claims.

In: changes in the store.  Out: further changes.
Must not know: HTTP, processes.
"""

from __future__ import annotations

import asyncio
import contextlib

from argo_yaml_provider.local.errors import ApiError
from argo_yaml_provider.local.objects import DeleteOptions, Objects, Target
from argo_yaml_provider.local.resources import Json, Resource
from argo_yaml_provider.local.store import Event


class Collector:
    """Keeps an index of owners, so that a deletion looks at nothing but what it concerns."""

    def __init__(self, objects: Objects, certificate: str) -> None:
        self._objects, self._certificate = objects, certificate
        self._owned: dict[str, dict[str, tuple[Resource, Json]]] = {}
        objects.store.listen(self._on_change)

    def _on_change(self, resource: Resource, event: Event) -> None:
        meta = event.obj["metadata"]
        for owner in meta.get("ownerReferences") or ():
            owned = self._owned.setdefault(owner.get("uid", ""), {})
            if event.type == "DELETED":
                owned.pop(meta["uid"], None)
            else:
                owned[meta["uid"]] = (resource, event.obj)
        loop = asyncio.get_running_loop()
        if event.type == "DELETED":
            loop.call_soon(self._collect, meta["uid"])
            if resource.plural == "namespaces":
                loop.call_soon(self._empty, meta["name"])
        elif event.type == "ADDED" and resource.plural == "namespaces":
            self._furnish(meta["name"])
        elif event.type == "ADDED" and resource.plural == "persistentvolumeclaims":
            loop.call_soon(self._bind, resource, event.obj)

    def _collect(self, uid: str) -> None:
        """Delete what a deleted object owned, unless another owner is left."""
        for resource, obj in list(self._owned.pop(uid, {}).values()):
            current = self._objects.store.find(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            if current is None or current["metadata"]["uid"] != obj["metadata"]["uid"]:
                continue
            owners = current["metadata"].get("ownerReferences") or ()
            if any(owner.get("uid") == uid for owner in owners):
                self._delete(resource, current)

    def _delete(self, resource: Resource, obj: Json, grace: int | None = None) -> None:
        meta = obj["metadata"]
        target = Target(resource=resource, namespace=meta.get("namespace", ""), name=meta["name"])
        with contextlib.suppress(ApiError):
            self._objects.delete(target, DeleteOptions(grace=grace))

    def _empty(self, namespace: str) -> None:
        """A namespace goes with all that is in it."""
        for resource in self._objects.catalogue:
            if resource.namespaced:
                for obj in self._objects.store.list(resource, namespace):
                    self._delete(resource, obj, grace=0)

    def _furnish(self, namespace: str) -> None:
        objects = self._objects
        account = {"metadata": {"name": "default"}}
        roots = {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": self._certificate}}
        objects.create(Target(resource=objects.resource("serviceaccounts"), namespace=namespace), account)
        objects.create(Target(resource=objects.resource("configmaps"), namespace=namespace), roots)

    def _bind(self, resource: Resource, claim: Json) -> None:
        """A claim is bound at once to a volume of its own."""
        spec = {**claim["spec"], "volumeName": f"pvc-{claim['metadata']['uid']}"}
        size = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "1Gi")
        status = {"phase": "Bound", "accessModes": spec.get("accessModes") or [], "capacity": {"storage": size}}
        with contextlib.suppress(ApiError):
            self._objects.store.update(resource, {**claim, "spec": spec, "status": status})
