from __future__ import annotations

import asyncio
import dataclasses
from datetime import datetime
from typing import Any

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.pods.supervise import SUPERVISOR
from argo_yaml_provider.step.announced import Announcement, ended
from argo_yaml_provider.step.capture import unpack
from argo_yaml_provider.step.ending import put_away
from argo_yaml_provider.step.outcome import terminated
from argo_yaml_provider.step.pod import run_pod
from argo_yaml_provider.step.watch import PodFeed
from tests.step.conftest import LocalHost, container

Json = dict[str, Any]


def capturing(script: str) -> Decision:
    return dataclasses.replace(container("sh", "-c", script), include_result=True)


async def pod_when(host: LocalHost, state: str) -> Json:
    """The host's pod, once main is in that state."""
    async with asyncio.timeout(60):
        while True:
            for pod in await host.kube.list_pods(host.facts.namespace, {"run_id": host.run_id}):
                statuses = pod["status"].get("containerStatuses", [])
                if {"main"} == {one["name"] for one in statuses if state in one["state"]} - {SUPERVISOR}:
                    return pod
            await asyncio.sleep(0.05)


async def test_what_is_announced_is_what_the_status_says_later(host: LocalHost) -> None:
    step = asyncio.create_task(run_pod(host, capturing("echo one; sleep 2; echo two")))
    pod = await pod_when(host, "running")
    feed = PodFeed(pod)
    announcement = Announcement(host.kube, feed)
    announcement.update(await _both_running(host))
    await feed.next()
    heard = terminated((await feed.next()).pod, "main") or {}
    announcement.stop()
    await step
    told = terminated(await pod_when(host, "terminated"), "main") or {}
    assert unpack(heard.pop("message").encode()) == unpack(told.pop("message").encode()) == {"result": b"one\ntwo\n"}
    ends = [datetime.fromisoformat(one.pop("finishedAt")) for one in (heard, told)]
    assert abs((ends[0] - ends[1]).total_seconds()) <= 1
    assert heard == told


async def test_the_pod_of_an_announced_step_is_left_to_end_by_itself(host: LocalHost) -> None:
    host.settings = dataclasses.replace(host.settings, on_finish_action="keep_pod")
    decision = capturing("sleep 1")
    attempt = await run_pod(host, decision)
    put_away(host, decision, attempt)
    pod = await pod_when(host, "terminated")
    assert "activeDeadlineSeconds" not in pod["spec"]


async def _both_running(host: LocalHost) -> Json:
    async with asyncio.timeout(30):
        while True:
            pod = await pod_when(host, "running")
            if all("running" in one["state"] for one in pod["status"]["containerStatuses"]):
                return pod


async def test_a_failure_is_left_to_the_status(host: LocalHost) -> None:
    await run_pod(host, capturing("echo one; exit 3"))
    pod = await pod_when(host, "terminated")
    async with host.kube.read_log(pod, SUPERVISOR, follow=True) as lines:
        assert [line async for line in lines] == []


def test_only_main_ends_by_an_announcement_and_in_whole_seconds_of_utc() -> None:
    main = {"name": "main", "containerID": "c1", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
    side = {"name": "side", "containerID": "c2", "state": {"running": {}}}
    pod = {"metadata": {"name": "p"}, "status": {"phase": "Running", "containerStatuses": [main, side]}}
    told = ended(pod, "2026-01-01T02:00:09.123456789+02:00", "m")
    end = {
        "startedAt": "2026-01-01T00:00:00Z",
        "containerID": "c1",
        "exitCode": 0,
        "reason": "Completed",
        "message": "m",
        "finishedAt": "2026-01-01T00:00:09Z",
    }
    statuses = [{**main, "state": {"terminated": end}}, side]
    assert told == {"metadata": {"name": "p"}, "status": {"phase": "Running", "containerStatuses": statuses}}
