from __future__ import annotations

import asyncio
from typing import Any

import pytest

from argo_yaml_provider.flow.outcome import Outcome, Phase
from argo_yaml_provider.pods.names import DAEMON_LABEL
from argo_yaml_provider.step import keeper
from argo_yaml_provider.step.pod import run_pod
from argo_yaml_provider.step.run import run_task
from tests.step.conftest import LocalHost, container, settled
from tests.step.test_run import pods_of, run_all, workflow

SERVES: dict[str, Any] = {"daemon": True}
DELETED = [("Error", "pod deleted"), *(("Failed", f"main: Error (exit code {code})") for code in (137, 143))]
"""How a deleted pod's end is told: a real cluster shows its absence first, or its container, killed or gone when asked to."""


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


async def test_a_daemon_that_dies_after_it_was_ready_is_told_of(host: LocalHost) -> None:
    plan = workflow("""
  - name: main
    dag:
      tasks:
      - {name: stays, template: server}
      - {name: dies, template: server}
      - {name: client, depends: stays && dies, template: client}
      - {name: after, depends: client && dies, template: client}
  - name: server
    daemon: true
    container: {image: busybox, command: [sleep, "600"]}
  - name: client
    container: {image: busybox, command: [sleep, "2"]}
""")
    said: dict[str, Outcome] = {}
    host.plan = plan
    for task in plan.tasks:
        if task.label == "client":
            await kill(host, said["dies"])
        host.task_id, host.ended = task.id, ()
        said[task.label] = host.outcomes[task.id, -1] = (await run_task(host)).outcome
    phases = {name: outcome.phase for name, outcome in said.items()}
    stays, dies = (host.kept[f"daemon/{said[name].attempts[0].pod}"] for name in ("stays", "dies"))
    assert (stays, (dies["phase"], dies["message"]) in DELETED) == ({}, True), dies
    assert (phases["client"], phases["after"], phases["verdict"].value) == (Phase.SUCCEEDED, Phase.OMITTED, dies["phase"])


async def kill(host: LocalHost, daemon: Outcome) -> None:
    pod = daemon.attempts[0].pod
    await host.kube.delete_pod(host.facts.namespace, pod)
    await settled_gone(host, pod)


@pytest.mark.parametrize(("kind", "attempts"), [("dag", [Phase.ERROR, Phase.SUCCEEDED]), ("steps", [Phase.SUCCEEDED])])
async def test_a_daemon_that_dies_is_tried_again_in_a_dag_and_ended_with_its_run(
    host: LocalHost, monkeypatch: pytest.MonkeyPatch, kind: str, attempts: list[Phase]
) -> None:
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.05)
    calls = {"dag": "{tasks: [{name: d, template: server}]}", "steps": "[[{name: d, template: server}]]"}
    host.plan = workflow(f"""
  - name: main
    {kind}: {calls[kind]}
  - name: server
    daemon: true
    retryStrategy: {{limit: "2", retryPolicy: Always}}
    container: {{image: busybox, command: [sleep, "600"]}}
""")
    host.task_id = host.plan.tasks[0].id
    key = host.task_id, -1
    host.outcomes[key] = (await run_task(host)).outcome
    (staying,) = host.staying
    await kill(host, host.outcomes[key])
    if kind == "dag":
        await settled(lambda: len(host.outcomes[key].attempts) == 2)
        host.over = True
    async with asyncio.timeout(60):
        await staying
    found = [attempt.phase for attempt in host.outcomes[key].attempts]
    told = {Phase(phase) for phase, _ in DELETED}
    assert [Phase.ERROR if phase in told else phase for phase in found] == attempts
    await settled_gone(host, host.outcomes[key].attempts[-1].pod)


async def settled_gone(host: LocalHost, pod: str) -> None:
    async with asyncio.timeout(60):
        while await host.kube.get(f"/api/v1/namespaces/{host.facts.namespace}/pods/{pod}"):  # noqa: ASYNC110 - its kubelet ends it
            await asyncio.sleep(0.05)
