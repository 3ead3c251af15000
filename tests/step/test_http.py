from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.plan.nodes import CallKind
from argo_yaml_provider.step.http import MOST_BYTES, run_http
from tests.step.conftest import LocalHost
from tests.stores.authority import Authority
from tests.stores.web import Web, serve_web


class Echo(BaseHTTPRequestHandler):
    """Says what it was told; the path says how."""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/here")
            self.end_headers()
            return
        length = int(self.headers.get("Content-Length") or 0)
        said = f"{self.command} {self.path} {self.headers.get('X-Key', '-')} {self.rfile.read(length).decode()}".encode()
        body = b"x" * (MOST_BYTES + 1) if self.path == "/large" else said
        self.send_response(int(self.path[1:]) if self.path[1:].isdecimal() else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the parent's word

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's word
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def ask(host: LocalHost, **http: Any) -> Attempt:
    return await run_http(host, Decision(kind=CallKind.HTTP, node="wf", template={"name": "t", "http": http}))


async def test_the_body_is_the_result(host: LocalHost, url: str) -> None:
    done = await ask(host, url=f"{url}/a")
    assert (done.phase, done.result, done.exit_code) == (Phase.SUCCEEDED, "GET /a - ", None)


async def test_what_is_no_2xx_fails_with_its_body(host: LocalHost, url: str) -> None:
    done = await ask(host, url=f"{url}/503")
    assert (done.phase, done.message, done.result) == (Phase.FAILED, "received non-2xx response code: 503", "GET /503 - ")


async def test_redirects_are_followed(host: LocalHost, url: str) -> None:
    assert (await ask(host, url=f"{url}/moved")).result == "GET /here - "


async def test_a_server_must_prove_who_it_is_unless_nobody_asks(host: LocalHost, tmp_path: Path) -> None:
    web = Web(files={"/open/a": b"secret"})
    with serve_web(web, Authority(tmp_path).context("localhost", ssl.CERT_NONE)):
        url = f"https://localhost:{web.port}/open/a"
        asked, unasked = await ask(host, url=url), await ask(host, url=url, insecureSkipVerify=True)
    assert (asked.phase, "CERTIFICATE_VERIFY_FAILED" in asked.message) == (Phase.FAILED, True)
    assert (unasked.phase, unasked.result) == (Phase.SUCCEEDED, "secret")


async def dribble(_: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
    """An answer that goes on for a minute."""
    back.write(b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        for _number in range(300):
            back.write(b"x")
            await back.drain()
            await asyncio.sleep(0.2)
    back.close()


async def test_who_has_not_answered_in_full_by_its_timeout_fails(host: LocalHost) -> None:
    server = await asyncio.start_server(dribble, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with asyncio.timeout(20):
        done = await ask(host, url=url, timeoutSeconds=1)
    server.close()
    assert (done.phase, done.message) == (Phase.FAILED, f'Get "{url}": context deadline exceeded')


@pytest.mark.parametrize(
    "body", [pytest.param({"body": "hello"}, id="body"), pytest.param({"bodyFrom": {"bytes": "aGVsbG8="}}, id="bodyFrom")]
)
async def test_bodies_are_sent(host: LocalHost, url: str, body: dict[str, Any]) -> None:
    assert (await ask(host, url=f"{url}/a", method="POST", **body)).result == "POST /a - hello"


async def test_a_header_comes_from_a_secret_and_is_not_logged(host: LocalHost, url: str) -> None:
    secret = {"metadata": {"name": "keys"}, "stringData": {"key": "hidden"}}
    await host.kube.call("POST", f"/api/v1/namespaces/{host.facts.namespace}/secrets", body=secret)
    header = {"name": "x-key", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "key"}}}
    assert (await ask(host, url=f"{url}/a", headers=[header])).result == "GET /a hidden "
    assert not any("hidden" in line for _, line in host.lines)


async def test_a_secret_that_is_not_there_fails(host: LocalHost, url: str) -> None:
    header = {"name": "x-key", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "key"}}}
    done = await ask(host, url=f"{url}/a", headers=[header])
    assert (done.phase, done.message) == (Phase.FAILED, 'secrets "keys" not found')


@pytest.mark.parametrize(
    ("condition", "phase"),
    [
        ("response.statusCode == 404", Phase.SUCCEEDED),
        ('response.body contains "GET"', Phase.SUCCEEDED),
        ('response.headers["Content-Length"][0] == "11"', Phase.SUCCEEDED),
        ('request.url endsWith "/404" && request.method == ""', Phase.SUCCEEDED),
        ('request.headers["X-Key"][0] == "v"', Phase.SUCCEEDED),
        ("response.statusCode == 200", Phase.FAILED),
    ],
)
async def test_a_condition_decides(host: LocalHost, url: str, condition: str, phase: Phase) -> None:
    done = await ask(host, url=f"{url}/404", successCondition=condition, headers=[{"name": "x-key", "value": "v"}])
    want = "" if phase is Phase.SUCCEEDED else f"successCondition '{condition}' evaluated false"
    assert (done.phase, done.message) == (phase, want)


async def test_who_does_not_answer_fails(host: LocalHost) -> None:
    done = await ask(host, url="http://127.0.0.1:1/")
    assert (done.phase, done.message) == (Phase.FAILED, 'Get "http://127.0.0.1:1/": All connection attempts failed')


async def test_a_reply_that_is_too_large_fails(host: LocalHost, url: str) -> None:
    done = await ask(host, url=f"{url}/large")
    assert (done.phase, done.message) == (Phase.FAILED, "the reply is larger than 1,048,576 bytes")
