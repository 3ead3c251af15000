from __future__ import annotations

import json
import stat
from typing import Any

import aiohttp
import pytest

from argo_yaml_provider.local import EmbeddedKubernetes
from tests.local.conftest import Client, connect

MAPS = "/api/v1/namespaces/default/configmaps"


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


def test_the_kubeconfig_is_its_owners_alone(kube: EmbeddedKubernetes) -> None:
    assert stat.S_IMODE(kube.kubeconfig.stat().st_mode) == 0o600
    assert kube.url.startswith("https://127.0.0.1:")


async def test_without_the_token_nothing_is_answered(kube: EmbeddedKubernetes) -> None:
    async with connect(kube) as session, session.get("/api/v1/pods", headers={"Authorization": "Bearer no"}) as reply:
        assert (reply.status, (await reply.json())["reason"]) == (401, "Unauthorized")


async def test_objects_come_and_go(client: Client) -> None:
    status, made = await client.call("POST", MAPS, {"metadata": {"generateName": "gen-"}, "data": {"a": "1"}})
    name = made["metadata"]["name"]
    assert (status, len(name), made["kind"]) == (201, 9, "ConfigMap")
    assert (await client.call("POST", MAPS, config_map(name)))[1]["message"] == f'configmaps "{name}" already exists'
    stale = {**made, "data": {"a": "2"}}
    assert (await client.call("PUT", f"{MAPS}/{name}", stale))[0] == 200
    status, refused = await client.call("PUT", f"{MAPS}/{name}", stale)
    assert (status, refused["reason"]) == (409, "Conflict")
    assert (await client.call("DELETE", f"{MAPS}/{name}"))[1]["status"] == "Success"
    status, gone = await client.call("GET", f"{MAPS}/{name}")
    assert (status, gone["message"]) == (404, f'configmaps "{name}" not found')


async def test_lists_are_paged_and_selected(client: Client) -> None:
    for index in range(5):
        await client.call(
            "POST", MAPS, {"metadata": {"name": f"page-{index}", "labels": {"set": "page", "odd": str(index % 2)}}}
        )
    names: list[str] = []
    more = ""
    while True:
        _, page = await client.call("GET", f"{MAPS}?labelSelector=set%3Dpage&limit=2&continue={more}")
        names += [item["metadata"]["name"] for item in page["items"]]
        more = page["metadata"].get("continue", "")
        if not more:
            break
    assert names == [f"page-{index}" for index in range(5)]
    await client.call("DELETE", f"{MAPS}?labelSelector=set%3Dpage,odd%3D1")
    _, left = await client.call("GET", f"{MAPS}?labelSelector=set%3Dpage")
    assert [item["metadata"]["name"] for item in left["items"]] == ["page-0", "page-2", "page-4"]


async def test_a_watch_goes_on_from_where_the_list_was(kube: EmbeddedKubernetes, client: Client) -> None:
    _, listed = await client.call("GET", MAPS)
    version = listed["metadata"]["resourceVersion"]
    await client.call("POST", MAPS, config_map("watched", a="1"))
    patch = {"Content-Type": "application/merge-patch+json"}
    await client.call("PATCH", f"{MAPS}/watched", {"data": {"a": "2"}}, **patch)
    await client.call("DELETE", f"{MAPS}/watched")
    url = f"{MAPS}?watch=1&resourceVersion={version}&timeoutSeconds=1&fieldSelector=metadata.name%3Dwatched"
    text = await client.text(url)
    events = [json.loads(line) for line in text.splitlines()]
    assert [(e["type"], e["object"]["data"]["a"]) for e in events] == [("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2")]


async def test_apply_creates_changes_and_takes_back(client: Client) -> None:
    apply = {"Content-Type": "application/apply-patch+yaml"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", **config_map("applied", a="1")}
    assert (await client.call("PATCH", f"{MAPS}/applied?fieldManager=t", body, **apply))[0] == 201
    status, changed = await client.call("PATCH", f"{MAPS}/applied?fieldManager=t", {**body, "data": {"b": "2"}}, **apply)
    assert (status, changed["data"]) == (200, {"b": "2"})


async def test_what_an_owner_owned_goes_with_it(client: Client) -> None:
    _, owner = await client.call("POST", MAPS, config_map("owner"))
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    await client.call("POST", MAPS, {"metadata": {"name": "owned", "ownerReferences": [reference]}})
    await client.call("DELETE", f"{MAPS}/owner")
    assert (await client.call("GET", f"{MAPS}/owned"))[0] == 404


async def test_a_custom_resource_is_served_once_defined(client: Client) -> None:
    names = {"plural": "crontabs", "kind": "CronTab"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [{"name": "v1", "served": True}]}
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    await client.call("POST", definitions, {"metadata": {"name": "crontabs.example.com"}, "spec": spec})
    tabs = "/apis/example.com/v1/namespaces/default/crontabs"
    status, made = await client.call("POST", tabs, {"metadata": {"name": "mine"}, "spec": {"every": "day"}})
    assert (status, made["apiVersion"], made["kind"]) == (201, "example.com/v1", "CronTab")
    await client.call("DELETE", f"{definitions}/crontabs.example.com")
    assert (await client.call("GET", tabs))[0] == 404


@pytest.mark.parametrize(
    ("manifest", "want"),
    [
        (config_map("Upper"), 'ConfigMap "Upper" is invalid: metadata.name: Invalid value: "Upper": '),
        (
            {"metadata": {"name": "x", "labels": {"a": "b c"}}},
            'ConfigMap "x" is invalid: metadata.labels: Invalid value: "b c": ',
        ),
        (
            {"metadata": {"name": "x"}, "data": {"yes": True}},
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal bool into Go struct field',
        ),
    ],
)
async def test_what_the_real_server_refuses_is_refused(client: Client, manifest: dict[str, Any], want: str) -> None:
    _, refused = await client.call("POST", MAPS, manifest)
    assert refused["message"].startswith(want)


async def test_a_namespace_comes_to_be_when_something_is_put_into_it(client: Client) -> None:
    path = "/api/v1/namespaces/fresh/configmaps"
    assert (await client.call("POST", path, config_map("c")))[0] == 201
    _, accounts = await client.call("GET", "/api/v1/namespaces/fresh/serviceaccounts")
    assert [item["metadata"]["name"] for item in accounts["items"]] == ["default"]
    await client.call("DELETE", "/api/v1/namespaces/fresh")
    assert (await client.call("GET", f"{path}/c"))[0] == 404


async def test_a_stranger_to_the_certificate_is_not_believed(kube: EmbeddedKubernetes) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"{kube.url}/version")
