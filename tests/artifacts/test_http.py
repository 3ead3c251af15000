"""http and artifactory, moved for real by curl: every kind of login, right and wrong."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stores.authority import Authority
from tests.stores.moving import fetch, store
from tests.stores.web import CLIENT, CLIENT_SECRET, PASSWORD, USER, Web, serve_web

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

SECRETS = {
    "basic": {"user": USER, "password": PASSWORD, "wrong": "guess"},
    "oauth": {"id": CLIENT, "secret": CLIENT_SECRET, "wrong": "guess"},
}


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with serve_web(Web()) as running:
        SECRETS["oauth"] |= {"url": address(running, "oauth"), "form-url": address(running, "oauth-form")}
        yield running


def address(web: Web, path: str) -> str:
    return f"http://127.0.0.1:{web.port}/{path}"


def ref(name: str, key: str) -> dict[str, str]:
    return {"name": name, "key": key}


def basic(password: str = "password") -> dict[str, Any]:
    return {"basicAuth": {"usernameSecret": ref("basic", "user"), "passwordSecret": ref("basic", password)}}


def oauth(secret: str = "secret", url: str = "url", **more: Any) -> dict[str, Any]:
    secrets = {
        "clientIDSecret": ref("oauth", "id"),
        "clientSecretSecret": ref("oauth", secret),
        "tokenURLSecret": ref("oauth", url),
    }
    return {"oauth2": {**secrets, **more}}


RIGHT: dict[str, tuple[str, dict[str, Any]]] = {
    "open": ("open/a%20[b]{c}", {}),
    "header": (
        "header/x",
        {"headers": [{"name": "X-Key", "value": 'let "me" in'}, {"name": "X-Other", "value": "$HOME \\ %"}]},
    ),
    "basic": ("basic/x", {"auth": basic()}),
    "oauth2": ("token/x", {"auth": oauth()}),
    "oauth2-by-form": (
        "token/y",
        {"auth": oauth(url="form-url", scopes=["some", "scopes"], endpointParams=[ref("n", "custom&key")])},
    ),
    "webhdfs-sends-the-token-on": ("webhdfs/v1/z?op=OPEN&x=1", {"auth": oauth()}),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_was_stored_comes_back(web: Web, tmp_path: Path, name: str) -> None:
    path, more = RIGHT[name]
    if name.startswith("oauth2-by-form"):
        more["auth"]["oauth2"]["endpointParams"] = [{"key": "custom&key", "value": "custom=value"}]
    artifact = {"http": {"url": address(web, path), **more}}
    (tmp_path / "file").write_bytes(b"bytes \0 of " + name.encode())
    assert store(artifact, tmp_path / "file", tmp_path, SECRETS) == f"saved {11 + len(name)}"
    assert fetch(artifact, tmp_path, SECRETS) == ""
    assert (tmp_path / "got").read_bytes() == b"bytes \0 of " + name.encode()


def test_a_token_is_asked_for_with_scopes_and_parameters(web: Web, tmp_path: Path) -> None:
    web.files["/token/t"] = b"1"
    web.asked.clear()
    auth = oauth(url="form-url", scopes=["some", "scopes"], endpointParams=[{"key": "k&", "value": "v=1"}])
    assert fetch({"http": {"url": address(web, "token/t"), "auth": auth}}, tmp_path, SECRETS) == ""
    credentials = {"client_id": CLIENT, "client_secret": CLIENT_SECRET}
    asked = {"grant_type": "client_credentials", "scope": "some scopes", "k&": "v=1"}
    assert web.asked == [asked, {**asked, **credentials}]


def test_artifactory_takes_and_gives_with_a_password(web: Web, tmp_path: Path) -> None:
    login = {"usernameSecret": ref("basic", "user"), "passwordSecret": ref("basic", "password")}
    artifact = {"artifactory": {"url": address(web, "basic/repo/x.tgz"), **login}}
    (tmp_path / "file").write_text("five!")
    assert store(artifact, tmp_path / "file", tmp_path, SECRETS) == "saved 5"
    assert fetch(artifact, tmp_path, SECRETS) == ""
    assert (tmp_path / "got").read_text() == "five!"


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "no-login": (
        "basic/x",
        {},
        (
            "the store refuses the credentials: add auth to the artifact, with its Secrets"
            " (curl: (22) The requested URL returned error: 401)"
        ),
    ),
    "wrong-password": (
        "basic/x",
        {"auth": basic("wrong")},
        (
            "the store refuses the credentials: check key user of Secret basic, key wrong of Secret basic"
            " (curl: (22) The requested URL returned error: 401)"
        ),
    ),
    "no-such-key-of-the-secret": (
        "basic/x",
        {"auth": basic("nosuch")},
        "Secret basic has no key nosuch, or is not in the namespace: create it, or correct the location",
    ),
    "wrong-client": (
        "token/x",
        {"auth": oauth("wrong")},
        (
            "the store refuses the credentials: check key id of Secret oauth, key wrong of Secret oauth,"
            " key url of Secret oauth (curl: (22) The requested URL returned error: 401 no token: the token URL answered: )"
        ),
    ),
    "not-there": (
        "open/nosuch",
        {},
        (
            "nothing lies at its key: store it first, or declare the artifact optional"
            " (curl: (22) The requested URL returned error: 404)"
        ),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_store_refuses_names_artifact_store_and_remedy(web: Web, tmp_path: Path, name: str) -> None:
    path, more, want = WRONG[name]
    web.files["/basic/x"] = web.files["/token/x"] = b"1"
    artifact = {"http": {"url": address(web, path), **more}}
    assert fetch(artifact, tmp_path, SECRETS) == f"artifact model failed to load: http {address(web, path)}: {want}"


def test_an_upload_that_is_refused_says_so(web: Web, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    said = store(
        {"http": {"url": address(web, "basic/y?sig=secret"), "auth": basic("wrong")}}, tmp_path / "file", tmp_path, SECRETS
    )
    assert said == (
        f"failed http {address(web, 'basic/y')}: the store refuses the credentials: check key user of Secret basic,"
        " key wrong of Secret basic (curl: (22) The requested URL returned error: 401)"
    )


def test_an_optional_input_that_is_not_there_is_no_error(web: Web, tmp_path: Path) -> None:
    assert fetch({"http": {"url": address(web, "open/nosuch")}, "optional": True}, tmp_path) == ""
    assert not (tmp_path / "got").exists()


def test_a_server_that_stumbles_is_asked_again(web: Web, tmp_path: Path) -> None:
    web.files["/open/flaky"] = b"there"
    web.failures["/open/flaky"] = 1
    assert fetch({"http": {"url": address(web, "open/flaky")}}, tmp_path, ARGO_TRANSFER_ATTEMPTS="3") == ""
    assert (tmp_path / "got").read_text() == "there"


def test_a_server_that_is_down_is_tried_and_then_told(tmp_path: Path) -> None:
    said = fetch({"http": {"url": "http://127.0.0.1:9/x"}}, tmp_path, ARGO_TRANSFER_ATTEMPTS="2")
    assert said.partition(" (")[0] == (
        "artifact model failed to load: http http://127.0.0.1:9/x:"
        " the store does not answer, tried 2 times: see that it is up, and its address right"
    )


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Authority]:
    """One that is trusted, another, and one that is named as the first."""
    names = {"trusted": "trusted", "stranger": "stranger", "impostor": "trusted"}
    return {one: Authority(tmp_path_factory.mktemp(one), name) for one, name in names.items()}


@pytest.fixture(scope="module")
def vault(authorities: dict[str, Authority]) -> Iterator[Web]:
    """A server that only lets in who shows a certificate."""
    with serve_web(Web(), authorities["trusted"].context("localhost", ssl.CERT_REQUIRED)) as running:
        yield running


@pytest.mark.parametrize(
    ("given", "known", "want"),
    [
        pytest.param("trusted", True, "", id="right"),
        pytest.param("", True, "the store refuses the credentials", id="none-shown"),
        pytest.param("stranger", True, "the store refuses the credentials", id="of-another-authority"),
        pytest.param("impostor", True, "the store refuses the credentials", id="of-an-impostor"),
        pytest.param("trusted", False, "the store cannot prove who it is", id="server-not-known"),
    ],
)
def test_a_client_certificate_lets_in(
    authorities: dict[str, Authority], vault: Web, tmp_path: Path, given: str, known: bool, want: str
) -> None:
    secrets, auth = {}, {}
    if given:
        certificate, key = authorities[given].issue("client")
        secrets = {"pair": {"cert": certificate.read_text(), "key": key.read_text()}}
        auth = {"clientCert": {"clientCertSecret": ref("pair", "cert"), "clientKeySecret": ref("pair", "key")}}
    artifact = {"http": {"url": f"https://localhost:{vault.port}/open/x", "auth": auth}}
    vault.files["/open/x"] = b"inside"
    trust = {"CURL_CA_BUNDLE": str(authorities["trusted"].file)} if known else {}
    said = fetch(artifact, tmp_path, secrets, **trust)
    assert said.partition("/open/x: ")[2].partition(": ")[0] == want, said
    assert (tmp_path / "got").exists() is not bool(want)
