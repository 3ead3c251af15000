"""One cluster, asynchronously: a few verbs on plain JSON, transient errors retried, one shared watch for each namespace.

In: a `Connection`.  Out: objects as the API server has them.
Must not know: Argo, Airflow.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.pods.names import ATTEMPT_LABEL
from argo_yaml_provider.step.connection import Connection, connect, from_client
from argo_yaml_provider.step.outage import Outage
from argo_yaml_provider.step.own_secret import connections_of, own_secret, with_own_secrets
from argo_yaml_provider.step.watch import Expired, PodFeed, PodWatch

if TYPE_CHECKING:
    import aiohttp

Json = dict[str, Any]
T = TypeVar("T")

RETRY_SECONDS = 600.0
"""How long an API server may be away before a step gives up."""
_TRANSIENT = {408, 429, 500, 502, 503, 504}
_REPLY_SECONDS = 60.0
_AT_ONCE = 32
"""Requests under way, and so the connections that they need; more would make none of them faster."""
_WATCH_SECONDS = 290
_EXEC_PROTOCOLS = ("v4.channel.k8s.io",)
_STDOUT, _STDERR, _STATUS = b"\x01", b"\x02", b"\x03"
_SILENCE_SECONDS = 75.0
"""Bookmarks come every minute; a connection silent for longer may be dead."""


class ApiError(RunError):
    """The API server refused, and will refuse again."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(message)

    def __reduce__(self) -> tuple[type[ApiError], tuple[int, str, str]]:  # type: ignore[override]
        return type(self), (self.status, self.reason, self.message)


class Kube:
    """A cluster. Shared by all steps of a host process, or used by one alone in a worker (`shared=False`)."""

    def __init__(self, connection: Connection, *, shared: bool = True) -> None:
        self.connection = connection
        self._shared = shared
        self._watches: dict[tuple[str, str], PodWatch] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self._outage = Outage(connection.url)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._lately: dict[Hashable, tuple[float, asyncio.Future[Any]]] = {}
        self.read_connection: Callable[[str], Awaitable[dict[str, str]]] | None = None
        """What a Secret of a pod's own holds, by the name of the connection that says it."""

    @classmethod
    async def open(
        cls,
        config_file: str | None = None,
        context: str | None = None,
        *,
        in_cluster: bool | None = None,
        shared: bool = True,
        token: str | None = None,
    ) -> Kube:
        """The cluster of a kubeconfig, or the one this process runs in; as oneself, or as whoever has the token."""
        return cls(await connect(config_file, context, in_cluster=in_cluster, token=token), shared=shared)

    @classmethod
    def from_client(cls, client: Any, *, shared: bool = True) -> Kube:
        """The cluster of a kubernetes_asyncio ApiClient, such as AsyncKubernetesHook makes; it must outlive this."""
        return cls(from_client(client), shared=shared)

    async def close(self) -> None:
        """Waits for deletions under way, then ends all watches and connections."""
        if self._background:
            await asyncio.wait(self._background, timeout=30)
        for watch in self._watches.values():
            await watch.close()
        await self.connection.close()

    async def get_pod(self, namespace: str, name: str) -> Json | None:
        """The pod, or None."""
        return await self.get(f"/api/v1/namespaces/{namespace}/pods/{name}")

    async def create_pod(self, manifest: Json) -> tuple[Json, bool]:
        """The pod, and whether it is new: one of that name that is there already is taken over."""
        namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        secrets = connections_of(manifest)
        values = {connection: await self._connection(connection) for connection in secrets}
        try:
            body = with_own_secrets(manifest, secrets)
            pod, new = await self.call("POST", f"/api/v1/namespaces/{namespace}/pods", body=body), True
        except ApiError as error:
            existing = await self.get_pod(namespace, name) if error.status == 409 else None
            if existing is None:
                raise
            pod, new = existing, False
        for connection, secret in secrets.items():
            await self._make_secret(own_secret(pod, secret, values[connection]))
        return pod, new

    async def _make_secret(self, secret: Json) -> None:
        """One that is there already was made by whoever made the pod; a pod without it would wait for ever."""
        metadata = secret["metadata"]
        try:
            with suppress_status(409):
                await self.call("POST", f"/api/v1/namespaces/{metadata['namespace']}/secrets", body=secret)
        except ApiError as error:
            owner = metadata["ownerReferences"][0]
            await self.delete_pod(metadata["namespace"], owner["name"], uid=owner["uid"])
            raise RunError(
                f"the Secret with the store's credentials cannot be made: {error.message}",
                help="let Airflow's service account create secrets in that namespace",
            ) from error

    async def _connection(self, name: str) -> dict[str, str]:
        if self.read_connection is None:
            raise RunError(f"the connection {name!r} is Airflow's, and there is no Airflow here")
        return await self.read_connection(name)

    async def delete_pod(self, namespace: str, name: str, *, uid: str | None = None) -> None:
        """Asks for the pod's end; one that is gone already, or has another uid, is left alone."""
        body = {"preconditions": {"uid": uid}} if uid else {}
        with suppress_status(404, 409):
            await self.call("DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}", body=body)

    async def delete_pods(
        self, namespace: str, labels: dict[str, str], *, terms: Iterable[str] = (), name: str | None = None
    ) -> None:
        """Asks for the end of all pods, or of that one, with these labels, for which these terms of a selector hold, too."""
        selector = ",".join([*(f"{label}={value}" for label, value in labels.items()), *terms])
        fields = {} if name is None else {"fieldSelector": f"metadata.name={name}"}
        await self.call("DELETE", f"/api/v1/namespaces/{namespace}/pods", query={"labelSelector": selector, **fields})

    async def list_pods(self, namespace: str, labels: dict[str, str]) -> list[Json]:
        """All pods with these labels."""
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        listed = await self.call("GET", f"/api/v1/namespaces/{namespace}/pods", query={"labelSelector": selector})
        return list(listed["items"])

    async def config_map(self, namespace: str, name: str) -> Json | None:
        """The ConfigMap, or None."""
        return await self.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")

    async def get(self, path: str) -> Json | None:
        """Any object, or None where there is none."""
        with suppress_status(404):
            return await self.call("GET", path)
        return None

    async def call(
        self,
        verb: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Any = None,
        content_type: str = "",
        patience: float = RETRY_SECONDS,
    ) -> Json:
        """One request and its JSON reply; tried again while the server is away or busy, for so many seconds."""
        loop = asyncio.get_running_loop()
        end, wait = loop.time() + patience, 0.1
        while True:
            try:
                answer = await self._request(verb, path, query, body, content_type)
            except ApiError as error:
                self._outage.over()
                if not _is_transient(error) or loop.time() > end:
                    raise
            except OSError as error:
                self._outage.goes_on(error)
                if loop.time() > end:
                    raise RunError(
                        f"the API server {self.connection.url} has not answered for {patience:g} s: {error}"
                    ) from error
            else:
                self._outage.over()
                return answer
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - only spreads the load
            wait = min(wait * 2, 15.0)

    async def lately(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, T]], *, seconds: float = 30.0) -> T:
        """The answer, or refusal, at most so old; all who ask at once ask once."""
        now = asyncio.get_running_loop().time()
        asked, answer = self._lately.get(key, (0.0, None))
        if answer is None or asked + seconds < now or answer.cancelled():
            answer = asyncio.ensure_future(ask())
            self._lately[key] = now, answer
        found: T = await asyncio.shield(answer)
        return found

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Does something that nobody waits for; `close` does."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    @asynccontextmanager
    async def watch_pod(self, pod: Json) -> AsyncIterator[PodFeed]:
        """Every change of a pod, from the state already known."""
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        watch = self._watch_for(namespace, name)
        feed = watch.subscribe(pod)
        try:
            yield feed
        finally:
            watch.unsubscribe(name, feed)

    @asynccontextmanager
    async def read_log(
        self, pod: Json, container: str, *, follow: bool, since: str = ""
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """A container's log, line by line, each with its time in front; to its end where it is followed."""
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        query = {"container": container, "timestamps": "true", "follow": str(follow).lower()}
        if since:
            query["sinceTime"] = since
        silence = None if follow else _REPLY_SECONDS
        async with self._stream(f"/api/v1/namespaces/{namespace}/pods/{name}/log", query, silence=silence) as lines:
            yield lines

    async def execute(self, pod: Json, container: str, command: Sequence[str]) -> AsyncIterator[bytes]:
        """What a command in a running container prints, piece by piece; RunError where it fails."""
        import aiohttp
        from yarl import URL

        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        words = [("container", container), ("stdout", "true"), ("stderr", "true"), *(("command", word) for word in command)]
        url = URL(f"{self.connection.url}/api/v1/namespaces/{namespace}/pods/{name}/exec?{urlencode(words)}", encoded=True)
        headers, said = await self.connection.headers(), b""
        try:
            async with self.connection.session.ws_connect(
                url, headers=headers, protocols=_EXEC_PROTOCOLS, max_msg_size=0, **self.connection.options
            ) as socket:
                async for message in socket:
                    channel, content = message.data[:1], message.data[1:]
                    if channel == _STDOUT and content:
                        yield content
                    elif channel == _STDERR:
                        said += content
                    elif channel == _STATUS:
                        _judge_end(json.loads(content), said)
                        return
        except aiohttp.WSServerHandshakeError as error:
            raise ApiError(error.status, "", f"pod {name}: exec is refused: {error.message}") from error
        except aiohttp.ClientError as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        raise ConnectionError(f"pod {name}: the connection ended before the command did")

    def _watch_for(self, namespace: str, name: str) -> PodWatch:
        key = (namespace, "" if self._shared else name)
        if key not in self._watches:
            path = f"/api/v1/namespaces/{namespace}/pods"
            only = {"labelSelector": ATTEMPT_LABEL} if self._shared else {"fieldSelector": f"metadata.name={name}"}
            self._watches[key] = PodWatch(lambda: self._list_all(path, only), lambda version: self._events(path, only, version))
        return self._watches[key]

    async def _list_all(self, path: str, only: dict[str, str]) -> Json:
        items: list[Json] = []
        query = {**only, "limit": "500"}
        while True:
            page = await self.call("GET", path, query=query)
            items += page["items"]
            if not page["metadata"].get("continue"):
                return {"metadata": page["metadata"], "items": items}
            query["continue"] = page["metadata"]["continue"]

    async def _events(self, path: str, only: dict[str, str], version: str) -> AsyncIterator[Json]:
        """Events from a version on, until the connection ends for whatever reason."""
        query = {**only, "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
        query["timeoutSeconds"] = str(_WATCH_SECONDS)
        try:
            async with self._stream(path, query, silence=_SILENCE_SECONDS) as lines:
                self._outage.over()
                async for line in lines:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise _refusal(int(event["object"].get("code", 500)), event["object"])
                    yield event
        except ApiError as error:
            if error.status == 410:
                raise Expired from error
            if not _is_transient(error):
                raise
            await asyncio.sleep(1)
        except TimeoutError:
            return
        except (OSError, ValueError) as error:
            self._outage.goes_on(error)
            await asyncio.sleep(random.uniform(0.2, 1))  # noqa: S311 - only spreads the load

    async def _request(self, verb: str, path: str, query: dict[str, str] | None, body: Any, content_type: str) -> Json:
        limits = {"total": _REPLY_SECONDS}
        async with self._turns, self._send(verb, path, query, body=body, limits=limits, content_type=content_type) as reply:
            content = await reply.read()
        answer = json.loads(content) if content[:1] == b"{" else {"message": content.decode(errors="replace")}
        if reply.status >= 400:
            raise _refusal(reply.status, answer)
        return dict(answer)

    @asynccontextmanager
    async def _stream(self, path: str, query: dict[str, str], *, silence: float | None) -> AsyncIterator[AsyncIterator[bytes]]:
        limits = {"total": None, "sock_connect": 30, "sock_read": silence}
        async with self._send("GET", path, query, limits=limits) as reply:
            if reply.status >= 400:
                content = await reply.read()
                raise _refusal(reply.status, json.loads(content) if content[:1] == b"{" else {})
            yield _lines(reply)

    @asynccontextmanager
    async def _send(
        self,
        verb: str,
        path: str,
        query: dict[str, str] | None,
        *,
        limits: Json,
        body: Any = None,
        content_type: str = "",
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        import aiohttp
        from yarl import URL

        content_type = content_type or ("application/strategic-merge-patch+json" if verb == "PATCH" else "application/json")
        headers = {"Accept": "application/json", "Content-Type": content_type, **await self.connection.headers()}
        url = URL(self.connection.url + path + (f"?{urlencode(query)}" if query else ""), encoded=True)
        data = None if body is None else json.dumps(body)
        options = {**self.connection.options, "timeout": aiohttp.ClientTimeout(**limits)}
        try:
            async with self.connection.session.request(verb, url, headers=headers, data=data, **options) as reply:
                yield reply
        except aiohttp.ClientError as error:
            raise ConnectionError(str(error) or type(error).__name__) from error


class suppress_status:  # noqa: N801 - reads like contextlib.suppress
    """Passes over the API server's refusals of these kinds."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = statuses

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return isinstance(error, ApiError) and error.status in self._statuses


def _judge_end(status: Json, said: bytes) -> None:
    if status.get("status") != "Success":
        raise RunError(said.decode(errors="replace").strip() or str(status.get("message") or "the command failed"))


def _refusal(status: int, answer: Json) -> ApiError:
    return ApiError(status, str(answer.get("reason", "")), str(answer.get("message") or f"the API server answered {status}"))


def _is_transient(error: ApiError) -> bool:
    """Argo waits for quota too. Argo: util/errors/errors.go, IsTransientErr."""
    return error.status in _TRANSIENT or (error.status == 403 and "exceeded quota" in error.message)


async def _lines(reply: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Lines of any length, without their end."""
    rest = b""
    async for chunk in reply.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
    if rest:
        yield rest
