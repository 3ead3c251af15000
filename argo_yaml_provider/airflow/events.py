"""`POST /argo/api/v1/events/{namespace}/{discriminator}`: events from outside, as Argo's server takes them.

In: HTTP requests to Airflow's API server.  Out: runs, and a status: 200 taken, 400 no JSON, 401 nobody we know, 403 a webhook
that proves nothing, or a service account without the right, 409 sent before, 413 too large, 500 a binding that is wrong, 503
too many at once, or no answer from Kubernetes. The log tells why, and never a secret.
Must not know: how an event finds its template.
"""

from __future__ import annotations

import asyncio
import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.event_accounts import Account, Accounts, Right, Unanswered
from argo_yaml_provider.airflow.event_clients import (
    VARIABLE,
    BadClients,
    Client,
    Proof,
    prove_signature,
    prove_token,
    read_clients,
)
from argo_yaml_provider.airflow.settings import event_service_accounts, everybody_is_admin
from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from argo_yaml_provider.airflow.dispatch import Dispatched, Event
    from argo_yaml_provider.resolve.bindings import Binding

LARGEST = 2 * 2**20
"""Bytes of a body, as Argo's server takes them."""
AT_ONCE = 16
"""Events that one process works on; Argo's queue is as long."""
_PATH = "/api/v1/events/{namespace}/{discriminator:path}"
log = logging.getLogger(__name__)


class Refusal(Exception):
    """Why a request is not taken. `reason` goes into the log, `message` to the sender."""

    def __init__(self, status: int, message: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.message, self.reason = status, message, reason


@cache
def build_app() -> Starlette:
    """The application that Airflow's API server mounts under /argo."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    return Starlette(routes=[Route(_PATH, _Endpoint().receive, methods=["POST"])])


class _Endpoint:
    """Counts what is under way."""

    def __init__(self) -> None:
        self._under_way = 0
        self._accounts = Accounts()

    async def receive(self, request: Request) -> Response:
        """One event."""
        from starlette.responses import JSONResponse

        if self._under_way >= AT_ONCE:
            return _refused(request, Refusal(503, "operation queue full", "too many events at once"))
        self._under_way += 1
        try:
            return JSONResponse(await _receive(request, self._accounts))
        except Refusal as refusal:
            return _refused(request, refusal)
        except Unanswered as error:
            return _refused(request, Refusal(503, "Kubernetes does not answer", str(error)))
        finally:
            self._under_way -= 1


async def _receive(request: Request, accounts: Accounts) -> dict[str, Any]:
    from argo_yaml_provider.airflow.dispatch import Event

    namespace, discriminator = request.path_params["namespace"], request.path_params["discriminator"]
    clients = await asyncio.to_thread(_clients)
    known, account = await _by_token(clients, accounts, namespace, _authorization(request))
    body = await _body(request)
    proof = known or _by_signature(clients, namespace, {name.lower(): text for name, text in request.headers.items()}, body)
    event = Event(
        namespace=namespace,
        discriminator=discriminator,
        payload=_payload(body),
        metadata={name: request.headers.getlist(name) for name in request.headers if name.startswith("x-")},
        sender=proof.client,
        once=proof.once,
    )
    _judge(event, await _dispatched(event, account))
    return {}


async def _dispatched(event: Event, account: Account | None) -> Dispatched:
    """What came of it. An account's rights are all known before the first run is started."""
    from argo_yaml_provider.airflow.dispatch import Dispatched, find_takers, start_runs

    done = Dispatched()
    takers = await asyncio.to_thread(find_takers, event, done)
    judged = [(one, await _lacks(account, event.namespace, one) if account else "") for one in takers]
    done.forbidden += [f"binding {one.name}: {lack}" for one, lack in judged if lack]
    await asyncio.to_thread(start_runs, [one for one, lack in judged if not lack], event, done)
    return done


async def _lacks(account: Account, namespace: str, binding: Binding) -> str:
    """What of the rights that Argo's server makes use of: to read the template, and to make the workflow."""
    shared = binding.kind == "ClusterWorkflowTemplate"
    resource, scope = ("clusterworkflowtemplates", "") if shared else ("workflowtemplates", namespace)
    template = Right(verb="get", resource=resource, namespace=scope, name=binding.template)
    workflow = Right(verb="create", resource="workflows", namespace=namespace)
    return await account.lacks(template) or await account.lacks(workflow)


def _judge(event: Event, done: Dispatched) -> None:
    """Tell the log; and the sender that he may not, what went wrong (as Argo's `Dispatch`), or that he repeats himself."""
    where = (event.discriminator, event.namespace, event.sender)
    for problem in (*done.problems, *done.forbidden):
        log.error("event %r in %r from %r: %s", *where, problem)
    for dag_id, run_id in done.runs:
        log.info("event %r in %r from %r: run %s of %s", *where, run_id, dag_id)
    if done.forbidden:
        raise Refusal(403, done.forbidden[0], f"{event.sender} lacks a right")
    if done.problems:
        raise Refusal(500, f"failed to dispatch event: [{' '.join(done.problems)}]", "a binding is wrong")
    if done.repeated and not done.runs:
        raise Refusal(409, "this event was taken before", f"sent again, for {', '.join(done.repeated)}")


async def _body(request: Request) -> bytes:
    """All of it, unless it is too large: then no more than is needed to know."""
    declared = request.headers.get("content-length", "")
    found = bytearray()
    if not declared.isdecimal() or int(declared) <= LARGEST:
        async for chunk in request.stream():
            found += chunk
            if len(found) > LARGEST:
                break
        else:
            return bytes(found)
    raise Refusal(413, f"a body may have {LARGEST} bytes", "the body is too large")


def _authorization(request: Request) -> str | None:
    """What the sender bears. Where everybody is an administrator, Airflow puts a token of its own behind it."""
    borne = request.headers.getlist("authorization")
    if everybody_is_admin():
        borne = borne[:-1]
    return borne[0] if borne else None


async def _by_token(
    clients: tuple[Client, ...], accounts: Accounts, namespace: str, authorization: str | None
) -> tuple[Proof | None, Account | None]:
    """Who sends it, before its body is read. As in Argo, a request with a token is never looked at for a signature."""
    if authorization is None:
        return None, None
    if proof := prove_token(clients, namespace, authorization):
        return proof, None
    if not event_service_accounts():
        raise Refusal(401, "token not valid", "no client of the namespace has this token")
    account = await accounts.of(authorization)
    if account is None:
        raise Refusal(401, "token not valid", "neither a client of the namespace nor Kubernetes has this token")
    if lacks := await account.lacks(Right(verb="list", resource="workfloweventbindings", namespace=namespace)):
        raise Refusal(403, lacks, lacks)
    return Proof(client=account.name), account


def _by_signature(clients: tuple[Client, ...], namespace: str, headers: dict[str, str], body: bytes) -> Proof:
    proof = prove_signature(clients, namespace, headers, body)
    if proof is not None:
        return proof
    if any(name in headers for name in _SIGNATURES):
        raise Refusal(403, "failed to process webhook request", "no client of the namespace has signed it so")
    raise Refusal(401, "token not valid", "it bears neither token nor signature")


_SIGNATURES = (
    "x-hub-signature",
    "x-hub-signature-256",
    "x-gitlab-token",
    "x-hook-uuid",
    "x-gogs-signature",
    "x-gitea-signature",
)


def _clients() -> tuple[Client, ...]:
    from airflow.models.variable import Variable

    try:
        return read_clients(Variable.get(VARIABLE, default_var=None))
    except BadClients as error:
        log.error("%s", error)  # noqa: TRY400 - a traceback could hold the value
        raise Refusal(403, "failed to process webhook request", "the clients cannot be read") from None


def _payload(body: bytes) -> Any:
    """The body as expressions see it; none at all is null."""
    try:
        return gojson.loads(body.decode()) if body.strip() else None
    except (ValueError, ExprError, RecursionError):
        raise Refusal(400, "the body is not JSON", "the body is not JSON") from None


def _refused(request: Request, refusal: Refusal) -> Response:
    from starlette.responses import JSONResponse

    where = (request.path_params.get("discriminator"), request.path_params.get("namespace"))
    log.warning("event %r in %r refused with %d: %s", *where, refusal.status, refusal.reason)
    headers = {"Retry-After": "1"} if refusal.status == 503 else {}
    return JSONResponse({"message": refusal.message}, status_code=refusal.status, headers=headers)
