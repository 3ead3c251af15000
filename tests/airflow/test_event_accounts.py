"""Events from Kubernetes' service accounts: by their tokens and their rights, as Argo's server takes them in client mode."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from argo_yaml_provider.airflow import event_accounts
from argo_yaml_provider.airflow.event_accounts import Accounts, Right
from argo_yaml_provider.local import EmbeddedKubernetes
from tests.airflow.deployment import deploy
from tests.airflow.test_events import TEMPLATE, TOLD, api, runs

__all__ = ["api"]  # the fixture; it asks for `deployed`, which is another one here
UNKNOWN = (401, {"message": "token not valid"})
EVENTS, TEMPLATES, WORKFLOWS = (
    ("list", "workfloweventbindings", ""),
    ("get", "clusterworkflowtemplates", "shared"),
    ("create", "workflows", ""),
)


@pytest.fixture
def namespace() -> str:
    return "argo"


@pytest.fixture
def deployed(airflow_db: Path, tmp_path: Path, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One binding for events that are told, which starts runs of a template of the whole cluster."""
    monkeypatch.setenv("AIRFLOW__ARGO_YAML__EVENT_SERVICE_ACCOUNTS", "True")
    folder = tmp_path / "dags"
    folder.mkdir()
    shared = TEMPLATE.replace("kind: WorkflowTemplate", "kind: ClusterWorkflowTemplate").replace("name: build", "name: shared")
    (folder / "shared.yaml").write_text(shared)
    (folder / "told.yaml").write_text(TOLD.partition("---")[0].replace("namespace: argo", f"namespace: {namespace}"))
    deploy(folder)
    return folder


class Reviews(BaseHTTPRequestHandler):
    """The two questions that Kubernetes is asked, answered from a table."""

    def do_POST(self) -> None:
        self.server.asked += 1  # type: ignore[attr-defined]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        user, rights = self.server.users.get(self.headers["Authorization"], self.server.anybody)  # type: ignore[attr-defined]
        if not user:
            return self.reply(401, {"kind": "Status", "reason": "Unauthorized", "message": "Unauthorized", "code": 401})
        if body["kind"] == "SelfSubjectReview":
            return self.reply(201, {**body, "status": {"userInfo": {"username": user}}})
        asked = body["spec"]["resourceAttributes"]
        allowed = (asked["verb"], asked["resource"], asked.get("name", "")) in rights
        return self.reply(201, {**body, "status": {"allowed": allowed}})

    def reply(self, code: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Not to stderr."""


@pytest.fixture
def reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server of reviews, which the deployment takes for its Kubernetes."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Reviews)
    server.asked, server.users, server.anybody = 0, {}, ("", ())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AIRFLOW__ARGO_YAML__CONFIG_FILE", kubeconfig(tmp_path, server.server_port))
    yield server
    server.shutdown()
    server.server_close()


def kubeconfig(folder: Path, port: int) -> str:
    """Airflow's own way in would fail, but it is not taken."""
    config = {
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "it", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "false"}}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return str(path)


@pytest.fixture
def token(caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """A new one, that is never told."""
    caplog.set_level(logging.DEBUG)
    token = f"token-{uuid4().hex}"
    yield token
    assert token not in caplog.text


async def send(api: httpx.AsyncClient, token: str, namespace: str = "argo") -> tuple[int, Any]:
    answer = await api.post(f"/{namespace}/told", json={"message": "hi"}, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json()


async def test_whoever_kubernetes_knows_and_lets_starts_runs(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedKubernetes() as kubernetes:
        monkeypatch.setenv("AIRFLOW__ARGO_YAML__CONFIG_FILE", str(kubernetes.kubeconfig))
        assert await send(api, kubernetes.token) == (200, {})
        assert await send(api, "somebody-else") == UNKNOWN
        monkeypatch.setenv("AIRFLOW__ARGO_YAML__EVENT_SERVICE_ACCOUNTS", "False")
        assert await send(api, kubernetes.token) == UNKNOWN
    assert [(run.conf, run.triggering_user_name) for run in runs("shared")] == [({"branch": "hi"}, "embedded-admin")]


@pytest.mark.parametrize(
    ("rights", "refused"),
    [
        pytest.param(
            (),
            'workfloweventbindings.argoproj.io is forbidden: User "ci" cannot list resource "workfloweventbindings" '
            'in API group "argoproj.io" in the namespace "argo"',
            id="not-to-send-events",
        ),
        pytest.param(
            (EVENTS, WORKFLOWS),
            'binding told: clusterworkflowtemplates.argoproj.io "shared" is forbidden: User "ci" cannot get resource '
            '"clusterworkflowtemplates" in API group "argoproj.io" at the cluster scope',
            id="not-to-see-the-template",
        ),
        pytest.param(
            (EVENTS, TEMPLATES),
            'binding told: workflows.argoproj.io is forbidden: User "ci" cannot create resource "workflows" '
            'in API group "argoproj.io" in the namespace "argo"',
            id="not-to-make-workflows",
        ),
    ],
)
async def test_who_lacks_a_right_is_told_which(
    api: httpx.AsyncClient, reviews: Any, token: str, rights: tuple[Any, ...], refused: str
) -> None:
    reviews.users = {f"Bearer {token}": ("ci", rights)}
    assert await send(api, token) == (403, {"message": refused})
    assert runs("shared") == []


async def test_an_event_that_no_binding_takes_needs_only_the_right_to_send(
    api: httpx.AsyncClient, reviews: Any, token: str
) -> None:
    reviews.users = {f"Bearer {token}": ("ci", (EVENTS,))}
    answer = await api.post("/argo/other", json={}, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()) == (200, {})


async def test_an_answer_is_believed_for_a_while(
    api: httpx.AsyncClient, reviews: Any, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews.users = {f"Bearer {token}": ("ci", (EVENTS, TEMPLATES, WORKFLOWS))}
    assert [await send(api, token) for _ in range(5)] == [(200, {})] * 5
    assert reviews.asked == 5  # whose token it is, whose one that was made up is, and three rights
    later = event_accounts.monotonic() + event_accounts.BELIEVED + 1
    monkeypatch.setattr(event_accounts, "monotonic", lambda: later)
    reviews.users = {}
    assert await send(api, token) == UNKNOWN


async def test_what_takes_any_token_is_not_believed(
    api: httpx.AsyncClient, reviews: Any, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    reviews.anybody = ("admin", (EVENTS, TEMPLATES, WORKFLOWS))
    assert await send(api, token) == (503, {"message": "Kubernetes does not answer"})
    assert "Kubernetes takes a token that does not exist for admin's: something between signs requests anew" in caplog.text


async def test_a_kubernetes_that_is_silent_is_not_waited_for(
    api: httpx.AsyncClient, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(event_accounts, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("AIRFLOW__ARGO_YAML__CONFIG_FILE", kubeconfig(tmp_path, listening.getsockname()[1]))
        async with asyncio.timeout(5):
            assert await send(api, token) == (503, {"message": "Kubernetes does not answer"})
    assert "Kubernetes has not answered for 0.5 s" in caplog.text


@pytest.mark.parametrize("authorization", ["Basic YTpi", "Bearer ", "Bearer a b", "Bearer é", "token"])
async def test_what_is_no_token_is_not_asked_about(authorization: str) -> None:
    assert await Accounts().of(authorization) is None


@pytest.fixture
def accounts(namespace: str) -> Iterator[str]:
    """On the real cluster: `ci` with the rights of Argo's own example, `listener` with one of them, `stranger` with none."""
    if "KUBECONFIG" not in os.environ or shutil.which("kubectl") is None:
        pytest.skip("there is no cluster")
    kubectl("create", "namespace", namespace)
    for account in ("ci", "listener", "stranger"):
        kubectl("create", "serviceaccount", account, "-n", namespace)
    for account, (verb, resource, _) in (("ci", EVENTS), ("ci", WORKFLOWS), ("listener", EVENTS)):
        role = f"{account}-{resource}"
        kubectl("apply", "-n", namespace, "-f", "-", stdin=rule("Role", role, verb, resource))
        kubectl("create", "rolebinding", role, "--role", role, "--serviceaccount", f"{namespace}:{account}", "-n", namespace)
    kubectl("apply", "-f", "-", stdin=rule("ClusterRole", namespace, "get", "clusterworkflowtemplates", names=["shared"]))
    kubectl("create", "clusterrolebinding", namespace, "--clusterrole", namespace, "--serviceaccount", f"{namespace}:ci")
    yield namespace
    kubectl("delete", f"clusterrole/{namespace}", f"clusterrolebinding/{namespace}")
    kubectl("delete", "namespace", namespace, "--wait=false")


def rule(kind: str, name: str, verb: str, resource: str, **more: Any) -> str:
    one = {"apiGroups": ["argoproj.io"], "resources": [resource], "verbs": [verb]}
    names = {"resourceNames": more["names"]} if more else {}
    version = "rbac.authorization.k8s.io/v1"
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": {"name": name}, "rules": [{**one, **names}]})


def kubectl(*words: str, stdin: str = "") -> str:
    return subprocess.run(["kubectl", *words], input=stdin, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.cluster
class TestOnTheCluster:
    """Whose administrator, Airflow here, shows a certificate: it must not speak for the sender."""

    @pytest.fixture
    def namespace(self) -> str:
        return f"events-{uuid4().hex[:8]}"

    async def test_a_service_account_sends_events_by_its_rights(
        self, accounts: str, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("AIRFLOW__ARGO_YAML__CONFIG_FILE", os.environ["KUBECONFIG"])
        tokens = {name: kubectl("create", "token", name, "-n", accounts) for name in ("ci", "listener", "stranger")}
        foreign = kubectl("create", "token", "ci", "-n", accounts, "--audience", "somebody-else")
        who = f"system:serviceaccount:{accounts}"
        assert await send(api, tokens["ci"], accounts) == (200, {})
        assert await send(api, foreign, accounts) == UNKNOWN
        assert await send(api, tokens["ci"] + "x", accounts) == UNKNOWN
        stranger = Right(verb="list", resource="workfloweventbindings", namespace=accounts).refused_to(f"{who}:stranger")
        assert await send(api, tokens["stranger"], accounts) == (403, {"message": stranger})
        template = Right(verb="get", resource="clusterworkflowtemplates", namespace="", name="shared")
        refused = f"binding told: {template.refused_to(f'{who}:listener')}"
        assert await send(api, tokens["listener"], accounts) == (403, {"message": refused})
        elsewhere = Right(verb="list", resource="workfloweventbindings", namespace="default").refused_to(f"{who}:ci")
        assert await send(api, tokens["ci"], "default") == (403, {"message": elsewhere})
        assert [run.triggering_user_name for run in runs("shared")] == [f"{who}:ci"]
        assert not any(token in caplog.text for token in tokens.values())
