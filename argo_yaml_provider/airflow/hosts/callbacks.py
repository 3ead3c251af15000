"""KubernetesPodOperator's own callbacks, for steps in a worker.

In: the operator, its context, the client that steps use.  Out: the same client, which calls the callbacks as pods come and go.
Must not know: what a callback does. It may change the manifest; the pod's name stays, or the pod would not be found again.
"""

from __future__ import annotations

import asyncio
from typing import Any

from argo_yaml_provider.airflow.connections import from_model, to_model
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.step.kube import Kube


class CallingKube(Kube):
    """A client of one step whose operator has callbacks."""

    def __init__(self, inner: Kube, operator: Any, context: Any) -> None:
        super().__init__(inner.connection, shared=False)
        self._inner, self._operator, self._context = inner, operator, context
        self._pod: Json = {}

    async def create_pod(self, manifest: Json) -> tuple[Json, bool]:
        """The pod, from what the callbacks left of the manifest."""
        request = to_model(manifest)
        await self._call("on_pod_manifest_created", pod_request=request)
        changed = from_model(request, name=manifest["metadata"]["name"])
        self._pod, new = await self._inner.create_pod(changed)
        await self._call("on_pod_creation", pod=to_model(self._pod))
        return self._pod, new

    async def delete_pod(self, namespace: str, name: str, *, uid: str | None = None) -> None:
        """Between two callbacks."""
        await self._call("on_pod_teardown", pod=to_model(self._pod))
        await self._inner.delete_pod(namespace, name, uid=uid)
        await self._call("on_pod_cleanup", pod=to_model(self._pod))

    async def completed(self) -> None:
        """The step has ended; its pod, if it had one, is as it was last seen."""
        if self._pod:
            metadata = self._pod["metadata"]
            self._pod = await self._inner.get_pod(metadata["namespace"], metadata["name"]) or self._pod
            await self._call("on_pod_completion", pod=to_model(self._pod))

    def progress(self, line: str, container: str) -> None:
        """One line of a container's log."""
        for callback in self._operator.callbacks:
            callback.progress_callback(
                line=line,
                client=self._operator.client,
                mode="sync",
                container_name=container,
                timestamp=None,
                pod=to_model(self._pod),
            )

    async def _call(self, name: str, **what: Any) -> None:
        client = await asyncio.to_thread(lambda: self._operator.client)
        for callback in self._operator.callbacks:
            getattr(callback, name)(client=client, mode="sync", operator=self._operator, context=self._context, **what)
