"""kubectl's verbs on one object or more: get, create, apply, patch, replace, delete.

In: a Kube, manifests, what the flags say.  Out: the objects as the server has them now.
Must not know: Argo, who asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.step.kinds import Kind, find_kind, find_word
from argo_yaml_provider.step.kube import ApiError, Json, Kube, suppress_status
from argo_yaml_provider.step.kubectl import Arguments

MANAGER = "argo-yaml-provider"
PATCH_TYPES = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
}
_APPLY = "application/apply-patch+yaml"
_GONE_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One object, or (without a name) those that a selector chooses."""

    kind: Kind
    namespace: str
    name: str
    manifest: Json

    @property
    def path(self) -> str:
        """Where it is."""
        return self.kind.path(self.namespace, self.name)


class Objects:
    """The objects that a command speaks of, in one namespace unless they say otherwise."""

    def __init__(self, kube: Kube, namespace: str, arguments: Arguments) -> None:
        self._kube, self._arguments = kube, arguments
        self._namespace = arguments.text("namespace") or namespace

    async def of_manifests(self, manifests: Sequence[Json]) -> list[Target]:
        """The objects that manifests name; those of a List one by one."""
        targets = []
        for manifest in _unrolled(manifests):
            metadata = manifest.get("metadata") or {}
            name = metadata.get("name", "")
            kind = await find_kind(self._kube, manifest.get("apiVersion", ""), manifest.get("kind", ""), name=name)
            namespace = metadata.get("namespace") or self._namespace
            targets.append(Target(kind=kind, namespace=namespace, name=name, manifest=manifest))
        return targets

    async def of_words(self) -> list[Target]:
        """The objects that flags name: `pod NAME`."""
        return [
            Target(kind=await find_word(self._kube, word), namespace=self._namespace, name=name, manifest={})
            for word, name in self._arguments.targets()
        ]

    async def get(self, targets: Sequence[Target]) -> list[Json]:
        """The objects as they are."""
        found: list[Json] = []
        for target in targets:
            if not target.name:
                found += await self._chosen(target)
                continue
            try:
                found.append(await self._kube.call("GET", target.path))
            except ApiError as error:
                if error.status != 404 or not self._arguments.flag("ignore-not-found"):
                    raise
        return found

    async def create(self, targets: Sequence[Target]) -> list[Json]:
        """New objects."""
        return [
            await self._kube.call("POST", target.kind.path(target.namespace), query=self._query(), body=target.manifest)
            for target in targets
        ]

    async def apply(self, targets: Sequence[Target]) -> list[Json]:
        """As the manifests say, on the server's side; fields that others set are taken over."""
        for target in targets:
            if not target.name:
                raise RunError("error: cannot use generate name with apply", help="give the manifest metadata.name")
        query = {**self._query(), "fieldManager": self._arguments.text("field-manager") or MANAGER, "force": "true"}
        return [
            await self._kube.call("PATCH", target.path, query=query, body=_addressed(target), content_type=_APPLY)
            for target in targets
        ]

    async def replace(self, targets: Sequence[Target]) -> list[Json]:
        """The manifests in the place of what is there; with --force, by deleting that first."""
        if self._arguments.flag("force"):
            await self.delete(targets)
            return await self.create(targets)
        found = []
        for target in targets:
            body = _addressed(target)
            if not body["metadata"].get("resourceVersion"):
                now = await self._kube.call("GET", target.path)
                body["metadata"]["resourceVersion"] = now["metadata"]["resourceVersion"]
            found.append(await self._kube.call("PUT", target.path, query=self._query(), body=body))
        return found

    async def patch(self, targets: Sequence[Target], patch: Any, strategy: str) -> list[Json]:
        """Changed in part."""
        subresource = self._arguments.text("subresource")
        return [
            await self._kube.call(
                "PATCH",
                target.path + (f"/{subresource}" if subresource else ""),
                query=self._query(),
                body=patch,
                content_type=PATCH_TYPES[strategy],
            )
            for target in targets
        ]

    async def delete(self, targets: Sequence[Target]) -> list[Json]:
        """Gone, finalizers and all, unless --wait=false; what is not there is passed over."""
        doomed: list[Json] = []
        for target in targets:
            one = [target] if target.name else [_named(target, found) for found in await self._chosen(target)]
            doomed += [obj for each in one if (obj := await self._delete(each))]
        return doomed

    async def _delete(self, target: Target) -> Json | None:
        found = await self._kube.get(target.path)
        if found is None:
            return None
        body: Json = {"propagationPolicy": _propagation(self._arguments.text("cascade"))}
        if self._arguments.flag("now"):
            body["gracePeriodSeconds"] = 1
        elif self._arguments.text("grace-period"):
            body["gracePeriodSeconds"] = int(self._arguments.text("grace-period"))
        with suppress_status(404):
            await self._kube.call("DELETE", target.path, body=body)
        if self._arguments.flag("wait", otherwise=True):
            await self._gone(target.path, found["metadata"].get("uid"))
        return found

    async def _gone(self, path: str, uid: str) -> None:
        while (left := await self._kube.get(path)) and left["metadata"].get("uid") == uid:  # noqa: ASYNC110 - the server's doing
            await asyncio.sleep(_GONE_SECONDS)

    async def _chosen(self, target: Target) -> list[Json]:
        """All of a kind that the selectors choose."""
        selector, fields = self._arguments.text("selector"), self._arguments.text("field-selector")
        everything = self._arguments.flag("all")
        if not (selector or fields or everything):
            raise RunError("error: resource(s) were provided, but no name was specified", help="name it, or use --selector")
        query = {"labelSelector": selector, "fieldSelector": fields}
        query = {name: value for name, value in query.items() if value}
        listed = await self._kube.call("GET", target.kind.path(target.namespace), query=query)
        return [{"apiVersion": target.kind.api_version, "kind": target.kind.kind, **item} for item in listed["items"]]

    def _query(self) -> dict[str, str]:
        query = {"fieldManager": self._arguments.text("field-manager") or MANAGER}
        # kubectl's own default is Strict; an API server that is asked nothing would drop unknown fields.
        query["fieldValidation"] = "Strict" if self._arguments.flag("validate", otherwise=True) else "Ignore"
        if self._arguments.text("dry-run") == "server":
            query["dryRun"] = "All"
        return query


def _unrolled(manifests: Sequence[Json]) -> list[Json]:
    found: list[Json] = []
    for manifest in manifests:
        if manifest.get("kind") == "List":
            found += manifest.get("items") or ()
        else:
            found.append(manifest)
    return found


def _addressed(target: Target) -> Json:
    return {**target.manifest, "metadata": {**target.manifest.get("metadata", {}), "name": target.name}}


def _named(target: Target, found: Json) -> Target:
    return Target(kind=target.kind, namespace=target.namespace, name=found["metadata"]["name"], manifest={})


def _propagation(cascade: str) -> str:
    return {"orphan": "Orphan", "false": "Orphan", "foreground": "Foreground"}.get(cascade, "Background")
