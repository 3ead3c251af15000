from __future__ import annotations

import asyncio
from typing import Any

from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.pods.names import DAEMON_LABEL
from argo_yaml_provider.step.pod import run_pod
from tests.step.conftest import LocalHost, container
from tests.step.test_run import pods_of, run_all, workflow

SERVES: dict[str, Any] = {"daemon": True}


async def test_a_daemon_is_over_once_it_serves_and_its_pod_goes_on(host: LocalHost) -> None:
    attempt = await run_pod(host, container("sleep", "60", **SERVES))
    assert (attempt.phase, attempt.daemoned, attempt.exit_code) == (Phase.SUCCEEDED, True, None)
    (pod,) = await pods_of(host)
    assert (pod["status"]["phase"], pod["status"]["podIP"]) == ("Running", attempt.pod_ip)
    assert pod["metadata"]["labels"][DAEMON_LABEL] == "true"


async def test_a_daemon_that_ends_before_it_serves_has_failed(host: LocalHost) -> None:
    decision = container("true", **SERVES)
    decision.template["container"]["readinessProbe"] = {"exec": {"command": ["false"]}}
    attempt = await run_pod(host, decision)
    assert (attempt.phase, attempt.daemoned) == (Phase.FAILED, False)


async def test_a_daemon_is_ended_with_its_run(host: LocalHost) -> None:
    plan = workflow("""
  - name: main
    steps:
    - [{name: server, template: server}]
    - [{name: client, template: client, arguments: {parameters: [{name: ip, value: "{{steps.server.ip}}"}]}}]
  - name: server
    daemon: true
    container: {image: busybox, command: [sleep, "60"]}
  - name: client
    inputs: {parameters: [{name: ip}]}
    container: {image: busybox, command: [test, -n, "{{inputs.parameters.ip}}"]}
""")
    verdict = await run_all(host, plan)
    assert verdict.phase is Phase.SUCCEEDED
    async with asyncio.timeout(20):
        while any("deletionTimestamp" not in pod["metadata"] for pod in await pods_of(host)):  # noqa: ASYNC110 - the API server ends them
            await asyncio.sleep(0.05)
