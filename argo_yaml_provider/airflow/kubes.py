"""Kubernetes clients of a process, one per cluster, shared by all its steps.

In: pod settings.  Out: a connected `Kube`; its connection is read from Airflow's connections once.
Must not know: pods.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from argo_yaml_provider.pods.settings import PodSettings
from argo_yaml_provider.step.kube import Kube

_Key = tuple[str | None, str | None, str | None, bool | None]


class Kubes:
    """The open clients."""

    def __init__(self) -> None:
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
        from argo_yaml_provider.airflow.connections import open_kube

        extras = await asyncio.to_thread(_extras, pods.conn_id)
        return await self._stack.enter_async_context(open_kube(pods, extras))

    async def close(self) -> None:
        """Close them all."""
        await self._stack.aclose()


def _extras(conn_id: str | None) -> dict[str, Any]:
    from airflow.models.connection import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    from argo_yaml_provider.airflow.connections import DEFAULT_CONNECTION
    from argo_yaml_provider.diagnostics import RunError

    if conn_id is None:
        return {}
    try:
        return dict(Connection.get_connection_from_secrets(conn_id).extra_dejson)
    except AirflowNotFoundException:
        if conn_id == DEFAULT_CONNECTION:
            return {}
        raise RunError(
            f"the Kubernetes connection {conn_id!r} does not exist",
            f"airflow connections add {conn_id} --conn-type kubernetes …, or set [argo_yaml] conn_id",
        ) from None
