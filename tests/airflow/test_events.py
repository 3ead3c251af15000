"""Events from outside, through the application that Airflow's API server mounts, into a real database."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from argo_yaml_provider.airflow.events import AT_ONCE, LARGEST
from tests.airflow.deployment import deploy

SECRET, TOKEN = "a-secret-of-a-webhook", "a-token-of-ours"
CLIENTS = {"github.com": {"type": "github", "secret": SECRET}, "ci": {"type": "bearer", "secret": TOKEN, "namespace": "argo"}}
TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  entrypoint: main
  arguments: {parameters: [{name: branch, value: none}, {name: files, value: "[]"}]}
  templates:
    - name: main
      container: {image: busybox, command: [echo], args: ["{{workflow.parameters.branch}}", "{{workflow.parameters.files}}"]}
"""
PUSHED = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowEventBinding
metadata: {name: build, namespace: argo}
spec:
  event:
    selector: metadata["x-github-event"] == ["push"] && discriminator == "code" && payload.ref startsWith "refs/heads/"
  submit:
    workflowTemplateRef: {name: build}
    metadata: {labels: {repository: payload.repository.name}}
    arguments:
      parameters:
        - {name: branch, valueFrom: {event: 'payload.ref[11:]'}}
        - {name: files, valueFrom: {event: 'payload.commits[0].modified'}}
"""
TOLD = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowEventBinding
metadata: {name: told, namespace: argo}
spec:
  event: {selector: 'discriminator in ["told", "heard"] && payload.message != ""'}
  submit:
    workflowTemplateRef: {name: shared, clusterScope: true}
    arguments: {parameters: [{name: branch, valueFrom: {event: payload.message}}]}
---
apiVersion: argoproj.io/v1alpha1
kind: WorkflowEventBinding
metadata: {name: wrong, namespace: argo}
spec:
  event: {selector: 'discriminator == "told" && payload.nobody.is > 1'}
  submit: {workflowTemplateRef: {name: build}}
---
apiVersion: argoproj.io/v1alpha1
kind: WorkflowEventBinding
metadata: {name: named, namespace: argo}
spec:
  event: {selector: 'discriminator == "named"'}
  submit:
    metadata: {name: '"release-" + payload.version'}
    workflowTemplateRef: {name: build}
"""


@pytest.fixture
def deployed(airflow_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIRFLOW_VAR_ARGO_WORKFLOWS_WEBHOOK_CLIENTS", json.dumps(CLIENTS))
    folder = tmp_path / "dags"
    folder.mkdir()
    shared = TEMPLATE.replace("kind: WorkflowTemplate", "kind: ClusterWorkflowTemplate").replace("name: build", "name: shared")
    for name, text in {"build": TEMPLATE, "shared": shared, "pushed": PUSHED, "told": TOLD}.items():
        (folder / f"{name}.yaml").write_text(text)
    deploy(folder)
    return folder


@pytest.fixture
async def api(deployed: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Airflow's own way of mounting what plugins bring."""
    async with client() as opened:
        yield opened


@asynccontextmanager
async def client() -> AsyncIterator[httpx.AsyncClient]:
    from airflow.api_fastapi.app import init_auth_manager, init_plugins
    from airflow.api_fastapi.core_api.app import init_middlewares
    from fastapi import FastAPI

    app = FastAPI()
    init_auth_manager(app)
    init_plugins(app)
    init_middlewares(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://airflow/argo/api/v1/events") as opened:
        yield opened


@pytest.fixture(autouse=True)
def _tells_no_secret(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO)
    yield
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text


def push(ref: str = "refs/heads/main") -> bytes:
    """Shaped as GitHub's, made up here."""
    payload = {
        "ref": ref,
        "repository": {"name": "engine", "full_name": "acme/engine"},
        "commits": [{"id": "c0ffee", "added": [], "removed": [], "modified": ["a.py", "b.py"]}],
    }
    return json.dumps(payload).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-GitHub-Event": "push", "X-GitHub-Delivery": "1-2-3", "X-Hub-Signature-256": f"sha256={signature}"}


def runs(dag_id: str) -> list[Any]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from sqlalchemy.orm import joinedload

    with create_session() as session:
        statement = select(DagRun).where(DagRun.dag_id == dag_id).order_by(DagRun.id).options(joinedload(DagRun.dag_run_note))
        return list(session.scalars(statement))


async def test_a_signed_push_starts_a_run_with_arguments_from_its_payload_and_only_once(api: httpx.AsyncClient) -> None:
    body = push()
    answer = await api.post("/argo/code", content=body, headers=signed(body))
    assert (answer.status_code, answer.json()) == (200, {})
    (run,) = runs("build")
    assert run.conf == {"branch": "main", "files": '["a.py","b.py"]'}
    assert run.triggering_user_name == "github.com"
    assert run.note == 'event \'code\' from github.com, by binding build\n{"repository": "engine"}'
    again = await api.post("/argo/code", content=body, headers={**signed(body), "X-GitHub-Delivery": "4-5-6"})
    assert (again.status_code, again.json()) == (409, {"message": "this event was taken before"})
    other = push("refs/heads/feature")
    assert (await api.post("/argo/code", content=other, headers=signed(other))).status_code == 200
    assert [run.conf["branch"] for run in runs("build")] == ["main", "feature"]


async def test_where_everybody_is_an_administrator_a_sender_must_still_prove_who_it_is(
    deployed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "s" * 64)
    body, token = push(), {"Authorization": f"Bearer {TOKEN}"}
    async with client() as api:
        answers = [
            await api.post("/argo/code", content=body, headers=headers)
            for headers in ({}, {"Authorization": "Bearer wrong"}, signed(body, "wrong"), signed(body), token)
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 403, 200, 200]
    assert [run.conf["branch"] for run in runs("build")] == ["main"]


async def test_who_cannot_prove_to_be_a_client_is_refused(api: httpx.AsyncClient) -> None:
    forbidden, unknown = (403, {"message": "failed to process webhook request"}), (401, {"message": "token not valid"})
    cases: list[tuple[dict[str, str], object]] = [
        (signed(push(), "wrong"), forbidden),
        (signed(push("refs/heads/other")), forbidden),
        ({"X-GitHub-Event": "push"}, unknown),
        ({"Authorization": "Bearer wrong"}, unknown),
        ({**signed(push()), "Authorization": "Bearer "}, unknown),
    ]
    for headers, want in cases:
        answer = await api.post("/argo/code", content=push(), headers=headers)
        assert (answer.status_code, answer.json()) == want
    assert runs("build") == []


async def test_a_token_sends_the_same_event_as_often_as_it_likes(api: httpx.AsyncClient) -> None:
    for _ in range(2):
        answer = await api.post("/argo/heard", json={"message": "hello"}, headers={"Authorization": f"Bearer {TOKEN}"})
        assert (answer.status_code, answer.json()) == (200, {})
    assert [run.conf for run in runs("shared")] == [{"branch": "hello"}] * 2


async def test_a_binding_that_is_wrong_is_told_to_the_sender_and_keeps_no_other_from_its_run(
    api: httpx.AsyncClient, caplog: Any
) -> None:
    answer = await api.post("/argo/told", json={"message": "hello"}, headers={"Authorization": f"Bearer {TOKEN}"})
    why = "binding wrong: cannot fetch is from <nil>"
    assert (answer.status_code, answer.json()) == (500, {"message": f"failed to dispatch event: [{why}]"})
    assert f"event 'told' in 'argo' from 'ci': {why}" in caplog.text
    assert [run.conf for run in runs("shared")] == [{"branch": "hello"}]


async def test_a_name_that_the_binding_gives_is_given_once(api: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert (await api.post("/argo/named", json={"version": "1.2"}, headers=headers)).status_code == 200
    assert (await api.post("/argo/named", json={"version": "1.2"}, headers=headers)).status_code == 409
    assert [run.run_id.partition("_release")[2] for run in runs("build")] == ["-1-2"]


async def test_an_event_that_nobody_takes_is_well_received(api: httpx.AsyncClient) -> None:
    body = push()
    for path in ("/argo/", "/argo/nobody-listens", "/other/code"):
        answer = await api.post(path, content=body, headers=signed(body))
        assert (answer.status_code, answer.json(), runs("build")) == (200, {}, [])


async def test_a_paused_binding_takes_nothing(api: httpx.AsyncClient) -> None:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import update

    with create_session() as session:
        session.execute(update(DagModel).where(DagModel.dag_id == "build.event").values(is_paused=True))
    body = push()
    assert (await api.post("/argo/code", content=body, headers=signed(body))).status_code == 200
    assert runs("build") == []


async def test_a_body_that_is_too_large_or_no_json_is_refused(api: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65536

    headers = {"Authorization": f"Bearer {TOKEN}"}
    for content in (b" " * (LARGEST + 1), endless()):
        answer = await api.post("/argo/code", content=content, headers=headers)
        assert (answer.status_code, answer.json()) == (413, {"message": "a body may have 2097152 bytes"})
    answer = await api.post("/argo/code", content=b"payload=%7B%7D", headers=headers)
    assert (answer.status_code, answer.json()) == (400, {"message": "the body is not JSON"})
    answer = await api.post("/argo/code", content=b"[" * 100_000, headers=headers)
    assert (answer.status_code, answer.json()) == (400, {"message": "the body is not JSON"})


async def test_more_events_at_once_than_can_be_worked_on_are_sent_away(api: httpx.AsyncClient) -> None:
    go_on, headers = asyncio.Event(), {"Authorization": f"Bearer {TOKEN}"}
    begun = 0

    async def slow() -> AsyncIterator[bytes]:
        nonlocal begun
        begun += 1
        await go_on.wait()
        yield b"{}"

    slow_ones = [asyncio.create_task(api.post("/argo/x", content=slow(), headers=headers)) for _ in range(AT_ONCE)]
    async with asyncio.timeout(60):
        while begun < AT_ONCE:  # noqa: ASYNC110 - until each has asked for its body
            await asyncio.sleep(0.01)
    answer = await api.post("/argo/x", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (503, {"message": "operation queue full"}, "1")
    go_on.set()
    assert [answer.status_code for answer in await asyncio.gather(*slow_ones)] == [200] * AT_ONCE
    assert (await api.post("/argo/x", content=b"{}", headers=headers)).status_code == 200


async def test_clients_that_cannot_be_read_let_nobody_in(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_ARGO_WORKFLOWS_WEBHOOK_CLIENTS", f'{{"ci": "{TOKEN}"}}')
    answer = await api.post("/argo/told", json={"message": "x"}, headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.json()) == (403, {"message": "failed to process webhook request"})
    assert "the Variable argo_workflows_webhook_clients is not shaped as" in caplog.text
