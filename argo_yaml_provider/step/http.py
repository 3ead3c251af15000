"""An http step: one request, made by this process; no pod, no agent.

In: a host, a decision.  Out: the Attempt, with the body as its result.  A host that is lost asks again, as Argo's agent does.
Argo: workflow/executor/agent.go, executeHTTPTemplate.
Must not know: Airflow.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.clock import rfc3339
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.step.host import Host

if TYPE_CHECKING:
    import httpx

Json = dict[str, Any]

MOST_BYTES = 2**20
"""Of a reply, which is kept as the step's result; Argo's own object may hold no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server said."""

    status: int
    headers: dict[str, list[str]]
    body: str


async def run_http(host: Host, decision: Decision) -> Attempt:
    """Asks, and judges the answer."""
    started_at = rfc3339(datetime.now(UTC))
    try:
        async with asyncio.timeout(decision.deadline_seconds):
            attempt = await _ask(host, decision.template["http"])
    except TimeoutError:
        attempt = Attempt(phase=Phase.FAILED, message="Step exceeded its deadline")
    except (RunError, ExprError) as error:
        host.log(str(error))
        attempt = Attempt(phase=Phase.FAILED, message=error.message)
    return replace(attempt, started_at=started_at, finished_at=rfc3339(datetime.now(UTC)))


async def _ask(host: Host, http: Json) -> Attempt:
    headers = [(header["name"], await _header(host, header)) for header in http.get("headers") or ()]
    host.log(f"{http.get('method') or 'GET'} {http.get('url', '')}")
    reply = await _request(http, headers)
    host.log(f"{reply.status}, {len(reply.body)} characters")
    condition = http.get("successCondition") or ""
    if condition:
        good, message = _holds(condition, http, headers, reply), f"successCondition '{condition}' evaluated false"
    else:
        good, message = 200 <= reply.status < 300, f"received non-2xx response code: {reply.status}"
    return Attempt(phase=Phase.SUCCEEDED if good else Phase.FAILED, message="" if good else message, result=reply.body)


async def _request(http: Json, headers: list[tuple[str, str]]) -> Reply:
    import httpx

    method, url = http.get("method") or "GET", http.get("url", "")
    try:
        async with (
            asyncio.timeout(http.get("timeoutSeconds")),
            httpx.AsyncClient(
                verify=not http.get("insecureSkipVerify"),
                timeout=None,  # noqa: S113 - it would be that of each read alone
                follow_redirects=True,
                max_redirects=10,
            ) as client,
            client.stream(method, url, headers=headers, content=_body(http)) as response,
        ):
            body = await _read(response)
            return Reply(status=response.status_code, headers=_canonical(response.headers.multi_items()), body=body)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
        reason = "context deadline exceeded" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        raise RunError(f'{method.capitalize()} "{url}": {reason}') from error


async def _read(response: httpx.Response) -> str:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            raise RunError(
                f"the reply is larger than {MOST_BYTES:,} bytes", help="fetch it in a container step, as an artifact"
            )
    return body.decode(errors="replace")


def _body(http: Json) -> bytes:
    source = http.get("bodyFrom")
    if source is None:
        return (http.get("body") or "").encode()
    return base64.b64decode(source.get("bytes") or "")


async def _header(host: Host, header: Json) -> str:
    """Its value; one from a Secret is read now, and written nowhere."""
    reference = (header.get("valueFrom") or {}).get("secretKeyRef")
    if reference is None:
        return str(header.get("value") or "")
    namespace, name, key = host.facts.namespace, reference.get("name", ""), reference.get("key", "")
    secret = await host.kube.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    if secret is None:
        raise RunError(
            f'secrets "{name}" not found', help=f"header {header['name']!r} is read from it, in namespace {namespace!r}"
        )
    if key not in (secret.get("data") or {}):
        raise RunError(f"secret '{name}' does not have the key '{key}'")
    return base64.b64decode(secret["data"][key]).decode()


def _holds(condition: str, http: Json, headers: list[tuple[str, str]], reply: Reply) -> bool:
    from argo_yaml_provider.expr.evaluator import evaluate_bool

    request = {
        "method": http.get("method") or "",
        "url": http.get("url", ""),
        "body": http.get("body") or "",
        "bodyBytes": list(_body(http)),
        "headers": _canonical(headers),
    }
    response = {"statusCode": reply.status, "body": reply.body, "headers": reply.headers}
    env: Mapping[str, Any] = {"request": request, "response": response}
    return evaluate_bool(condition, env)


def _canonical(headers: list[tuple[str, str]]) -> dict[str, list[str]]:
    """By their names as Go writes them: `Content-Type`."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault("-".join(word.capitalize() for word in name.split("-")), []).append(value)
    return found
