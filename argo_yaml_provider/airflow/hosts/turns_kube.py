"""A step's client of the cluster in the triggerer: shared by all steps there; it makes a pod only when it is the step's turn.

In: the shared client, a step.  Out: the client that the step uses.
Must not know: what the step does.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from argo_yaml_provider.airflow.connections import connection_extras, task_connection
from argo_yaml_provider.airflow.hosts.turns import Turn, Turns
from argo_yaml_provider.airflow.kubes import Kubes
from argo_yaml_provider.plan.nodes import Json

if TYPE_CHECKING:
    from argo_yaml_provider.airflow.hosts.triggerer import TriggererHost
    from argo_yaml_provider.step.kube import Kube


class Waited(Exception):
    """The step has its turn now, and is to be asked again: what is left of a deadline has become less."""


class Shared:
    """What all steps of a triggerer share: one connection pool and one watch for each cluster and namespace, and the turns."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.kubes = Kubes(connection_extras, task_connection)
        self.turns = Turns()
        self._imported = asyncio.ensure_future(asyncio.to_thread(_import_ahead))

    async def ready(self) -> None:
        """What a step needs is imported: in a thread, for it takes long enough to look like a triggerer that hangs."""
        await asyncio.shield(self._imported)


def _import_ahead() -> None:
    for name in _NEEDED:
        import_module(name)


_NEEDED = (
    "aiohttp",
    "argo_yaml_provider.flow.flow",
    "argo_yaml_provider.pods.build",
    "argo_yaml_provider.step.connection",
    "argo_yaml_provider.step.run",
)


_shared: list[Shared] = []


def shared() -> Shared:
    """That of the process, which has one event loop."""
    if not _shared or _shared[0].loop is not asyncio.get_running_loop():
        _shared[:] = [Shared()]
    return _shared[0]


class TurnsKube:
    """The shared client, but a pod waits for its turn."""

    def __init__(self, kube: Kube, host: TriggererHost) -> None:
        self._kube, self._host = kube, host
        self._turns = shared().turns
        self._turn: Turn | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kube, name)

    @property
    def as_kube(self) -> Kube:
        """What it stands for."""
        return cast("Kube", self)

    async def create_pod(self, manifest: Json) -> tuple[Json, bool]:
        """The pod, once there is room for it; one that is there already has had its turn."""
        if self._turn is None:
            self._turn = self._turns.ask(self._host.limits, priority=self._host.priority)
        if not self._turn.granted.is_set():
            metadata = manifest["metadata"]
            if await self._kube.get_pod(metadata["namespace"], metadata["name"]) is None:
                self._host.log("waits for its turn: as many steps as may run do")
                await self._turn.granted.wait()
                raise Waited
            self._turns.force(self._turn)
        return await self._kube.create_pod(manifest)

    def end_turn(self) -> None:
        """The next, please."""
        if self._turn is not None:
            self._turns.end(self._turn)
            self._turn = None
