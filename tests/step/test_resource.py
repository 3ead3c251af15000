from __future__ import annotations

import asyncio
from typing import Any

import pytest

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.plan.nodes import CallKind
from argo_yaml_provider.pods.names import PodKey
from argo_yaml_provider.step.resource import run_resource
from tests.step.conftest import LocalHost

KEY = PodKey(dag_id="dag", run_id="run", task_id="main")
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm\n  labels: {app: x}\ndata: {a: '1'}\n"
NAME: dict[str, Any] = {"name": "name", "valueFrom": {"jsonPath": "{.metadata.name}"}}


async def act(
    host: LocalHost, *outputs: dict[str, Any], attempt: int = 0, deadline: float | None = None, **resource: Any
) -> Attempt:
    template: dict[str, Any] = {"name": "t", "resource": resource, "outputs": {"parameters": list(outputs)}}
    decision = Decision(kind=CallKind.RESOURCE, node="wf", template=template, attempt=attempt, deadline_seconds=deadline)
    return await run_resource(host, decision, KEY)


async def data(host: LocalHost, name: str = "cm") -> Any:
    found = await host.kube.config_map(host.facts.namespace, name)
    return found and found.get("data")


async def test_an_object_is_created_and_its_outputs_are_read(host: LocalHost) -> None:
    keys = {"name": "keys", "valueFrom": {"jqFilter": ".data | keys"}}
    fixed = {"name": "fixed", "value": "v"}
    done = await act(host, NAME, keys, fixed, action="create", manifest=CONFIG_MAP)
    assert (done.phase, done.message, done.exit_code) == (Phase.SUCCEEDED, "", "0")
    assert done.parameters == {"name": "cm", "keys": '["a"]', "fixed": "v"}


async def test_what_was_done_is_not_done_again_by_the_next_host(host: LocalHost) -> None:
    await act(host, action="create", manifest=CONFIG_MAP)
    again = await act(host, NAME, action="create", manifest=CONFIG_MAP)
    assert (again.phase, again.parameters) == (Phase.SUCCEEDED, {"name": "cm"})


async def test_what_the_server_refuses_fails_as_in_argo(host: LocalHost) -> None:
    await act(host, action="create", manifest=CONFIG_MAP)
    refused = await act(host, NAME, attempt=1, action="create", manifest=CONFIG_MAP)
    message = 'main: Error (exit code 64): no more retries Error from server (AlreadyExists): configmaps "cm" already exists'
    assert (refused.phase, refused.message, refused.exit_code) == (Phase.FAILED, message, "64")


async def test_apply_makes_and_changes(host: LocalHost) -> None:
    await act(host, action="apply", manifest=CONFIG_MAP)
    await act(host, attempt=1, action="apply", manifest=CONFIG_MAP.replace("a: '1'", "b: '2'"))
    assert await data(host) == {"b": "2"}


async def test_replace_leaves_nothing_of_what_was_there(host: LocalHost) -> None:
    await act(host, action="create", manifest=CONFIG_MAP)
    await act(host, attempt=1, action="replace", manifest=CONFIG_MAP.replace("a: '1'", "c: '3'"))
    assert await data(host) == {"c": "3"}


@pytest.mark.parametrize(
    ("strategy", "flags", "patch"),
    [
        pytest.param("", [], "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {b: '2'}", id="strategic"),
        pytest.param("merge", ["cm", "cm"], "data: {b: '2'}", id="merge"),
        pytest.param("json", ["configmap/cm"], "- {op: add, path: /data/b, value: '2'}", id="json"),
    ],
)
async def test_patches(host: LocalHost, strategy: str, flags: list[str], patch: str) -> None:
    await act(host, action="create", manifest=CONFIG_MAP)
    done = await act(host, attempt=1, action="patch", mergeStrategy=strategy, flags=flags, manifest=patch)
    assert (done.phase, await data(host)) == (Phase.SUCCEEDED, {"a": "1", "b": "2"})


async def test_delete_by_selector_and_of_what_is_not_there(host: LocalHost) -> None:
    await act(host, action="create", manifest=CONFIG_MAP)
    done = await act(host, attempt=1, action="delete", flags=["configmap", "--selector", "app=x"])
    assert (done.phase, await data(host)) == (Phase.SUCCEEDED, None)
    assert (await act(host, attempt=2, action="delete", manifest=CONFIG_MAP)).phase == Phase.SUCCEEDED


async def test_several_manifests_are_all_made(host: LocalHost) -> None:
    names = {"name": "names", "valueFrom": {"jsonPath": "{.items[*].metadata.name}"}}
    done = await act(host, names, action="create", manifest=f"{CONFIG_MAP}---\n{CONFIG_MAP.replace('name: cm', 'name: other')}")
    assert done.parameters == {"names": "cm other"}


async def test_conditions_are_awaited(host: LocalHost) -> None:
    waiting = asyncio.create_task(act(host, action="create", manifest=CONFIG_MAP, successCondition="data.a == 2"))
    while await data(host) is None:  # noqa: ASYNC110 - another task's doing
        await asyncio.sleep(0.05)
    path = f"/api/v1/namespaces/{host.facts.namespace}/configmaps/cm"
    await host.kube.call("PATCH", path, body={"data": {"a": "2"}})
    assert (await waiting).phase == Phase.SUCCEEDED


async def test_a_failure_condition_goes_first(host: LocalHost) -> None:
    conditions: dict[str, Any] = {"successCondition": "data.a == 1", "failureCondition": "data.a in (1, 2)"}
    done = await act(host, action="create", manifest=CONFIG_MAP, **conditions)
    message = "main: Error (exit code 64): failure condition 'data.a in (1,2)' evaluated true"
    assert (done.phase, done.message) == (Phase.FAILED, message)


async def test_a_deadline_ends_the_wait(host: LocalHost) -> None:
    done = await act(host, action="create", manifest=CONFIG_MAP, successCondition="data.a == 2", deadline=1)
    assert (done.phase, done.message) == (Phase.FAILED, "Pod was active on the node longer than the specified deadline")


async def test_an_owned_object_goes_with_the_run_s_stand_in(host: LocalHost) -> None:
    owner = {"name": "owner", "valueFrom": {"jsonPath": "{.metadata.ownerReferences[0].name}"}}
    done = await act(host, owner, action="create", setOwnerReference=True, manifest=CONFIG_MAP)
    assert done.parameters == {"owner": "wf-workflow"}
    assert await data(host, "wf-workflow") == {"dag_id": "dag", "run_id": host.run_id}


async def test_a_template_that_patches_its_own_pod_has_one(host: LocalHost) -> None:
    patch = "apiVersion: v1\nkind: Pod\nmetadata: {name: wf, annotations: {foo: bar}}"
    foo = {"name": "foo", "valueFrom": {"jsonPath": "{.metadata.annotations.foo}"}}
    done = await act(host, foo, action="patch", manifest=patch)
    assert (done.phase, done.pod, done.parameters) == (Phase.SUCCEEDED, "wf", {"foo": "bar"})


async def test_an_unknown_kind_is_said_as_kubectl_says_it(host: LocalHost) -> None:
    done = await act(host, action="create", manifest="apiVersion: nobody.io/v1\nkind: Thing\nmetadata: {name: x}")
    assert done.message == (
        'main: Error (exit code 64): resource mapping not found for name: "x" namespace: "" from "/tmp/manifest.yaml": '
        'no matches for kind "Thing" in version "nobody.io/v1"\nensure CRDs are installed first'
    )
