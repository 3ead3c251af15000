"""Mutexes and semaphores: one ConfigMap for each lock says who holds it and who waits; every write is compare-and-swap.

In: a host, a decision whose template or workflow has `synchronization`.  Out: a context in which all its locks are held.
A holder writes now and then that it is alive; who has been silent for long is passed over, so no dead host blocks a lock.
Must not know: Airflow, pods. Argo: workflow/sync.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.semaphores import semaphores_of
from argo_yaml_provider.plan.nodes import Plan
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.kube import ApiError

Json = dict[str, Any]

LOCK_LABEL = "argo-yaml/lock"
HOLD_SECONDS = 900.0
"""How long a silent holder keeps its lock: longer than a scheduler takes to find that a host died."""
WAIT_SECONDS = 60.0
"""How long one that waits keeps its place in the queue without a word."""
LOOK_SECONDS = 1.0
RENEW_SECONDS = 60.0


class NoLimit(RunError):
    """A semaphore without a limit, or with one that is no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One lock that a step needs."""

    namespace: str
    key: str
    """`Mutex/NAME`, `ConfigMap/NAME/KEY`; `DatabaseMutex/NAME`, `Database/KEY` of those that Argo keeps in a database."""
    holder: str
    priority: int = 0
    created_at: str = ""

    @property
    def name(self) -> str:
        """Of the ConfigMap that keeps it."""
        return f"argo-yaml-lock-{hashlib.sha256(self.key.encode()).hexdigest()[:16]}"

    @property
    def path(self) -> str:
        """Where its ConfigMaps are."""
        return f"/api/v1/namespaces/{self.namespace}/configmaps"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Who holds a lock and who waits for it, each with the time until which it counts."""

    holders: dict[str, float] = field(default_factory=dict)
    waiters: dict[str, tuple[int, str, float]] = field(default_factory=dict)
    """By holder: priority, the workflow's creation, until when."""

    def asked(self, lock: Lock, limit: int, now: float) -> State:
        """After the lock was asked for: held, or waited for. The highest priority is first, then the oldest workflow."""
        holders = {name: until for name, until in self.holders.items() if until > now}
        waiters = {name: place for name, place in self.waiters.items() if place[2] > now}
        if lock.holder in holders:
            holders[lock.holder] = now + HOLD_SECONDS
            return State(holders=holders, waiters=waiters)
        waiters[lock.holder] = (lock.priority, lock.created_at, now + WAIT_SECONDS)
        order = sorted(waiters, key=lambda name: (-waiters[name][0], waiters[name][1]))
        if lock.holder in order[: max(0, limit - len(holders))]:
            del waiters[lock.holder]
            holders[lock.holder] = now + HOLD_SECONDS
        return State(holders=holders, waiters=waiters)

    def kept(self, lock: Lock, until: float) -> State:
        """After the holder said when it will be back."""
        held = {lock.holder: max(until, self.holders[lock.holder])} if lock.holder in self.holders else {}
        return State(holders={**self.holders, **held}, waiters=self.waiters)

    def left(self, lock: Lock) -> State:
        """After the lock was given back, or no longer waited for."""
        return State(
            holders={name: until for name, until in self.holders.items() if name != lock.holder},
            waiters={name: place for name, place in self.waiters.items() if name != lock.holder},
        )


def is_synchronized(plan: Plan) -> bool:
    """Whether anything in it needs a lock."""
    spec = plan.workflow.get("spec") or {}
    return any(one.get("synchronization") for one in (spec, *plan.templates.values()))


def step_locks(host: Host, decision: Decision) -> tuple[Lock, ...]:
    """Those of the called template; in one order everywhere, so that no two steps wait for each other."""
    holder = f"{host.dag_id}/{host.run_id}/{host.task_id}/{host.map_index}"
    return _locks(host, decision.template.get("synchronization") or {}, holder, decision.workflow)


def workflow_locks(host: Host, spec: Json) -> tuple[Lock, ...]:
    """Those of the workflow, which a child run shares with the run that called it."""
    return _locks(host, spec.get("synchronization") or {}, host.facts.globals.get("workflow.uid") or host.facts.uid, spec)


def _locks(host: Host, written: Json, holder: str, spec: Json) -> tuple[Lock, ...]:
    refs = [(_mutex(one), one.get("namespace")) for one in written.get("mutexes") or ()]
    found = {(namespace or host.facts.namespace, key) for key, namespace in refs}
    found |= set(semaphores_of(written, host.facts.namespace))
    return tuple(
        Lock(
            namespace=namespace,
            key=key,
            holder=holder,
            priority=int(spec.get("priority") or 0),
            created_at=host.facts.globals.get("workflow.creationTimestamp.RFC3339") or host.facts.created_at,
        )
        for namespace, key in sorted(found)
    )


def _mutex(written: Json) -> str:
    return f"{'DatabaseMutex' if written.get('database') else 'Mutex'}/{written.get('name')}"


@asynccontextmanager
async def holding(host: Host, locks: tuple[Lock, ...]) -> AsyncIterator[None]:
    """Waits for all locks, then keeps them alive; giving them back is `release`'s, for a retried step keeps them."""
    for lock in locks:
        await _acquire(host, lock)
    alive = asyncio.create_task(_renew(host, locks)) if locks else None
    try:
        yield
    finally:
        if alive is not None:
            alive.cancel()


async def keep(host: Host, locks: tuple[Lock, ...], seconds: float) -> bool:
    """Holds them while nobody renews them, for so many seconds and some more; whether any is held."""
    held = False
    for lock in locks:
        until = time.time() + seconds + HOLD_SECONDS
        state = await _change(host, lock, lambda state, lock=lock, until=until: state.kept(lock, until))  # type: ignore[misc]
        held = held or lock.holder in state.holders
    return held


async def hold_while_away(host: Host, locks: tuple[Lock, ...]) -> None:
    """While their step waits for a person, and no life of it renews them: until they are given back, or the run is over."""
    while await keep(host, locks, 0):
        await asyncio.sleep(RENEW_SECONDS)
        if await host.is_over():
            await release(host, locks)


async def release(host: Host, locks: tuple[Lock, ...]) -> None:
    """Gives all back, held or waited for."""
    for lock in locks:
        try:
            await _change(host, lock, lambda state, lock=lock: state.left(lock))  # type: ignore[misc]
        except RunError as error:
            host.log(f"the lock {lock.key} could not be given back, and ends in {HOLD_SECONDS:g} s: {error.message}")


async def _acquire(host: Host, lock: Lock) -> None:
    waited = False
    while True:
        limit = await _limit(host, lock)
        state = await _change(host, lock, lambda state, limit=limit: state.asked(lock, limit, time.time()))  # type: ignore[misc]
        if lock.holder in state.holders:
            host.log(f"holds the lock {lock.namespace}/{lock.key}")
            return
        if not waited:
            host.log(f"waits for the lock {lock.namespace}/{lock.key}, held by {', '.join(state.holders) or 'none'}")
        waited = True
        await asyncio.sleep(LOOK_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - only spreads the load


async def _renew(host: Host, locks: tuple[Lock, ...]) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        for lock in locks:
            try:
                await _acquire(host, lock)
            except RunError as error:
                host.log(f"the lock {lock.key} could not be renewed: {error.message}")


async def has_limit(host: Host, namespace: str, semaphore: str) -> bool:
    """Whether anybody can ever hold it: 0 is none, for Argo too."""
    try:
        return await _limit(host, Lock(namespace=namespace, key=semaphore, holder="")) != 0
    except NoLimit:
        return False


async def _limit(host: Host, lock: Lock) -> int:
    """A semaphore's may change while others hold it."""
    kind, name, *keys = lock.key.split("/")
    if kind in ("Mutex", "DatabaseMutex"):
        return 1
    if kind == "Database":
        return _database_limit(host, lock, "/".join((name, *keys)))
    found = await host.kube.config_map(lock.namespace, name)
    value = ((found or {}).get("data") or {}).get(keys[0])
    if value is None:
        raise NoLimit(f"the semaphore {lock.namespace}/{lock.key} has no limit", help=f"set {keys[0]} in the ConfigMap {name}")
    try:
        return int(value)
    except ValueError:
        raise NoLimit(f"the limit of the semaphore {lock.namespace}/{lock.key} is no number: {value}") from None


def _database_limit(host: Host, lock: Lock, key: str) -> int:
    """Argo has a row of the table sync_limit; here it is the deployment's configuration."""
    limits, name = host.settings.semaphores or {}, f"{lock.namespace}/{key}"
    if name not in limits:
        help_text = f'set [argo_yaml] semaphores = {{"{name}": 2}} in airflow.cfg'
        raise NoLimit(f"the semaphore {name} has no limit", help=help_text)
    return limits[name]


async def _change(host: Host, lock: Lock, change: Callable[[State], State]) -> State:
    """The state after the change; tried again as long as others write first."""
    while True:
        found = await host.kube.config_map(lock.namespace, lock.name)
        before = _read(found)
        after = change(before)
        if _same(before, after):
            return after
        data = {"lock": lock.key, "state": json.dumps({"holders": after.holders, "waiters": after.waiters})}
        try:
            if found is not None:
                await host.kube.call("PUT", f"{lock.path}/{lock.name}", body={**found, "data": data})
            else:
                metadata = {"name": lock.name, "labels": {LOCK_LABEL: "true"}}
                body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
                await host.kube.call("POST", lock.path, body=body)
        except ApiError as error:
            if error.status != 409:
                raise
            await asyncio.sleep(random.uniform(0.01, 0.2))  # noqa: S311 - only spreads the load
        else:
            return after


def _read(found: Json | None) -> State:
    if found is None:
        return State()
    state = json.loads(found["data"]["state"])
    return State(holders=state["holders"], waiters={name: (p, c, u) for name, (p, c, u) in state["waiters"].items()})


def _same(before: State, after: State) -> bool:
    """Whether nothing but a time that is far off changed."""
    if set(before.holders) != set(after.holders) or set(before.waiters) != set(after.waiters):
        return False
    held = all(until - before.holders[name] < RENEW_SECONDS / 2 for name, until in after.holders.items())
    return held and all(place[2] - before.waiters[name][2] < WAIT_SECONDS / 3 for name, place in after.waiters.items())
