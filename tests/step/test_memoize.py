from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.flow.results import Outputs
from argo_yaml_provider.step.memoize import find_cached, save_cached
from tests.step.conftest import LocalHost

LABELS = {"workflows.argoproj.io/configmap-type": "Cache"}
HELLO = {"name": "hello", "valueFrom": {"path": "/tmp/hello"}}
GIVEN = Outputs(parameters={"hello": "world"}, artifacts={"a": {"name": "a", "s3": {"key": "k"}}}, result="r", exit_code="0")
FOUND = Outcome(
    phase=Phase.SUCCEEDED,
    values={
        "root": {
            "parameters": {"hello": "world"},
            "artifacts": {"a": {"name": "a", "s3": {"key": "k"}}},
            "result": "r",
            "exitCode": "0",
        }
    },
)


def memoized(key: str = "k", **fields: Any) -> Decision:
    memoize = {"key": key, "cache": {"configMap": {"name": "cache"}}, **fields}
    return Decision(node="wf", template={"name": "t", "outputs": {"parameters": [HELLO]}, "memoize": memoize})


def broken(message: str) -> Outcome:
    return Outcome(phase=Phase.ERROR, message=message, values={"before": True, "raised": True})


async def make_cache(host: LocalHost, data: dict[str, str], labels: dict[str, str] | None = None) -> None:
    metadata = {"name": "cache", "labels": LABELS if labels is None else labels}
    path = f"/api/v1/namespaces/{host.facts.namespace}/configmaps"
    await host.kube.call("POST", path, body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


async def entry_of(host: LocalHost, key: str = "k") -> dict[str, Any]:
    found = await host.kube.config_map(host.facts.namespace, "cache")
    assert found is not None
    assert found["metadata"]["labels"] == LABELS
    return dict(json.loads(found["data"][key]))


async def test_what_is_kept_is_found_again(host: LocalHost) -> None:
    assert await find_cached(host, memoized()) is None
    assert await save_cached(host, memoized(), GIVEN) == ""
    entry = await entry_of(host)
    assert entry.pop("creationTimestamp") == entry.pop("lastHitTimestamp")
    assert entry == {
        "nodeID": "wf",
        "outputs": {
            "parameters": [{**HELLO, "value": "world"}],
            "artifacts": [{"name": "a", "s3": {"key": "k"}}],
            "result": "r",
            "exitCode": "0",
        },
    }
    assert await find_cached(host, memoized(maxAge="1h")) == FOUND
    assert await find_cached(host, memoized("other")) is None


async def test_an_entry_of_argos_is_read_and_marked_as_hit(host: LocalHost) -> None:
    written = (
        '{"nodeID":"memoized-hdckj","outputs":{"parameters":[{"name":"hello","value":"different world",'
        '"valueFrom":{"path":"/tmp/hello_world.txt"}}],"exitCode":"0"},'
        '"creationTimestamp":"2021-10-12T15:14:04Z","lastHitTimestamp":"2021-10-12T15:14:04Z"}'
    )
    await make_cache(host, {"k": written})
    root = {"parameters": {"hello": "different world"}, "artifacts": {}, "result": None, "exitCode": "0"}
    assert await find_cached(host, memoized()) == Outcome(phase=Phase.SUCCEEDED, values={"root": root})
    assert (await entry_of(host))["lastHitTimestamp"] > "2026"
    assert await find_cached(host, memoized(maxAge="10s")) is None


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        (memoized("a_b"), "invalid cache key: a_b"),
        (memoized(maxAge="10"), 'invalid maxAge: time: missing unit in duration "10"'),
        (memoized("broken"), "malformed cache entry: could not unmarshal JSON; unable to parse: "),
    ],
)
async def test_a_cache_that_cannot_be_used_is_an_error_before_the_step(
    host: LocalHost, decision: Decision, message: str
) -> None:
    await make_cache(host, {"k": '{"nodeID": "n", "outputs": null}', "broken": "{"})
    found = await find_cached(host, decision)
    assert found is not None
    assert replace(found, message=found.message[: len(message)]) == broken(message)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({}, "doesn't have workflows.argoproj.io/configmap-type label"),
        (
            {"workflows.argoproj.io/configmap-type": "Parameter"},
            "doesn't have label workflows.argoproj.io/configmap-type = Cache",
        ),
    ],
)
async def test_a_config_map_that_is_no_cache_is_refused(host: LocalHost, labels: dict[str, str], message: str) -> None:
    message = f"memoization configmap {message}, refusing to use it"
    await make_cache(host, {}, labels)
    assert await find_cached(host, memoized()) == broken(message)
    assert await save_cached(host, memoized(), GIVEN) == message


async def test_many_writers_lose_nothing(host: LocalHost) -> None:
    await asyncio.gather(*(save_cached(host, memoized(f"k{number}"), GIVEN) for number in range(8)))
    found = await host.kube.config_map(host.facts.namespace, "cache")
    assert found is not None
    assert sorted(found["data"]) == [f"k{number}" for number in range(8)]
