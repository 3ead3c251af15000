"""What each verb does to objects: the part of the API server below HTTP.

In: a `Target` and what the client sent.  Out: the object as it then is.
Must not know: HTTP, tables, how pods run.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from argo_yaml_provider.local.applied import Applied
from argo_yaml_provider.local.errors import ApiError, not_found
from argo_yaml_provider.local.patches import PATCHES
from argo_yaml_provider.local.resources import Catalogue, Json, Resource
from argo_yaml_provider.local.store import Store, now
from argo_yaml_provider.local.validate import check_object

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_GRACE = 30
_APPLY = "application/apply-patch+yaml"
_EVENTS = 5_000
"""Kubernetes keeps events for an hour; here, the last so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a URL addresses."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    sub: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    grace: int | None = None
    orphan: bool = False
    uid: str = ""


class Objects:
    """Create, change and delete, with what Kubernetes fills in."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self.store, self.catalogue = store, catalogue
        self._applied = Applied()

    def resource(self, plural: str, group: str = "", version: str = "v1") -> Resource:
        """A built-in kind."""
        found = self.catalogue.find(group, version, plural)
        assert found, plural
        return found

    def create(self, target: Target, obj: Json, *, dry: bool = False) -> Json:
        resource = target.resource
        meta = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in {"managedFields", "resourceVersion"}}
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + "".join(secrets.choice(_SUFFIX) for _ in range(5))
        self._set_namespace(target, meta)
        obj = {**obj, "apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta}
        check_object(resource, obj)
        if dry:
            return obj
        if resource.namespaced:
            self.ensure_namespace(meta["namespace"])
        created = self.store.create(resource, _defaults(resource, obj))
        if resource.plural == "customresourcedefinitions":
            self.catalogue.define(created)
        return created

    def _set_namespace(self, target: Target, meta: Json) -> None:
        if not target.resource.namespaced:
            meta.pop("namespace", None)
            return
        given = meta["namespace"] = meta.get("namespace") or target.namespace
        if given != target.namespace:
            why = "the namespace of the provided object does not match the namespace sent on the request"
            raise ApiError("BadRequest", f"{why}: {given}, {target.namespace}")

    def ensure_namespace(self, name: str) -> None:
        """A namespace that something is put into comes to be, with what controllers put into a new one."""
        namespaces = self.resource("namespaces")
        if self.store.find(namespaces, "", name):
            return
        self.create(Target(resource=namespaces), {"metadata": {"name": name}})

    def update(self, target: Target, obj: Json, *, dry: bool = False) -> Json:
        old = self.store.get(target.resource, target.namespace, target.name)
        meta = dict(obj.get("metadata") or {})
        meta.setdefault("name", target.name)
        if target.resource.namespaced:
            meta["namespace"] = target.namespace
        if meta["name"] != target.name:
            message = f"the name of the object ({meta['name']}) does not match the name on the URL ({target.name})"
            raise ApiError("BadRequest", message)
        return self._replace(target, old, {**obj, "metadata": meta}, dry=dry)

    def patch(self, target: Target, kind: str, patch: Any, *, manager: str = "", dry: bool = False) -> Json:
        """Change an object; a server-side apply of what is not there creates it."""
        if kind not in PATCHES:
            raise ApiError("UnsupportedMediaType", f"the patch type {kind!r} is not one of {', '.join(sorted(PATCHES))}")
        old = self.store.find(target.resource, target.namespace, target.name)
        if old is None:
            if kind == _APPLY:
                created = self.create(target, patch, dry=dry)
                self._applied.note(created["metadata"].get("uid", ""), manager, patch)
                return created
            raise not_found(target.resource, target.name)
        changed = PATCHES[kind](old, patch)
        if kind == _APPLY:
            changed = self._applied.drop(old["metadata"]["uid"], manager, patch, changed)
            changed["metadata"] = {**changed["metadata"], "resourceVersion": old["metadata"]["resourceVersion"]}
        return self._replace(target, old, changed, dry=dry)

    def _replace(self, target: Target, old: Json, obj: Json, *, dry: bool) -> Json:
        resource = target.resource
        meta = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
        for key in ("deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
            meta.pop(key, None)
            if key in old["metadata"]:
                meta[key] = old["metadata"][key]
        obj = {**obj, "apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta}
        if target.sub == "status":
            obj = {**old, "metadata": {**old["metadata"], **meta}, "status": obj.get("status", {})}
        elif "status" in old and _has_status(resource):
            obj["status"] = old["status"]
        if obj.get("spec") != old.get("spec"):
            meta["generation"] = old["metadata"].get("generation", 1) + 1
        check_object(resource, obj)
        if dry:
            return obj
        updated = self.store.update(resource, obj)
        if "deletionTimestamp" in meta and not meta.get("finalizers") and resource.plural != "pods":
            return self.store.delete(resource, meta.get("namespace", ""), meta["name"])
        if resource.plural == "customresourcedefinitions":
            self.catalogue.define(updated)
        return updated

    def delete(self, target: Target, options: DeleteOptions) -> Json:
        """Delete at once, or mark: a pod until its processes have ended, anything until its finalizers are gone."""
        resource, namespace = target.resource, target.namespace
        old = self.store.get(resource, namespace, target.name)
        meta = old["metadata"]
        if options.uid and options.uid != meta["uid"]:
            message = f"Precondition failed: UID in precondition: {options.uid}, UID in object meta: {meta['uid']}"
            raise ApiError("Conflict", message)
        if options.orphan:
            self._orphan(meta["uid"])
        grace = _grace(resource, old, options.grace)
        if grace == 0 and not meta.get("finalizers"):
            deleted = self.store.delete(resource, namespace, target.name)
            if resource.plural == "customresourcedefinitions":
                self._undefine(deleted)
            return deleted
        if "deletionTimestamp" in meta and meta.get("deletionGracePeriodSeconds", 0) <= grace:
            return old
        marked = {**meta, "deletionTimestamp": now(), "deletionGracePeriodSeconds": grace}
        return self.store.update(resource, {**old, "metadata": marked})

    def _undefine(self, definition: Json) -> None:
        for resource in self.catalogue:
            if resource.group == definition["spec"]["group"]:
                for obj in self.store.list(resource):
                    self.store.delete(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        self.catalogue.undefine(definition)

    def _orphan(self, uid: str) -> None:
        """Take the owner out of what it owns, so that the collector leaves it alone."""
        for resource in self.catalogue:
            for obj in self.store.list(resource):
                owners = obj["metadata"].get("ownerReferences", ())
                kept = [owner for owner in owners if owner.get("uid") != uid]
                if len(kept) != len(owners):
                    self.store.update(resource, {**obj, "metadata": {**obj["metadata"], "ownerReferences": kept}})

    def record_event(self, about: Json, *, kind: str, reason: str, message: str, component: str) -> None:
        """Write an event; one like the last of its kind about the same object is counted up."""
        meta, at = about["metadata"], now()
        events = self.resource("events")
        like = hashlib.sha256(f"{reason}\0{message}".encode()).hexdigest()[:12]
        name = f"{meta['name'][:200]}.{meta['uid'][:8]}{like}"
        if old := self.store.find(events, meta["namespace"], name):
            self.store.update(events, {**old, "count": old["count"] + 1, "lastTimestamp": at})
            return
        reference = {"kind": about["kind"], "apiVersion": about["apiVersion"], "name": meta["name"]}
        reference |= {"namespace": meta["namespace"], "uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
        event: Json = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": meta["namespace"]}}
        event |= {"involvedObject": reference, "type": kind, "reason": reason, "message": message, "count": 1}
        event |= {"firstTimestamp": at, "lastTimestamp": at, "eventTime": None, "source": {"component": component}}
        event |= {"reportingComponent": component, "reportingInstance": ""}
        self.store.create(events, event)
        if past := self.store.oldest(events, beyond=_EVENTS):
            self.store.delete(events, past["metadata"]["namespace"], past["metadata"]["name"])


def _has_status(resource: Resource) -> bool:
    """Whether the status changes only by its own path; custom resources keep theirs in the object."""
    return "." not in resource.group or resource.group.endswith(".k8s.io")


def _grace(resource: Resource, obj: Json, asked: int | None) -> int:
    if resource.plural != "pods" or resource.group:
        return 0
    if obj.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
        return 0
    if asked is not None:
        return max(0, asked)
    return int(obj["spec"].get("terminationGracePeriodSeconds", _GRACE))


def _pod_defaults(obj: Json) -> Json:
    spec = {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": _GRACE,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        **obj["spec"],
    }
    for field in ("containers", "initContainers"):
        if field in spec:
            spec[field] = [_container_defaults(c) for c in spec[field] or []]
    return {**obj, "spec": spec, "status": {"phase": "Pending", "qosClass": "BestEffort"}}


def _container_defaults(container: Json) -> Json:
    tag = container["image"].rpartition(":")[2]
    latest = tag == "latest" or "/" in tag or ":" not in container["image"]
    return {
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "Always" if latest else "IfNotPresent",
        "resources": {},
        **container,
    }


def _namespace_defaults(obj: Json) -> Json:
    labels = {**obj["metadata"].get("labels", {}), "kubernetes.io/metadata.name": obj["metadata"]["name"]}
    meta = {**obj["metadata"], "labels": labels}
    return {**obj, "metadata": meta, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}


def _secret_defaults(obj: Json) -> Json:
    from base64 import b64encode

    texts = obj.get("stringData") or {}
    merged = {**(obj.get("data") or {}), **{k: b64encode(v.encode()).decode() for k, v in texts.items()}}
    kept = {k: v for k, v in obj.items() if k != "stringData"}
    return {"type": "Opaque", **kept, "data": merged} if merged else {"type": "Opaque", **kept}


_DEFAULTS = {
    "pods": _pod_defaults,
    "namespaces": _namespace_defaults,
    "secrets": _secret_defaults,
}


def _defaults(resource: Resource, obj: Json) -> Json:
    fill = None if resource.group else _DEFAULTS.get(resource.plural)
    return fill(obj) if fill else obj
