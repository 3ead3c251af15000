"""What the flow has been told so far; what it misses is fetched through the host.

Must not know: Airflow, the flow's rules.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypeVar, cast

from argo_yaml_provider.flow.facts import Missing, claims_key, limit_key
from argo_yaml_provider.flow.outcome import Outcome
from argo_yaml_provider.step.belongings import make_claims
from argo_yaml_provider.step.daemons import outcome_now
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.locks import has_limit

Json = dict[str, Any]
T = TypeVar("T")
_MANY = 100
"""Outcomes that an answer may look at, or that are fetched, while the event loop waits."""
_GLANCE = 1.0
"""Seconds between looks at a task that a hook watches."""


class Loaded:
    """A flow `Source` that holds what was fetched and raises `Missing` for the rest."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._values: dict[tuple[object, ...], Any] = {}

    async def complete(self, question: Callable[[], T], *, apart: bool = False) -> T:
        """The answer, asked until nothing is missing; one that takes long, `apart` or of many outcomes, in a thread."""
        while True:
            try:
                return await asyncio.to_thread(question) if apart or len(self._values) > _MANY else question()
            except Missing as missing:
                await self._fetch(missing)

    def outcome(self, task_id: str, map_index: int) -> Outcome | None:
        value: Outcome | None = self._value("outcome", task_id, map_index)
        return value

    def config_map(self, name: str, key: str) -> str | None:
        value: str | None = self._value("config_map", name, key)
        return value

    def has_limit(self, namespace: str, semaphore: str, since: str) -> bool:
        return bool(self._value("has_limit", namespace, semaphore, since))

    def claims_refused(self, claims: str, since: str, /) -> str:
        return str(self._value("claims_refused", claims, since))

    def child_nodes(self, dag_id: str, run_id: str) -> list[Json]:
        return list(self._value("child_nodes", dag_id, run_id))

    def _value(self, kind: str, *key: object) -> Any:
        try:
            return self._values[(kind, *key)]
        except KeyError:
            raise Missing(kind, *key) from None

    async def _fetch(self, missing: Missing) -> None:
        wanted = (missing, *missing.also)
        for begin in range(0, len(wanted), _MANY):
            await asyncio.gather(*map(self._fetch_one, wanted[begin : begin + _MANY]))

    async def _fetch_one(self, missing: Missing) -> None:
        if missing.kind == "outcome":
            task_id, map_index = cast("tuple[str, int]", missing.key)
            found = await self._host.outcome(task_id, map_index)
            self._values["outcome", task_id, map_index] = found and await outcome_now(self._host, found)
        elif missing.kind == "config_map":
            name, key = missing.key
            self._values["config_map", name, key] = await self._host.once(
                f"config_map/{name}/{key}", lambda: self._read(name, key)
            )
        elif missing.kind == "has_limit":
            namespace, semaphore, since = map(str, missing.key)
            self._values[("has_limit", *missing.key)] = await self._host.once(
                limit_key(namespace, semaphore, since), lambda: has_limit(self._host, namespace, semaphore)
            )
        elif missing.kind == "claims_refused":
            claims, since = map(str, missing.key)
            self._values["claims_refused", claims, since] = await self._host.once(
                claims_key(since), lambda: make_claims(self._host, json.loads(claims))
            )
        elif missing.kind == "change":
            # A hook watches a task that goes on: what was not there may be there after a while.
            await asyncio.sleep(_GLANCE)
            self._values = {key: value for key, value in self._values.items() if value is not None}
        else:
            self._values[(missing.kind, *missing.key)] = await self._host.child_nodes(*map(str, missing.key))

    async def _read(self, name: Any, key: Any) -> str | None:
        found = await self._host.kube.config_map(self._host.facts.namespace, name)
        value: str | None = (found or {}).get("data", {}).get(key)
        return value
