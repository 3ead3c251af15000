"""Who an event is from, and what he may do, by the bearer token of a service account: Argo's server in client mode.

In: a token, a right.  Out: what Kubernetes says to whoever shows it, asked as he himself, as Argo does: Airflow's own service
account needs no right for it. Believed for half a minute; a token is kept as its hash only.
Must not know: HTTP, what the event does. Argo: server/auth/gatekeeper.go, server/event/event_server.go.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.settings import read_pod_settings
from argo_yaml_provider.diagnostics import RunError

if TYPE_CHECKING:
    from argo_yaml_provider.step.kube import Json, Kube

BELIEVED = 30.0
"""Seconds that an answer is good for: as long does a right that was taken away last."""
PATIENCE = 5.0
"""Seconds that Kubernetes has for an answer."""
_KEPT = 1_000
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_MAY = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_GROUP = "argoproj.io"


class Unanswered(Exception):
    """Kubernetes cannot be asked, or what it answers is worth nothing; the message tells no token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """To do something with Argo's objects; `namespace` '' is the whole cluster."""

    verb: str
    resource: str
    namespace: str
    name: str = ""

    def refused_to(self, user: str) -> str:
        """As Kubernetes' API server words it."""
        what = f"{self.resource}.{_GROUP}" + (f' "{self.name}"' if self.name else "")
        where = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        whom = f'User "{user}" cannot {self.verb} resource "{self.resource}"'
        return f'{what} is forbidden: {whom} in API group "{_GROUP}" {where}'

    @property
    def attributes(self) -> Json:
        """Of the question."""
        named = {"verb": self.verb, "resource": self.resource, "namespace": self.namespace, "name": self.name}
        return {"group": _GROUP, **{key: value for key, value in named.items() if value}}


class Account:
    """Whoever has a token that Kubernetes knows."""

    def __init__(self, name: str, may: Callable[[Right], Awaitable[bool]]) -> None:
        self.name, self._may = name, may

    async def lacks(self, right: Right) -> str:
        """Why he is refused, or ''."""
        return "" if await self._may(right) else right.refused_to(self.name)


class Accounts:
    """Asks Kubernetes, and remembers for a while."""

    def __init__(self) -> None:
        self._answers: dict[tuple[bytes, Hashable], tuple[float, Any]] = {}

    async def of(self, authorization: str) -> Account | None:
        """Whose token it is, if anybody's."""
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not _TOKEN.fullmatch(token):
            return None
        name: str = await self._remembered(token, None, lambda: _named(token))
        return Account(name, lambda right: self._remembered(token, right, lambda: _permitted(token, right))) if name else None

    async def _remembered(self, token: str, question: Hashable, ask: Callable[[], Awaitable[Any]]) -> Any:
        key, now = (hashlib.sha256(token.encode()).digest(), question), monotonic()
        until, answer = self._answers.pop(key, (0.0, None))
        if until < now:
            until, answer = now + BELIEVED, await ask()
        self._answers[key] = until, answer
        while len(self._answers) > _KEPT:
            del self._answers[next(iter(self._answers))]
        return answer


async def _named(token: str) -> str:
    """The user, or ''. What lets in a token that was made up this moment knows nobody, and is not asked further."""
    made_up = secrets.token_urlsafe(32)
    known, anybody = await asyncio.gather(_user(token), _user(made_up))
    if anybody:
        raise Unanswered(f"Kubernetes takes a token that does not exist for {anybody}'s: something between signs requests anew")
    return known


async def _user(token: str) -> str:
    from argo_yaml_provider.step.kube import ApiError

    async with _kubernetes(token) as kube:
        try:
            answer = await kube.call("POST", _WHO, body=_review(_WHO, "SelfSubjectReview"), patience=PATIENCE)
        except ApiError as error:
            if error.status == 401:
                return ""
            raise
    return str(answer["status"]["userInfo"]["username"])


async def _permitted(token: str, right: Right) -> bool:
    body = {**_review(_MAY, "SelfSubjectAccessReview"), "spec": {"resourceAttributes": right.attributes}}
    async with _kubernetes(token) as kube:
        answer = await kube.call("POST", _MAY, body=body, patience=PATIENCE)
    return answer["status"].get("allowed") is True


def _review(path: str, kind: str) -> Json:
    _, _, group, version, _ = path.split("/")
    return {"apiVersion": f"{group}/{version}", "kind": kind}


@asynccontextmanager
async def _kubernetes(token: str) -> AsyncIterator[Kube]:
    from argo_yaml_provider.airflow.connections import open_kube_as, stored_extras

    try:
        async with asyncio.timeout(PATIENCE):
            pods = await asyncio.to_thread(read_pod_settings)
            extras = await asyncio.to_thread(stored_extras, pods.conn_id)
            async with open_kube_as(token, pods, extras) as kube:
                yield kube
    except TimeoutError:
        raise Unanswered(f"Kubernetes has not answered for {PATIENCE:g} s") from None
    except (RunError, OSError, ValueError, KeyError) as error:
        raise Unanswered(f"Kubernetes cannot be asked: {error}") from None
