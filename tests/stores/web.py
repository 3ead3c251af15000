"""One HTTP server for all tests that need one: files by GET and PUT, behind every kind of login; tokens; git.

`/open/…` lets everybody in, `/basic/…` user:pass, `/header/…` who sends `X-Key: let me in`, `/token/…` who bears a token,
`/cert/…` who shows a certificate; `/webhdfs/…` sends on to another address, as a name node does; `/git/…` is git over HTTP,
`/private-git/…` with a login; `/oauth` and `/oauth-form` hand out tokens for client credentials, `/google` for a service
account's signature.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import os
import shutil
import ssl
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import RSAKey

LOGIN = "Basic " + base64.b64encode(b"user:pa:ss\"w\\rd'").decode()
USER, PASSWORD = "user", "pa:ss\"w\\rd'"
CLIENT, CLIENT_SECRET = "client+id", "s/cret&more"
TOKEN = "abc/def+ghi="


@dataclass(slots=True, kw_only=True)
class Web:
    """What the server holds and has seen."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    """The forms that token requests have sent."""
    git: Path | None = None
    google: str = ""
    """The public key of the service account that gets a token."""
    failures: dict[str, int] = field(default_factory=dict)
    """How often a path answers 503 before it works."""


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # pods come in crowds


@contextlib.contextmanager
def serve_web(web: Web, tls: ssl.SSLContext | None = None) -> Iterator[Web]:
    server = Server(("0.0.0.0", 0), type("Handler", (Handler,), {"web": web}))
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    web.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    web: Web
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Says nothing."""

    def do_GET(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.body()
        first = path.split("/")[1]
        if self.web.failures.get(path, 0) > 0:
            self.web.failures[path] -= 1
            self.reply(503)
        elif first in ("oauth", "oauth-form", "google"):
            self.hand_out(first, dict(urllib.parse.parse_qsl(body.decode())))
        elif (code := self.refusal(first)) != 200:
            self.reply(code)
        elif first.endswith("git"):
            self.serve_git(path.removeprefix(f"/{first}"), query, body)
        elif first == "webhdfs":
            self.reply(307, {"Location": f"http://localhost:{self.web.port}/token/{path.split('/')[-1]}"})
        elif self.command == "PUT":
            self.web.files[path] = body
            self.reply(201)
        elif path in self.web.files:
            self.reply(200, body=self.web.files[path])
        else:
            self.reply(404)

    def refusal(self, first: str) -> int:
        given = self.headers.get("Authorization")
        if first in ("basic", "private-git") and given != LOGIN:
            return 401
        if first == "header" and self.headers.get("X-Key") != 'let "me" in':
            return 403
        if first == "cert" and not self.connection.getpeercert():  # type: ignore[attr-defined]
            return 403
        return 401 if first in ("token", "webhdfs") and given != f"Bearer {TOKEN}" else 200

    def hand_out(self, kind: str, form: dict[str, str]) -> None:
        pair = f"{urllib.parse.quote_plus(CLIENT)}:{urllib.parse.quote_plus(CLIENT_SECRET)}"
        by_header = self.headers.get("Authorization") == "Basic " + base64.b64encode(pair.encode()).decode()
        by_form = (form.get("client_id"), form.get("client_secret")) == (CLIENT, CLIENT_SECRET)
        good = self.signed(form.get("assertion", "")) if kind == "google" else by_form if kind == "oauth-form" else by_header
        self.web.asked.append(form)
        if not good:
            self.reply(401, body=b'{"error": "invalid_client"}')
            return
        self.reply(200, body=json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}).encode())

    def signed(self, assertion: str) -> bool:
        with contextlib.suppress(Exception):
            jwt.decode(assertion, RSAKey.import_key(self.web.google))
            return True
        return False

    def body(self) -> bytes:
        if self.headers.get("Expect"):
            self.send_response_only(100)
            self.end_headers()
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def serve_git(self, path: str, query: str, body: bytes) -> None:
        assert self.web.git
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.web.git),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        git = shutil.which("git")
        assert git
        given = subprocess.run([git, "http-backend"], input=body, env=environment, capture_output=True, check=False).stdout
        head, _, content = given.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.reply(int(headers.pop("Status", "200").split()[0]), headers, content)

    def reply(self, code: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(code)
        given = {**({"WWW-Authenticate": 'Basic realm="x"'} if code == 401 else {}), **(headers or {})}
        for name, value in given.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
