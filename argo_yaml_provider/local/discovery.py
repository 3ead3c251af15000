"""What clients ask before they ask for objects: versions, groups, resources, schemas.

In: a request.  Out: a document, or None where the request is for objects.
Must not know: the store.
"""

from __future__ import annotations

import platform
from typing import Any

from argo_yaml_provider.local.errors import ApiError
from argo_yaml_provider.local.http import Request
from argo_yaml_provider.local.resources import VERBS, Catalogue, Json, Resource

OPEN = {"/healthz", "/livez", "/readyz", "/version"}
"""Answered without a token."""

_VERSION = {
    "major": "1",
    "minor": "34",
    "gitVersion": "v1.34.0+embedded",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": f"{platform.system().lower()}/{platform.machine()}",
}
REVIEWS = {
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": {"allowed": True},
    "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews": {
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        "incomplete": False,
    },
    "/apis/authentication.k8s.io/v1/selfsubjectreviews": {
        "userInfo": {"username": "embedded-admin", "groups": ["system:masters", "system:authenticated"]}
    },
}
"""What may be asked about one's own rights, and the answer: everything."""
_SUBS: dict[str, tuple[tuple[str, str], ...]] = {
    "pods": (
        ("log", "get"),
        ("exec", "create get"),
        ("attach", "create get"),
        ("status", "get patch update"),
        ("eviction", "create"),
    ),
    "serviceaccounts": (("token", "create"),),
}


def answer(request: Request, catalogue: Catalogue) -> Json | bytes | None:
    """The document for a path that names no objects."""
    path = request.path.rstrip("/") or "/"
    if path in {"/healthz", "/livez", "/readyz"}:
        return b"ok"
    if path == "/version":
        return _VERSION
    if path.startswith("/openapi/"):
        return _openapi(path, catalogue)
    return _groups(path, catalogue)


def _groups(path: str, catalogue: Catalogue) -> Json | None:
    parts = path.strip("/").split("/")
    match parts:
        case [""]:
            groups = sorted({f"/apis/{r.api_version}" for r in catalogue if r.group})
            return {"paths": ["/api", "/api/v1", "/apis", *groups, "/version"]}
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ["apis"]:
            names = dict.fromkeys(r.group for r in catalogue if r.group)
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name, catalogue) for name in names]}
        case ["api", "v1"]:
            return _resource_list("v1", catalogue)
        case ["apis", group]:
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, catalogue)}
        case ["apis", group, version]:
            return _resource_list(f"{group}/{version}", catalogue)
    return None


def _group(name: str, catalogue: Catalogue) -> Json:
    versions = list(dict.fromkeys(r.version for r in catalogue if r.group == name))
    if not versions:
        raise ApiError("NotFound", "the server could not find the requested resource")
    named = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": named, "preferredVersion": named[0]}


def _resource_list(api_version: str, catalogue: Catalogue) -> Json:
    resources = [entry for r in catalogue if r.api_version == api_version for entry in _entries(r)]
    if not resources:
        raise ApiError("NotFound", "the server could not find the requested resource")
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources}


def _entries(resource: Resource) -> list[Json]:
    base: Json = {"namespaced": resource.namespaced, "kind": resource.kind}
    main = {**base, "name": resource.plural, "singularName": resource.kind.lower(), "verbs": list(VERBS)}
    if resource.short:
        main["shortNames"] = list(resource.short)
    if resource.categories:
        main["categories"] = list(resource.categories)
    subs = _SUBS.get(resource.plural, (("status", "get patch update"),) if resource.group else ())
    named = ((f"{resource.plural}/{sub}", verbs.split()) for sub, verbs in subs)
    return [main, *({**base, "name": name, "singularName": "", "verbs": verbs} for name, verbs in named)]


def _openapi(path: str, catalogue: Catalogue) -> Json:
    """As little of a schema as lets kubectl leave validation to the server."""
    if path == "/openapi/v2":
        info = {"title": "Kubernetes", "version": _VERSION["gitVersion"]}
        return {"swagger": "2.0", "info": info, "paths": {}, "definitions": {}}
    roots = {("apis/" if r.group else "api/") + r.api_version for r in catalogue}
    if path == "/openapi/v3":
        return {"paths": {root: {"serverRelativeURL": f"/openapi/v3/{root}"} for root in sorted(roots)}}
    root = path.removeprefix("/openapi/v3/")
    if root not in roots:
        raise ApiError("NotFound", "the server could not find the requested resource")
    info = {"title": "Kubernetes", "version": _VERSION["gitVersion"]}
    paths = {_url(root, r): _operations(r) for r in catalogue if root.endswith("/" + r.api_version)}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}


def _url(root: str, resource: Resource) -> str:
    scope = "namespaces/{namespace}/" if resource.namespaced else ""
    return f"/{root}/{scope}{resource.plural}/{{name}}"


def _operations(resource: Resource) -> Json:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    names = ("dryRun", "fieldManager", "fieldValidation", "force")
    parameters: list[Any] = [{"name": n, "in": "query", "schema": {"type": "string"}} for n in names]
    marks = {"x-kubernetes-group-version-kind": kind, "x-kubernetes-action": "patch"}
    return {"patch": {**marks, "parameters": parameters, "responses": {}}}
