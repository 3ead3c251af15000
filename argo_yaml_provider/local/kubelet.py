"""All pods of the one node: starts them, ends them, gives out their logs.

In: changes in the store.  Out: running pods, their status and events.
Must not know: HTTP beyond a log request's parameters.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from argo_yaml_provider.local import scheduling
from argo_yaml_provider.local.errors import ApiError
from argo_yaml_provider.local.http import Message, Receive, Request, Send
from argo_yaml_provider.local.images import Images
from argo_yaml_provider.local.logs import LogOptions
from argo_yaml_provider.local.objects import DeleteOptions, Objects, Target
from argo_yaml_provider.local.pod import PodRun
from argo_yaml_provider.local.processes import Processes
from argo_yaml_provider.local.resources import Json, Resource
from argo_yaml_provider.local.store import Event

STARTING = 8
"""How many containers may be starting at once; any number may run."""


class Kubelet:
    """The pods by uid, and what they share."""

    def __init__(self, objects: Objects, processes: Processes, images: Images, folder: Path) -> None:
        self.objects, self.processes, self.images = objects, processes, images
        self._folder = folder
        self.layer = folder / "layer"
        self.starting = asyncio.Semaphore(STARTING)
        self.capacity = scheduling.capacity()
        self.service: dict[str, str] = {}
        self.token: dict[str, str] = {}
        self._pods: dict[str, PodRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._resource = objects.resource("pods")
        objects.store.listen(self._on_change)

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            asyncio.get_running_loop().call_exception_handler({"message": "a pod's task failed", "exception": error})

    def _on_change(self, resource: Resource, event: Event) -> None:
        if resource is self._resource:
            self._on_pod(event)
        elif resource.plural in {"configmaps", "secrets"} and event.type == "MODIFIED":
            meta = event.obj["metadata"]
            for run in self._pods.values():
                if run.pod["metadata"]["namespace"] == meta["namespace"]:
                    run.refresh(resource.plural, meta["name"])

    def _on_pod(self, event: Event) -> None:
        pod, uid = event.obj, event.obj["metadata"]["uid"]
        if event.type == "ADDED":
            self._go(self._run(pod))
        elif event.type == "DELETED":
            if run := self._pods.pop(uid, None):
                run.kill()
                asyncio.get_running_loop().call_later(1, run.remove)
        elif "deletionTimestamp" in pod["metadata"]:
            before = ((event.old or {}).get("metadata") or {}).get("deletionGracePeriodSeconds")
            grace = pod["metadata"].get("deletionGracePeriodSeconds", 0)
            if before is None or grace < before:
                self._go(self._stop(pod, float(grace)))

    async def _run(self, pod: Json) -> None:
        meta = pod["metadata"]
        bound = await self._schedule(pod)
        if bound is None:
            return
        where = f"Successfully assigned {meta['namespace']}/{meta['name']} to {scheduling.NODE}"
        self.objects.record_event(bound, kind="Normal", reason="Scheduled", message=where, component="default-scheduler")
        run = PodRun(bound, self._folder / "pods" / meta["uid"], self)
        self._pods[meta["uid"]] = run
        await run.run()

    async def _schedule(self, pod: Json) -> Json | None:
        """Give the pod its node; one that fits nowhere is told so and waits."""
        why = scheduling.unfit(pod, self.objects.store.get(self.objects.resource("nodes"), "", scheduling.NODE))
        if why:
            condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why}
            self.write_status(pod, {**pod["status"], "conditions": [condition]})
            self.event(pod, "Warning", "FailedScheduling", why)
            return None
        current = self.objects.store.find(self._resource, pod["metadata"]["namespace"], pod["metadata"]["name"])
        if current is None or current["metadata"]["uid"] != pod["metadata"]["uid"]:
            return None
        return {**current, "spec": {**current["spec"], "nodeName": scheduling.NODE}}

    async def _stop(self, pod: Json, grace: float) -> None:
        meta = pod["metadata"]
        if run := self._pods.get(meta["uid"]):
            self.event(pod, "Normal", "Killing", "Stopping containers")
            await run.stop(grace)
        target = Target(resource=self._resource, namespace=meta["namespace"], name=meta["name"])
        current = self.objects.store.find(self._resource, meta["namespace"], meta["name"])
        if current and current["metadata"]["uid"] == meta["uid"]:
            self.objects.delete(target, DeleteOptions(grace=0))

    # what a pod asks for
    def read(self, namespace: str, plural: str, name: str) -> Json | None:
        return self.objects.store.find(self.objects.resource(plural), namespace, name)

    def write_status(self, pod: Json, status: Json) -> Json | None:
        """Store a pod's status, if the pod is still there; its node is written with the first one."""
        meta = pod["metadata"]
        current = self.objects.store.find(self._resource, meta["namespace"], meta["name"])
        if current is None or current["metadata"]["uid"] != meta["uid"]:
            return None
        spec = current["spec"]
        if "nodeName" in pod["spec"] and "nodeName" not in spec:
            spec = {**spec, "nodeName": pod["spec"]["nodeName"]}
        return self.objects.store.update(self._resource, {**current, "spec": spec, "status": status})

    def event(self, pod: Json, kind: str, reason: str, message: str) -> None:
        """What `kubectl describe` shows; like events of one pod are counted, not repeated."""
        self.objects.record_event(pod, kind=kind, reason=reason, message=message, component="kubelet")

    # what the API asks for
    def run_of(self, pod: Json) -> PodRun:
        run = self._pods.get(pod["metadata"]["uid"])
        if run is None:
            raise ApiError("BadRequest", f'pod "{pod["metadata"]["name"]}" does not have a host assigned')
        return run

    def container_of(self, pod: Json, name: str) -> str:
        """The container that is meant: the only one, or the one named."""
        spec = pod["spec"]
        names = [c["name"] for c in (*(spec.get("initContainers") or ()), *spec["containers"])]
        pod_name = pod["metadata"]["name"]
        if name:
            if name not in names:
                raise ApiError("BadRequest", f"container {name} is not valid for pod {pod_name}")
            return name
        main = [c["name"] for c in spec["containers"]]
        if len(main) > 1:
            choose = f"a container name must be specified for pod {pod_name}, choose one of: [{' '.join(main)}]"
            raise ApiError("BadRequest", choose)
        return str(main[0])

    def open_logs(self, pod: Json, request: Request) -> AsyncIterator[bytes]:
        """The log of a container's present life, or of the one before."""
        name = self.container_of(pod, request.arg("container"))
        run = self.run_of(pod)
        logs, previous = run.logs[name], request.flag("previous")
        place = f'container "{name}" in pod "{pod["metadata"]["name"]}"'
        if previous and len(logs) < 2:
            raise ApiError("BadRequest", f"previous terminated {place} not found")
        if not logs:
            waiting = run.records[name].state.get("waiting")
            if waiting:
                raise ApiError("BadRequest", f"{place} is waiting to start: {waiting.get('reason')}")
            return _nothing()
        return logs[-2 if previous else -1].read(_log_options(request))

    async def attach(self, pod: Json, sub: str, query: dict[str, list[str]], socket: tuple[Message, Receive, Send]) -> None:
        from argo_yaml_provider.local.execute import serve

        run = self.run_of(pod)
        name = self.container_of(pod, query.get("container", [""])[0])
        life = run.lives.get(name)
        if life is None or not life.process.running:
            raise ApiError("BadRequest", f"container not found ({name})")
        await serve(life, self.processes, sub, query, socket)

    async def close(self) -> None:
        for run in self._pods.values():
            run.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def _log_options(request: Request) -> LogOptions:
    since = request.arg("sinceTime")
    if seconds := request.arg("sinceSeconds"):
        since = (datetime.now(UTC) - timedelta(seconds=int(seconds))).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return LogOptions(
        follow=request.flag("follow"),
        tail=int(request.arg("tailLines")) if request.arg("tailLines") else None,
        timestamps=request.flag("timestamps"),
        since=since,
        limit=int(request.arg("limitBytes")) if request.arg("limitBytes") else None,
    )
