"""The API server: URLs to verbs.

In: ASGI calls.  Out: Kubernetes' replies.
Must not know: how pods run (it asks `PodAccess`), processes, files.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import traceback
from collections.abc import AsyncIterator
from typing import Any, Protocol

from argo_yaml_provider.local import discovery, protobuf, watching
from argo_yaml_provider.local.errors import ApiError, not_found
from argo_yaml_provider.local.http import (
    Message,
    Receive,
    Request,
    Send,
    dump,
    headers_of,
    query_of,
    read_request,
    reply,
    stream,
)
from argo_yaml_provider.local.objects import DeleteOptions, Objects, Target
from argo_yaml_provider.local.resources import Catalogue, Json
from argo_yaml_provider.local.selectors import selector
from argo_yaml_provider.local.tables import TABLE, render_table, wants_table


class PodAccess(Protocol):
    """What the API asks of whoever runs the pods."""

    def open_logs(self, pod: Json, request: Request) -> AsyncIterator[bytes]: ...

    async def attach(self, pod: Json, sub: str, query: dict[str, list[str]], socket: tuple[Message, Receive, Send]) -> None: ...


def parse_target(path: str, catalogue: Catalogue) -> Target:
    """/api/v1/… or /apis/GROUP/VERSION/…, then [namespaces/NS/]PLURAL[/NAME[/SUB]]"""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"]:
        group, version, rest = "", parts[1] if len(parts) > 1 else "", parts[2:]
    else:
        group, version, rest = (*parts[1:3], "", "")[0], (*parts[1:3], "", "")[1], parts[3:]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in {"status", "finalize"}:
        namespace, rest = rest[1], rest[2:]
    plural, name, sub = (*rest, "", "", "")[:3]
    resource = catalogue.find(group, version, plural)
    if resource is None:
        raise ApiError("NotFound", "the server could not find the requested resource")
    return Target(resource=resource, namespace=namespace, name=name, sub=sub)


def read_body(request: Request) -> Any:
    """JSON, the YAML that server-side apply sends, or the protobuf of kubectl's own `create` commands."""
    if not request.body:
        return {}
    if request.content_type == protobuf.CONTENT_TYPE:
        return protobuf.decode(request.body)
    try:
        return json.loads(request.body)
    except ValueError:
        if "yaml" not in request.content_type:
            raise ApiError("BadRequest", f"the body is not JSON (content type {request.content_type})") from None
    import yaml

    try:
        return yaml.safe_load(request.body)
    except yaml.YAMLError as error:
        raise ApiError("BadRequest", f"the body is not YAML: {error}") from None


class Api:
    """The ASGI application."""

    def __init__(self, objects: Objects, pods: PodAccess, token: str) -> None:
        self._objects, self._pods, self._token = objects, pods, token
        self._open: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request; what goes wrong here itself is told on stderr and answered as an internal error."""
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        try:
            await self._answered(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the server goes on
            traceback.print_exc()
            with contextlib.suppress(RuntimeError):
                await reply(send, dump(ApiError("InternalError", f"{type(error).__name__}: {error}").status), code=500)
        finally:
            self._open.discard(task)

    def close(self) -> None:
        """End the requests that would not end by themselves: watches, followed logs, commands."""
        for task in self._open:
            task.cancel()

    async def _answered(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            self._authenticate(scope)
            if scope["type"] == "websocket":
                await self._websocket(scope, receive, send)
            else:
                await self._http(await read_request(scope, receive), receive, send)
        except ApiError as error:
            if scope["type"] == "websocket":
                await send({"type": "websocket.http.response.start", "status": error.code, "headers": []})
                await send({"type": "websocket.http.response.body", "body": dump(error.status)})
            else:
                await reply(send, dump(error.status), code=error.code)

    def _authenticate(self, scope: Message) -> None:
        path = scope["path"]
        if path in discovery.OPEN:
            return
        given = headers_of(scope).get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            raise ApiError("Unauthorized", "Unauthorized")

    async def _websocket(self, scope: Message, receive: Receive, send: Send) -> None:
        target = parse_target(scope["path"], self._objects.catalogue)
        pod = self._objects.store.get(target.resource, target.namespace, target.name)
        if target.resource.kind != "Pod" or target.sub not in {"exec", "attach"}:
            raise ApiError("NotFound", "the server could not find the requested resource")
        await self._pods.attach(pod, target.sub, query_of(scope), (scope, receive, send))

    async def _http(self, request: Request, receive: Receive, send: Send) -> None:
        static = discovery.answer(request, self._objects.catalogue)
        if request.path in discovery.REVIEWS and request.method == "POST":
            static = {**read_body(request), "status": discovery.REVIEWS[request.path]}
        if static is not None:
            await reply(send, static if isinstance(static, bytes) else dump(static))
            return
        target = parse_target(request.path, self._objects.catalogue)
        if request.method == "GET" and target.sub == "log":
            pod = self._objects.store.get(target.resource, target.namespace, target.name)
            await stream(receive, send, self._pods.open_logs(pod, request), content_type="text/plain")
        elif request.method == "GET" and request.flag("watch"):
            await stream(receive, send, watching.watch(self._objects.store, target, request))
        else:
            code, body = self._answer(target, request)
            content = f"{'application/json'};{TABLE}" if body.get("kind") == "Table" else "application/json"
            await reply(send, dump(body), code=code, content_type=content)

    def _answer(self, target: Target, request: Request) -> tuple[int, Json]:
        match request.method, bool(target.name):
            case "GET", True:
                return 200, self._shown(request, target, self._get(target))
            case "GET", False:
                return 200, self._list(target, request)
            case "POST", _:
                return self._post(target, request)
            case "PUT", True:
                return 200, self._objects.update(target, read_body(request), dry=bool(request.arg("dryRun")))
            case "PATCH", True:
                return self._patch(target, request)
            case "DELETE", True:
                return 200, self._delete(target, request)
            case "DELETE", False:
                return 200, self._delete_all(target, request)
        raise ApiError("MethodNotAllowed", f"{request.method} is not a verb of {target.resource.qualified}")

    def _get(self, target: Target) -> Json:
        return self._objects.store.get(target.resource, target.namespace, target.name)

    def _shown(self, request: Request, target: Target, obj: Json) -> Json:
        if wants_table(request):
            return render_table(target.resource, [obj], obj["metadata"], request.arg("includeObject", "Metadata"))
        return obj

    def _list(self, target: Target, request: Request) -> Json:
        """One page of objects; `continue` is the last key of the page before."""
        store, resource = self._objects.store, target.resource
        items = store.list(resource, target.namespace)
        if test := selector(request.arg("labelSelector"), request.arg("fieldSelector")):
            items = [obj for obj in items if test(obj)]
        meta: Json = {"resourceVersion": str(store.version)}
        limit = int(request.arg("limit", "0") or 0)
        if after := request.arg("continue"):
            items = [obj for obj in items if _position(obj) > after]
        if limit and len(items) > limit:
            meta |= {"continue": _position(items[limit - 1]), "remainingItemCount": len(items) - limit}
            items = items[:limit]
        if wants_table(request):
            return render_table(resource, items, meta, request.arg("includeObject", "Metadata"))
        return {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": meta, "items": items}

    def _post(self, target: Target, request: Request) -> tuple[int, Json]:
        body = read_body(request)
        if target.sub:
            return 201, self._post_sub(target, body)
        return 201, self._objects.create(target, body, dry=bool(request.arg("dryRun")))

    def _post_sub(self, target: Target, body: Json) -> Json:
        if target.sub == "token":
            status = {"token": self._token, "expirationTimestamp": "9999-12-31T23:59:59Z"}
            return {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", **body, "status": status}
        if target.sub == "eviction":
            self._objects.delete(target, DeleteOptions())
            return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        raise not_found(target.resource, f"{target.name}/{target.sub}")

    def _patch(self, target: Target, request: Request) -> tuple[int, Json]:
        existed = self._objects.store.find(target.resource, target.namespace, target.name)
        dry, manager = bool(request.arg("dryRun")), request.arg("fieldManager")
        obj = self._objects.patch(target, request.content_type, read_body(request), manager=manager, dry=dry)
        return (200 if existed else 201), obj

    def _delete(self, target: Target, request: Request) -> Json:
        obj = self._get(target)
        if request.arg("dryRun"):
            return obj
        left = self._objects.delete(target, _delete_options(request))
        if target.resource.kind == "Pod":
            return left
        resource = target.resource
        details = {"name": target.name, "group": resource.group, "kind": resource.plural, "uid": left["metadata"]["uid"]}
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    def _delete_all(self, target: Target, request: Request) -> Json:
        deleted = self._list(target, Request(method="GET", path="", query={**request.query, "limit": ["0"]}, headers={}))
        options = _delete_options(request)
        for obj in deleted["items"]:
            meta = obj["metadata"]
            one = Target(resource=target.resource, namespace=meta.get("namespace", ""), name=meta["name"])
            self._objects.delete(one, options)
        return deleted


def _position(obj: Json) -> str:
    return f"{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"


def _delete_options(request: Request) -> DeleteOptions:
    """From the body or the query; both forms are in use."""
    body = read_body(request)
    grace = body.get("gracePeriodSeconds", request.arg("gracePeriodSeconds") or None)
    policy = body.get("propagationPolicy") or request.arg("propagationPolicy")
    return DeleteOptions(
        grace=None if grace is None else int(grace),
        orphan=policy == "Orphan" or bool(body.get("orphanDependents")),
        uid=(body.get("preconditions") or {}).get("uid", ""),
    )
