from __future__ import annotations

import asyncio
from dataclasses import replace

from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.step.pod import run_pod
from tests.step.conftest import LocalHost, container


async def test_a_pod_that_ends_well_succeeds_and_its_log_is_written(host: LocalHost) -> None:
    attempt = await run_pod(host, container("sh", "-c", "echo one; echo two >&2; echo three"))
    assert (attempt.phase, attempt.message, attempt.exit_code) == (Phase.SUCCEEDED, "", "0")
    assert sorted(host.logged()) == ["one", "three", "two"]


async def test_a_pod_that_exits_with_a_code_fails_with_it(host: LocalHost) -> None:
    attempt = await run_pod(host, container("sh", "-c", "exit 42"))
    assert (attempt.phase, attempt.message, attempt.exit_code) == (Phase.FAILED, "main: Error (exit code 42)", "42")


async def test_a_pod_that_is_pending_for_longer_than_it_may_fails_and_goes(host: LocalHost) -> None:
    never = container("true", nodeSelector={"no": "such-node"}, pendingTimeout="1s")
    host.settings = replace(host.settings, on_finish_action="keep_pod")
    attempt = await run_pod(host, never)
    assert (attempt.phase, attempt.message) == (Phase.FAILED, "Step exceeded its deadline")
    path = f"/api/v1/namespaces/{host.facts.namespace}/pods/{attempt.pod}"
    async with asyncio.timeout(30):
        while await host.kube.get(path) is not None:  # noqa: ASYNC110 - a server deletes it
            await asyncio.sleep(0.05)
