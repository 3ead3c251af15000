"""Kubernetes clients of a process, one per cluster, shared by all its steps.

In: pod settings.  Out: a connected `Kube`; its connection is read from Airflow's connections once.
Must not know: pods.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from argo_yaml_provider.pods.settings import PodSettings
from argo_yaml_provider.step.kube import Kube

_Key = tuple[str | None, str | None, str | None, bool | None]


class Kubes:
    """The open clients; how a connection is read depends on the process."""

    def __init__(
        self,
        read_extras: Callable[[str | None], dict[str, Any]] | None = None,
        read_connection: Callable[[str], Any] | None = None,
    ) -> None:
        self._read_extras, self._read_connection = read_extras, read_connection
        self._open: dict[_Key, asyncio.Future[Kube]] = {}
        self._stack = AsyncExitStack()

    async def of(self, pods: PodSettings) -> Kube:
        """The client for these settings; a thousand steps that ask at once cause one connection."""
        key = pods.conn_id, pods.config_file, pods.cluster_context, pods.in_cluster
        if key not in self._open:
            self._open[key] = asyncio.ensure_future(self._connect(pods))
        try:
            return await asyncio.shield(self._open[key])
        except Exception:
            self._open.pop(key, None)
            raise

    async def _connect(self, pods: PodSettings) -> Kube:
        from argo_yaml_provider.airflow.connections import open_kube, stored_extras

        extras = await asyncio.to_thread(self._read_extras or stored_extras, pods.conn_id)
        return await self._stack.enter_async_context(open_kube(pods, extras, read=self._read_connection))

    async def close(self) -> None:
        """Close them all."""
        await self._stack.aclose()
