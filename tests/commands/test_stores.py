"""Every store from pods of the real cluster: what one step stores another fetches; what is wrong is an Error that says so.

One workflow does it all at once: `put` stores in every store, `get` fetches from every store, and for each tool a step fetches
with the wrong credentials, and one stores with them.
"""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.stores import images, servers
from tests.stores.authority import Authority
from tests.stores.web import CLIENT, CLIENT_SECRET, PASSWORD, USER, Web, serve_web

pytestmark = pytest.mark.cluster

Json = dict[str, Any]
NAMESPACE = "argo-stores-test"
WRITABLE = ("s3", "oss", "azure", "gcs", "http", "cert", "oauth", "artifactory")
READ_ONLY = ("git", "private-git", "ssh")
TOOLS = {"rclone": WRITABLE[:4], "curl": WRITABLE[4:], "git": READ_ONLY[1:]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Where each store is, how it is logged in to, and what is said of it."""

    right: dict[str, Json]
    wrong: dict[str, Json]
    secrets: dict[str, dict[str, str]]
    places: dict[str, str]
    env: dict[str, str]
    images: dict[str, str]


def ref(name: str, key: str) -> Json:
    return {"name": name, "key": key}


def node_address() -> str:
    path = "jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}"
    return subprocess.run(["kubectl", "get", "nodes", "-o", path], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    host, root, key, stranger = node_address(), tmp_path_factory.mktemp("git"), servers.ssh_key(), servers.ssh_key()
    servers.make_repository(root)
    with contextlib.ExitStack() as stack:
        web = stack.enter_context(serve_web(Web(git=root)))
        authority, other_authority = (Authority(tmp_path_factory.mktemp(name), name) for name in ("known", "unknown"))
        tls = stack.enter_context(serve_web(Web(), authority.context(host, ssl.CERT_OPTIONAL)))
        client, other_client = (certificate(one) for one in (authority, other_authority))
        curl, trusted = images.with_authority(authority.file)
        s3, azure = stack.enter_context(servers.serve_strict_s3()), stack.enter_context(servers.serve_azure())
        gcs = stack.enter_context(servers.serve_gcs(host))
        ssh, host_key = stack.enter_context(servers.serve_ssh(root, key.public))
        url = f"http://{host}:{web.port}"
        google, other = (servers.google_key(f"{url}/google") for _ in range(2))
        web.google = google.public
        secrets = {
            "right": {
                "s3-key": s3.key, "s3-secret": s3.secret, "azure": servers.ACCOUNT_KEY, "gcs": google.private, "user": USER,
                "password": PASSWORD, "client": CLIENT, "client-secret": CLIENT_SECRET,
                "url": f"{url}/oauth", "ssh": key.private, **client,
            },
            "wrong": {
                "s3-key": s3.key, "s3-secret": "guess", "azure": servers.WRONG_KEY, "gcs": other.private, "user": USER,
                "password": "guess", "client": CLIENT, "client-secret": "guess",
                "url": f"{url}/oauth", "ssh": stranger.private, **other_client,
            },
        }  # fmt: skip
        endpoints = {"s3": f"{host}:{s3.port}", "azure": f"http://{host}:{azure}/{servers.ACCOUNT}", "url": url}
        endpoints |= {"tls": f"https://{host}:{tls.port}", "ssh": f"ssh://git@{host}:{ssh}/project.git"}
        yield Stores(
            right=locations("right", endpoints),
            wrong=locations("wrong", endpoints),
            secrets=secrets,
            places=places(endpoints),
            env={
                "RCLONE_GCS_ENDPOINT": f"http://{host}:{gcs}/storage/v1/",
                "SSH_KNOWN_HOSTS": f"[{host}]:{ssh} {host_key}",
                "CURL_CA_BUNDLE": trusted,
            },
            images={"rclone": images.with_rclone(), "git": images.with_ssh(), "curl": curl},
        )


def certificate(authority: Authority) -> dict[str, str]:
    """A client's, as a Secret has it."""
    files = authority.issue("client")
    return {"cert": files[0].read_text(), "cert-key": files[1].read_text()}


def locations(secret: str, at: dict[str, str]) -> dict[str, Json]:
    s3 = {"bucket": "box", "accessKeySecret": ref(secret, "s3-key"), "secretKeySecret": ref(secret, "s3-secret")}
    login = {"usernameSecret": ref(secret, "user"), "passwordSecret": ref(secret, "password")}
    oauth = {
        "clientIDSecret": ref(secret, "client"),
        "clientSecretSecret": ref(secret, "client-secret"),
        "tokenURLSecret": ref(secret, "url"),
    }
    shown = {"clientCertSecret": ref(secret, "cert"), "clientKeySecret": ref(secret, "cert-key")}
    return {
        "s3": {"s3": {**s3, "endpoint": at["s3"], "insecure": True, "key": "s3/x.tgz"}},
        "oss": {"oss": {**s3, "endpoint": f"http://{at['s3']}", "key": "oss/x.tgz"}},
        "azure": {
            "azure": {"endpoint": at["azure"], "container": "box", "blob": "x", "accountKeySecret": ref(secret, "azure")}
        },
        "gcs": {"gcs": {"bucket": "box", "key": "x", "serviceAccountKeySecret": ref(secret, "gcs")}},
        "http": {"http": {"url": f"{at['tls']}/basic/x", "auth": {"basicAuth": login}}},
        "cert": {"http": {"url": f"{at['tls']}/cert/x", "auth": {"clientCert": shown}}},
        "oauth": {"http": {"url": f"{at['url']}/token/x", "auth": {"oauth2": oauth}}},
        "artifactory": {"artifactory": {"url": f"{at['url']}/basic/y", **login}},
        "git": {"git": {"repo": f"{at['url']}/git/project.git", "revision": "v2"}},
        "private-git": {"git": {"repo": f"{at['url']}/private-git/project.git", "depth": 1, **login}},
        "ssh": {"git": {"repo": at["ssh"], "sshPrivateKeySecret": ref(secret, "ssh")}},
    }


def places(at: dict[str, str]) -> dict[str, str]:
    return {
        "s3": f"s3 box/s3/x.tgz at {at['s3']}",
        "oss": f"oss box/oss/x.tgz at http://{at['s3']}",
        "azure": f"azure box/x at {at['azure']}",
        "gcs": "gcs box/x",
        "http": f"http {at['tls']}/basic/x",
        "cert": f"http {at['tls']}/cert/x",
        "oauth": f"http {at['url']}/token/x",
        "artifactory": f"artifactory {at['url']}/basic/y",
        "private-git": f"git {at['url']}/private-git/project.git",
        "ssh": f"git {at['ssh'].replace('git@', '')}",
    }


KEYS = {
    "s3": ("s3-key", "s3-secret"), "oss": ("s3-key", "s3-secret"), "azure": ("azure",), "gcs": ("gcs",),
    "http": ("user", "password"), "cert": ("cert", "cert-key"), "oauth": ("client", "client-secret", "url"),
    "artifactory": ("user", "password"),
    "private-git": ("user", "password"), "ssh": ("ssh",),
}  # fmt: skip


def workflow(stores: Stores) -> Json:
    """All steps of one group, but for `put`, which goes first."""
    make = "mkdir /out && for name in $0 $*; do mkdir /out/$name; echo bytes of $name > /out/$name/file; done"
    see = "for name in $0 $*; do cat /in/$name/file; done; cat /in/git/two /in/private-git/library/one /in/ssh/three"
    templates = [
        template("put", ["sh", "-c", make, *WRITABLE], outputs=artifacts(stores.right, WRITABLE, "/out")),
        template("get", ["sh", "-c", see, *WRITABLE], inputs=artifacts(stores.right, (*WRITABLE, *READ_ONLY), "/in")),
        template("wrong-put", ["sh", "-c", make, *WRITABLE], outputs=artifacts(stores.wrong, WRITABLE, "/out")),
        template(
            "lacking",
            ["true"],
            inputs=artifacts(locations("nosuch", dict.fromkeys(("s3", "azure", "url", "tls", "ssh"), "h")), ("s3",), "/in"),
        ),
    ]
    wrong = [template(f"wrong-{tool}", ["true"], inputs=artifacts(stores.wrong, names, "/in")) for tool, names in TOOLS.items()]
    last = ["get", "wrong-put", "lacking", *(f"wrong-{tool}" for tool in TOOLS)]
    groups = [[{"name": "put", "template": "put"}], [{"name": name, "template": name} for name in last]]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "stores-"},
        "spec": {"entrypoint": "all", "templates": [{"name": "all", "steps": groups}, *templates, *wrong]},
    }


def template(name: str, command: list[str], inputs: list[Json] | None = None, outputs: list[Json] | None = None) -> Json:
    results = {"parameters": [{"name": "seen", "valueFrom": {"path": "/seen", "default": ""}}]} if name == "get" else {}
    if name == "get":
        command = [*command[:2], f"{{ {command[2]}; }} > /seen", *command[3:]]
    return {
        "name": name,
        "inputs": {"artifacts": inputs or []},
        "outputs": {**results, "artifacts": outputs or []},
        "container": {"image": "busybox", "command": command},
    }


def artifacts(locations: dict[str, Json], names: tuple[str, ...], folder: str) -> list[Json]:
    return [{"name": name, "path": f"{folder}/{name}", **locations[name]} for name in names]


@pytest.fixture(scope="module")
def nodes(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Json]]:
    """The steps of one run, by name."""
    settings = {
        "ARTIFACT_IMAGES": json.dumps(stores.images),
        "ARTIFACT_ENV": json.dumps(stores.env),
    }
    environment = {**os.environ, **{f"AIRFLOW__ARGO_YAML__{name}": value for name, value in settings.items()}}
    documents: list[Json] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}]
    documents += [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "stringData": data}
        for name, data in stores.secrets.items()
    ]
    applied = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
    file = tmp_path_factory.mktemp("workflow") / "stores.yaml"
    file.write_text(json.dumps(workflow(stores)))
    subprocess.run(["kubectl", "apply", "-f", "-"], input=applied, text=True, check=True, capture_output=True)
    try:
        where = ["--kubeconfig", os.environ["KUBECONFIG"], "--namespace", NAMESPACE]
        command = [sys.executable, "-m", "argo_yaml_provider", "run", "--output", "json", str(file), *where]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
        found = json.loads(ended.stdout)["nodes"]
        yield {node["displayName"]: node for node in found}
    finally:
        subprocess.run(["kubectl", "delete", "namespace", NAMESPACE, "--wait=false"], check=True, capture_output=True)


def test_what_one_step_stores_in_any_store_another_fetches(nodes: dict[str, Json]) -> None:
    assert (nodes["put"]["phase"], nodes["put"]["message"]) == ("Succeeded", "")
    assert (nodes["get"]["phase"], nodes["get"]["message"]) == ("Succeeded", "")
    seen = nodes["get"]["outputs"]["parameters"]["seen"]
    assert seen == "".join(f"bytes of {name}\n" for name in WRITABLE) + "213"


def refusal(stores: Stores, name: str) -> str:
    keys = ", ".join(f"key {key} of Secret wrong" for key in KEYS[name])
    return f"{stores.places[name]}: the store refuses the credentials: check {keys} ("


@pytest.mark.parametrize("name", [name for names in TOOLS.values() for name in names])
def test_wrong_credentials_are_an_error_that_names_artifact_store_and_remedy(
    stores: Stores, nodes: dict[str, Json], name: str
) -> None:
    node = nodes["wrong-" + next(tool for tool, names in TOOLS.items() if name in names)]
    assert node["phase"] == "Error"
    assert node["message"].startswith("init: Error (exit code 64): artifact ")
    assert f"artifact {name} failed to load: {refusal(stores, name)}" in node["message"]


@pytest.mark.parametrize("name", WRITABLE)
def test_what_cannot_be_stored_makes_the_step_an_error(stores: Stores, nodes: dict[str, Json], name: str) -> None:
    node = nodes["wrong-put"]
    assert node["phase"] == "Error"
    assert f"artifact {name} failed to save: {refusal(stores, name)}" in node["message"]


def test_a_secret_that_is_not_there_holds_no_pod_back(nodes: dict[str, Json]) -> None:
    assert (nodes["lacking"]["phase"], nodes["lacking"]["message"]) == (
        "Error",
        (
            "init: Error (exit code 64): artifact s3 failed to load: s3 box/s3/x.tgz at h: Secret nosuch has no key s3-secret,"
            " or is not in the namespace: create it, or correct the location"
        ),
    )


def test_no_secret_shows_in_what_is_told(stores: Stores, nodes: dict[str, Json]) -> None:
    told = json.dumps(list(nodes.values()))
    public = ("user", "url", "client", "cert")
    known = [value for data in stores.secrets.values() for key, value in data.items() if key not in public]
    assert [value for value in known if value in told and value != "guess"] == []
