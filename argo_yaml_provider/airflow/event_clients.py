"""Who may send events, and how they prove it: a bearer token, or what their kind of webhook signs with.

In: the deployment's Airflow Variable `argo_workflows_webhook_clients`, headers, a body.  Out: the client's name, or None.
Must not know: what the event does. Argo: server/auth/webhook.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

VARIABLE = "argo_workflows_webhook_clients"
"""Shaped as Argo's Secret of that name: {CLIENT: {"type": …, "secret": …}}; `namespace` limits a client to one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One that may send events."""

    name: str
    kind: str
    secret: str
    namespace: str = ""
    """'' is every one."""
    header: str = ""
    """Of kind `hmac`: where its signature stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Who it is, and what tells this request from every other; '' where nothing does."""

    client: str
    once: str = ""


class BadClients(Exception):
    """The Variable is not what it should be; the message tells no secret."""


def read_clients(text: str | None) -> tuple[Client, ...]:
    """The Variable's value."""
    try:
        entries = json.loads(text or "{}")
        clients = tuple(_client(name, entry) for name, entry in entries.items())
    except (ValueError, AttributeError, TypeError, KeyError):
        example = '{"github.com": {"type": "github", "secret": "…"}}'
        raise BadClients(f"the Variable {VARIABLE} is not shaped as {example}") from None
    if unknown := [one for one in clients if one.kind not in (BEARER, *SIGNED)]:
        kinds = ", ".join((BEARER, *SIGNED))
        raise BadClients(f"the Variable {VARIABLE}: client {unknown[0].name!r} has a type that is none of {kinds}")
    if empty := [one for one in clients if not one.secret]:
        raise BadClients(f"the Variable {VARIABLE}: client {empty[0].name!r} has no secret")
    return clients


def _client(name: str, entry: Mapping[str, object]) -> Client:
    fields = {field: str(entry.get(key) or "") for field, key in (("namespace", "namespace"), ("header", "header"))}
    return Client(name=name, kind=str(entry["type"]), secret=str(entry.get("secret") or ""), **fields)


def prove_token(clients: tuple[Client, ...], namespace: str, authorization: str) -> Proof | None:
    """Whose bearer token it is."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else authorization.strip()
    found = [one for one in _of(clients, namespace) if one.kind == BEARER and _same(one.secret, token)]
    return Proof(client=found[0].name) if found else None


def prove_signature(clients: tuple[Client, ...], namespace: str, headers: Mapping[str, str], body: bytes) -> Proof | None:
    """Whose webhook it is, by the first client whose way of signing it bears."""
    for client in _of(clients, namespace):
        if client.kind != BEARER and (once := SIGNED[client.kind](client, headers, body)) is not None:
            return Proof(client=client.name, once=once)
    return None


def _of(clients: tuple[Client, ...], namespace: str) -> list[Client]:
    return [one for one in clients if one.namespace in ("", namespace)]


def _same(one: str, other: str) -> bool:
    """In the same time, however much of it is right."""
    return hmac.compare_digest(one.encode(), other.encode())


def _signed(client: Client, signature: str, body: bytes) -> str | None:
    """`sha256=HEX` or `sha1=HEX` of the body. What is signed tells it apart: headers could be exchanged."""
    algorithm, equals, digest = signature.partition("=")
    if not equals or algorithm not in _ALGORITHMS:
        return None
    wanted = hmac.new(client.secret.encode(), body, algorithm).hexdigest()
    return hashlib.sha256(body).hexdigest() if _same(wanted, digest.lower()) else None


def _github(client: Client, headers: Mapping[str, str], body: bytes) -> str | None:
    if not headers.get("x-github-event"):
        return None
    return _signed(client, headers.get("x-hub-signature-256") or headers.get("x-hub-signature") or "", body)


def _bitbucket_server(client: Client, headers: Mapping[str, str], body: bytes) -> str | None:
    return _signed(client, headers.get("x-hub-signature") or "", body) if headers.get("x-event-key") else None


def _gitlab(client: Client, headers: Mapping[str, str], body: bytes) -> str | None:  # noqa: ARG001 - nothing signs it
    if not headers.get("x-gitlab-event") or not _same(client.secret, headers.get("x-gitlab-token") or ""):
        return None
    return headers.get("x-gitlab-event-uuid") or ""


def _bitbucket(client: Client, headers: Mapping[str, str], body: bytes) -> str | None:  # noqa: ARG001 - nothing signs it
    if not headers.get("x-event-key") or not _same(client.secret, headers.get("x-hook-uuid") or ""):
        return None
    return headers.get("x-request-uuid") or ""


def _hmac(client: Client, headers: Mapping[str, str], body: bytes) -> str | None:
    """A signature in a header of its own: HEX (sha256) or ALGORITHM=HEX; Gogs, Gitea, Forgejo and others."""
    names = (client.header.lower(),) if client.header else _HMAC_HEADERS
    signature = next((headers[name] for name in names if headers.get(name)), "")
    return _signed(client, signature if "=" in signature else f"sha256={signature}", body)


_ALGORITHMS = ("sha1", "sha256", "sha384", "sha512")
_HMAC_HEADERS = ("x-hub-signature-256", "x-gitea-signature", "x-gogs-signature", "x-forgejo-signature")
BEARER = "bearer"
SIGNED: dict[str, Callable[[Client, Mapping[str, str], bytes], str | None]] = {
    "github": _github,
    "gitlab": _gitlab,
    "bitbucket": _bitbucket,
    "bitbucketserver": _bitbucket_server,
    "hmac": _hmac,
}
