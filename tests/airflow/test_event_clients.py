from __future__ import annotations

import hashlib
import hmac

import pytest

from argo_yaml_provider.airflow.event_clients import BadClients, Client, Proof, prove_signature, prove_token, read_clients

BODY = b'{"ref": "refs/heads/main"}'
ONCE = hashlib.sha256(BODY).hexdigest()


def digest(algorithm: str, secret: str = "sh!") -> str:
    return hmac.new(secret.encode(), BODY, algorithm).hexdigest()


@pytest.mark.parametrize(
    ("kind", "headers", "once"),
    [
        pytest.param(
            "github", {"x-github-event": "push", "x-hub-signature-256": f"sha256={digest('sha256')}"}, ONCE, id="github"
        ),
        pytest.param("github", {"x-github-event": "push", "x-hub-signature": f"sha1={digest('sha1')}"}, ONCE, id="github-sha1"),
        pytest.param("gitlab", {"x-gitlab-event": "Push Hook", "x-gitlab-token": "sh!"}, "", id="gitlab"),
        pytest.param(
            "gitlab",
            {"x-gitlab-event": "Push Hook", "x-gitlab-token": "sh!", "x-gitlab-event-uuid": "u-1"},
            "u-1",
            id="gitlab-that-numbers-its-events",
        ),
        pytest.param(
            "bitbucket", {"x-event-key": "repo:push", "x-hook-uuid": "sh!", "x-request-uuid": "r-1"}, "r-1", id="bitbucket"
        ),
        pytest.param(
            "bitbucketserver",
            {"x-event-key": "repo:refs_changed", "x-hub-signature": f"sha256={digest('sha256')}"},
            ONCE,
            id="bitbucket-server",
        ),
        pytest.param("hmac", {"x-gogs-signature": digest("sha256")}, ONCE, id="gogs"),
        pytest.param("hmac", {"x-hub-signature-256": f"sha256={digest('sha256')}"}, ONCE, id="hub"),
    ],
)
def test_a_webhook_is_known_by_its_secret(kind: str, headers: dict[str, str], once: str) -> None:
    clients = (Client(name="wrong", kind=kind, secret="other"), Client(name="right", kind=kind, secret="sh!"))
    assert prove_signature(clients, "argo", headers, BODY) == Proof(client="right", once=once)
    assert prove_signature(clients[:1], "argo", headers, BODY) is None


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"x-github-event": "push"}, id="no-signature"),
        pytest.param({"x-hub-signature-256": f"sha256={digest('sha256')}"}, id="no-event"),
        pytest.param({"x-github-event": "push", "x-hub-signature-256": digest("sha256")}, id="no-algorithm"),
        pytest.param({"x-github-event": "push", "x-hub-signature-256": f"md5={digest('md5')}"}, id="a-weak-algorithm"),
        pytest.param({"x-github-event": "push", "x-hub-signature-256": "sha256=\u00e9"}, id="no-hex"),
    ],
)
def test_what_does_not_prove_it_is_not_taken(headers: dict[str, str]) -> None:
    assert prove_signature((Client(name="a", kind="github", secret="sh!"),), "argo", headers, BODY) is None


def test_a_client_of_another_namespace_is_nobody() -> None:
    clients = (Client(name="ci", kind="bearer", secret="t", namespace="argo"),)
    assert prove_token(clients, "argo", "Bearer t") == Proof(client="ci")
    assert prove_token(clients, "other", "Bearer t") is None


def test_a_header_of_its_own_may_hold_the_signature() -> None:
    client = Client(name="a", kind="hmac", secret="sh!", header="X-Sign")
    assert prove_signature((client,), "argo", {"x-sign": f"sha512={digest('sha512')}"}, BODY) == Proof(client="a", once=ONCE)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param("{", "is not shaped as", id="no-json"),
        pytest.param('{"a": "sh!"}', "is not shaped as", id="no-object"),
        pytest.param('{"a": {"type": "gitbub", "secret": "sh!"}}', "client 'a' has a type that is none of", id="type"),
        pytest.param('{"a": {"type": "github"}}', "client 'a' has no secret", id="no-secret"),
    ],
)
def test_clients_that_cannot_be_read_are_told_without_their_secrets(value: str, message: str) -> None:
    with pytest.raises(BadClients, match=message) as caught:
        read_clients(value)
    assert "sh!" not in str(caught.value)
