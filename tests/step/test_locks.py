from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.step import locks
from argo_yaml_provider.step.locks import HOLD_SECONDS, Lock, State, holding, release, step_locks, workflow_locks
from argo_yaml_provider.step.source import Loaded
from tests.step.conftest import LocalHost, settled
from tests.step.test_run import run_all, workflow


def lock(holder: str, priority: int = 0, created_at: str = "2026") -> Lock:
    return Lock(namespace="n", key="Mutex/m", holder=holder, priority=priority, created_at=created_at)


def test_the_highest_priority_is_first_and_then_the_oldest_workflow() -> None:
    state = State().asked(lock("a"), 1, 0)
    waiting = (lock("new", created_at="2027"), lock("old", created_at="2025"), lock("high", priority=1, created_at="2028"))
    for one in waiting:
        state = state.asked(one, 1, 1)
        assert list(state.holders) == ["a"]
    state = state.left(lock("a"))
    for one in waiting:
        state = state.asked(one, 1, 2)
    assert list(state.holders) == ["high"]
    assert sorted(state.waiters) == ["new", "old"]


def test_a_semaphore_has_as_many_holders_as_its_limit() -> None:
    state = State()
    for name in "abc":
        state = state.asked(lock(name), 2, 0)
    assert (list(state.holders), list(state.waiters)) == (["a", "b"], ["c"])


def test_a_holder_that_is_silent_for_long_is_passed_over() -> None:
    state = State().asked(lock("dead"), 1, 0)
    assert list(state.asked(lock("next"), 1, HOLD_SECONDS - 1).holders) == ["dead"]
    assert list(state.asked(lock("next"), 1, HOLD_SECONDS + 1).holders) == ["next"]


def test_a_holder_that_says_when_it_comes_back_is_waited_for() -> None:
    state = State().asked(lock("away"), 1, 0).kept(lock("away"), 5000)
    assert list(state.asked(lock("next"), 1, 4999).holders) == ["away"]
    assert list(state.asked(lock("next"), 1, 5001).holders) == ["next"]
    assert State().kept(lock("nobody"), 5000) == State()


def decision(**synchronization: Any) -> Decision:
    return Decision(node="wf", template={"name": "t", "synchronization": synchronization})


async def hold(host: LocalHost, wanted: Decision, seen: list[str]) -> None:
    locks = step_locks(host, wanted)
    async with holding(host, locks):
        seen.append("in")
        await asyncio.sleep(0.1)
        seen.append("out")
    await release(host, locks)


async def test_one_after_the_other_holds_a_mutex(host: LocalHost) -> None:
    seen: list[str] = []
    wanted = decision(mutexes=[{"name": "m"}, {"name": "another"}])
    await asyncio.gather(*(hold(replace(host, task_id=f"t{number}"), wanted, seen) for number in range(3)))
    assert seen == ["in", "out"] * 3


async def test_a_holder_that_lives_keeps_its_lock_however_long(host: LocalHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.05)
    (wanted,) = step_locks(host, decision(mutexes=[{"name": "m"}]))

    async def until() -> float:
        found = await host.kube.config_map(wanted.namespace, wanted.name)
        assert found
        held: float = json.loads(found["data"]["state"])["holders"][wanted.holder]
        return held

    async with holding(host, (wanted,)), asyncio.timeout(30):
        first = await until()
        while await until() <= first:  # noqa: ASYNC110 - the lock is in a server
            await asyncio.sleep(0.05)


async def test_a_lock_is_held_while_its_step_is_away_and_let_go_with_the_run(
    host: LocalHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.05)
    mine = step_locks(host, decision(mutexes=[{"name": "m"}]))
    async with holding(host, mine):
        pass
    away = asyncio.create_task(locks.hold_while_away(host, mine))
    seen: list[str] = []
    other = asyncio.create_task(hold(replace(host, task_id="other"), decision(mutexes=[{"name": "m"}]), seen))
    await settled(lambda: any("waits for the lock" in line for _, line in host.lines))
    assert seen == []
    host.over = True
    async with asyncio.timeout(60):
        await asyncio.gather(away, other)
    assert seen == ["in", "out"]


async def test_locks_in_a_database_are_locks_of_their_own(host: LocalHost) -> None:
    names = {"mutexes": [{"name": "m"}, {"name": "m", "database": True}], "semaphores": [{"database": {"key": "m"}}]}
    wanted = decision(**names)
    found = [lock.key for lock in step_locks(host, wanted)]
    assert found == ["Database/m", "DatabaseMutex/m", "Mutex/m"]
    with pytest.raises(RunError) as missing:
        await hold(host, wanted, [])
    name = f"{host.facts.namespace}/m"
    assert missing.value.message == f"the semaphore {name} has no limit"
    assert missing.value.help == f'set [argo_yaml] semaphores = {{"{name}": 2}} in airflow.cfg'
    host.settings = replace(host.settings, semaphores={name: 1})
    seen: list[str] = []
    await asyncio.gather(*(hold(replace(host, task_id=f"t{number}"), wanted, seen) for number in range(2)))
    assert seen == ["in", "out"] * 2


async def test_a_semaphores_limit_is_read_from_its_config_map(host: LocalHost) -> None:
    wanted = decision(semaphores=[{"configMapKeyRef": {"name": "limits", "key": "two"}}])
    with pytest.raises(RunError, match="has no limit"):
        await hold(host, wanted, [])
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "limits"}, "data": {"two": "2"}}
    await host.kube.call("POST", f"/api/v1/namespaces/{host.facts.namespace}/configmaps", body=body)
    both = asyncio.Barrier(2)

    async def meet(task_id: str) -> None:
        async with holding(replace(host, task_id=task_id), step_locks(host, wanted)), asyncio.timeout(30):
            await both.wait()

    await asyncio.gather(meet("t0"), meet("t1"))


PLAN = """
  - name: main
    steps:
    - [{name: a, template: locked}]
    - [{name: b, template: locked}]
  - name: locked
    synchronization: {mutexes: [{name: "own-{{workflow.uid}}"}]}
    retryStrategy: {limit: 1}
    container: {image: busybox, command: [sh, -c, "exit {{retries}}"]}
"""


async def test_all_locks_are_given_back_at_the_end(host: LocalHost) -> None:
    plan = workflow(PLAN, spec='synchronization: {mutexes: [{name: "whole"}]}\n')
    assert (await run_all(host, plan)).phase is Phase.SUCCEEDED
    other = replace(host, facts=replace(host.facts, uid="other"))
    async with asyncio.timeout(5), holding(other, workflow_locks(other, {"synchronization": {"mutexes": [{"name": "whole"}]}})):
        pass
    async with asyncio.timeout(5), holding(other, step_locks(other, decision(mutexes=[{"name": "own-u"}]))):
        pass


async def test_a_run_keeps_whether_a_semaphore_has_a_limit(host: LocalHost) -> None:
    namespace = host.facts.namespace

    async def has(key: str, since: str) -> bool:
        known = Loaded(host)
        return await known.complete(lambda: known.has_limit(namespace, f"ConfigMap/limits/{key}", since))

    assert not await has("two", "")
    body = {"metadata": {"name": "limits"}, "data": {"two": "2", "none": "0", "many": "many"}}
    await host.kube.call("POST", f"/api/v1/namespaces/{namespace}/configmaps", body=body)
    assert not await has("two", "")
    found = {key: await has(key, "its retry") for key in ("two", "none", "many", "other")}
    assert found == {"two": True, "none": False, "many": False, "other": False}
