"""What the API needs of HTTP: a request that was read, a reply that can be sent.

In: ASGI scope, receive, send.  Out: `Request`, `reply`, `stream`.
Must not know: Kubernetes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, its body read."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""

    def arg(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]

    def flag(self, name: str) -> bool:
        return self.arg(name).lower() in {"1", "true", "t"}

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", JSON).partition(";")[0].strip().lower()


def headers_of(scope: Message) -> dict[str, str]:
    return {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}


def query_of(scope: Message) -> dict[str, list[str]]:
    return parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)


async def read_request(scope: Message, receive: Receive) -> Request:
    """The whole request; bodies here are manifests, so they are small."""
    parts = []
    if scope["method"] not in {"GET", "HEAD"}:
        more = True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=query_of(scope),
        headers=headers_of(scope),
        body=b"".join(parts),
    )


def dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


async def reply(send: Send, body: bytes, *, code: int = 200, content_type: str = JSON) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def stream(receive: Receive, send: Send, chunks: AsyncIterator[bytes], *, content_type: str = JSON) -> None:
    """Send chunks as they come, until they end or the client is gone."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", content_type.encode())]})
    sending = asyncio.ensure_future(_send_all(send, chunks))
    leaving = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        sending.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)


async def _send_all(send: Send, chunks: AsyncIterator[bytes]) -> None:
    async for chunk in chunks:
        if chunk:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
