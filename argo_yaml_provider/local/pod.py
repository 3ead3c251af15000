"""One pod's life: volumes, init containers, containers, restarts, end.

In: a pod that was created.  Out: its status, written as it changes.
Must not know: HTTP, other pods.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
from pathlib import Path
from typing import Protocol

from argo_yaml_provider.local import container, hooks, memory
from argo_yaml_provider.local.container import Life, Start
from argo_yaml_provider.local.environment import ConfigError, Environment
from argo_yaml_provider.local.images import ImageError, Images
from argo_yaml_provider.local.logs import Log
from argo_yaml_provider.local.podstatus import Record, build_status, initialized, phase_of, records_of
from argo_yaml_provider.local.processes import LaunchError, Processes
from argo_yaml_provider.local.resources import Json
from argo_yaml_provider.local.volumes import MountError, Volumes

_BACKOFF, _LONGEST_BACKOFF = 10.0, 300.0
_RETRY = 1.0
"""Seconds between looks for a ConfigMap, Secret or claim that is not there."""
IP = "127.0.0.1"
_NOT_STARTED = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process"
)
"""As containerd has it, so that whoever reads such messages reads ours."""


class Surroundings(Protocol):
    """What a pod needs of the kubelet."""

    processes: Processes
    images: Images
    layer: Path
    starting: asyncio.Semaphore
    capacity: Json
    service: dict[str, str]
    token: dict[str, str]

    def read(self, namespace: str, plural: str, name: str) -> Json | None: ...

    def write_status(self, pod: Json, status: Json) -> Json | None: ...

    def event(self, pod: Json, kind: str, reason: str, message: str) -> None: ...


class PodRun:
    """Runs one pod from its creation to its end."""

    def __init__(self, pod: Json, folder: Path, around: Surroundings) -> None:
        self.pod, self._folder, self._around = pod, folder, around
        self.records = {record.name: record for record in records_of(pod)}
        self.lives: dict[str, Life] = {}
        self.logs: dict[str, list[Log]] = {name: [] for name in self.records}
        self._volumes = Volumes(pod, folder / "volumes", self._read, token=around.token, capacity=around.capacity)
        self._policy = str(pod["spec"].get("restartPolicy") or "Always")
        self._reason = self._message = ""
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.changed = asyncio.Event()
        """Set, and replaced, whenever the status changes."""

    def _read(self, plural: str, name: str) -> Json | None:
        return self._around.read(self.pod["metadata"]["namespace"], plural, name)

    @property
    def name(self) -> str:
        return str(self.pod["metadata"]["name"])

    async def run(self) -> None:
        """To the end; the folder stays, for the logs, until the pod is deleted."""
        deadline = self.pod["spec"].get("activeDeadlineSeconds")
        watch = asyncio.create_task(self._deadline(float(deadline))) if deadline else None
        try:
            self._publish()
            if await self._mount() and await self._run_init():
                await self._run_main()
        finally:
            if watch:
                watch.cancel()
        await self._end_sidecars()
        self._publish(final=True)
        self._volumes.remove()

    async def _mount(self) -> bool:
        told = ""
        while not self._stopping.is_set():
            try:
                self._volumes.prepare()
            except (MountError, ConfigError) as error:
                if str(error) != told:
                    told = str(error)
                    self._around.event(self.pod, "Warning", "FailedMount", told)
                await self._pause(_RETRY)
            else:
                return True
        return False

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _run_init(self) -> bool:
        for record in self._of("init", "sidecar"):
            if record.kind == "sidecar":
                await self._begin_sidecar(record)
                continue
            await self._supervise(record, "Never" if self._policy == "Never" else "OnFailure")
            if (record.ended or {}).get("exitCode") != 0:
                return False
        for record in self._of("main"):
            if record.state.get("waiting", {}).get("reason") == "PodInitializing":
                record.state = {"waiting": {"reason": "ContainerCreating"}} if not self._stopping.is_set() else record.state
        return not self._stopping.is_set()

    def _of(self, *kinds: str) -> list[Record]:
        return [record for record in self.records.values() if record.kind in kinds]

    async def _begin_sidecar(self, record: Record) -> None:
        """Go on once it has started, as its startup probe says."""
        task = self._spawn(record, "Always")
        while not (record.started or task.done()):
            await self.changed.wait()

    def _spawn(self, record: Record, policy: str) -> asyncio.Task[None]:
        task = asyncio.create_task(self._supervise(record, policy))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run_main(self) -> None:
        """Start one after another, each once the one before has been through its postStart hook."""
        tasks = []
        for record in self._of("main"):
            begun = asyncio.Event()
            tasks.append(asyncio.create_task(self._supervise(record, self._policy, begun)))
            await begun.wait()
        await asyncio.gather(*tasks)

    async def _supervise(self, record: Record, policy: str, begun: asyncio.Event | None = None) -> None:
        """Start a container, and again as the policy says, with growing pauses."""
        pause = 0.0
        try:
            while not self._stopping.is_set():
                if not await self._live(record, begun):
                    return
                code = (record.ended or {}).get("exitCode")
                if self._stopping.is_set() or policy == "Never" or (policy == "OnFailure" and code == 0):
                    return
                await self._back_off(record, pause)
                pause = min(max(_BACKOFF, pause * 2), _LONGEST_BACKOFF)
        finally:
            if begun:
                begun.set()

    async def _back_off(self, record: Record, pause: float) -> None:
        """Wait before a restart, as CrashLoopBackOff; the first restart comes at once."""
        record.last = record.state
        if pause:
            message = f"back-off {pause:.0f}s restarting failed container={record.name} pod={self.name}"
            record.state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
            self._around.event(self.pod, "Warning", "BackOff", f"Back-off restarting failed container {record.name}")
            self._publish()
            await self._pause(pause)
        if self._stopping.is_set():
            record.state = record.last
        else:
            record.restarts += 1

    async def _live(self, record: Record, begun: asyncio.Event | None) -> bool:
        """One life, to its end; False where there was none and will be none."""
        what = await self._prepare(record)
        if what is None:
            return False
        try:
            async with self._around.starting:
                if self._stopping.is_set():
                    return False
                life = await container.start(self._around.processes, what)
        except LaunchError as error:
            self._not_started(record, error)
            return True
        self.lives[record.name] = life
        self.logs[record.name].append(life.log)
        await self._attend(record, life, begun)
        return True

    async def _attend(self, record: Record, life: Life, begun: asyncio.Event | None) -> None:
        record.state, record.id = {"running": {"startedAt": life.started_at}}, life.id
        probes = hooks.Probes(record, life, self._around.processes, self._publish)
        begin = asyncio.create_task(self._post_start(record, life, probes, begun))
        limit = memory.limit_of(record.spec)
        watch = asyncio.create_task(self._limit_memory(life, limit)) if limit else begin
        try:
            state = await life.wait()
        finally:
            begin.cancel()
            watch.cancel()
            probes.stop()
        record.state, record.ready, record.started = {"terminated": state}, False, False
        self._publish()

    async def _limit_memory(self, life: Life, limit: int) -> None:
        await memory.exceeded(life.process.pid, limit)
        life.killed_for = "OOMKilled"
        life.process.kill()

    async def _post_start(self, record: Record, life: Life, probes: hooks.Probes, begun: asyncio.Event | None) -> None:
        hook = (record.spec.get("lifecycle") or {}).get("postStart")
        if hook:
            failure = await hooks.run_handler(hook, life, self._around.processes, timeout=None)
            if failure:
                self._around.event(self.pod, "Warning", "FailedPostStartHook", f"PostStartHook failed: {failure}")
                life.process.signal(signal.SIGTERM)
                await asyncio.sleep(2)
                life.process.kill()
        self._around.event(self.pod, "Normal", "Started", f"Started container {record.name}")
        probes.begin()
        if begun:
            begun.set()
        self._publish()

    async def _prepare(self, record: Record) -> Start | None:
        """All that the container is started from; waits, visibly, for what is missing."""
        pause = _BACKOFF
        while not self._stopping.is_set():
            try:
                return self._start_of(record)
            except ImageError as error:
                self._wait_for(record, "ErrImagePull", error.message)
                await self._pause(pause)
                message = f'Back-off pulling image "{error.image}": {error.message}'
                self._wait_for(record, "ImagePullBackOff", message)
                await self._pause(pause)
                pause = min(pause * 2, _LONGEST_BACKOFF)
            except ConfigError as error:
                self._wait_for(record, "CreateContainerConfigError", str(error))
                await self._pause(_RETRY)
        return None

    def _wait_for(self, record: Record, reason: str, message: str) -> None:
        waiting = {"waiting": {"reason": reason, "message": message}}
        if record.state != waiting:
            record.state = waiting
            word = "BackOff" if reason.endswith("BackOff") else "Failed"
            self._around.event(self.pod, "Warning", word, message if word == "BackOff" else f"Error: {message}")
            self._publish()

    def _start_of(self, record: Record) -> Start:
        image = self._around.images.find(record.spec["image"])
        uid, _, _ = container.user_of(record.spec, self.pod)
        given = container.given_env(self.pod, image, self._around.service, uid)
        environment = Environment(self.pod, self._read, self._around.capacity)
        env = environment.build(record.spec, given)
        return Start(
            pod=self.pod,
            spec=record.spec,
            image=image,
            env=env,
            mounts=self._volumes.mounts(record.spec, env),
            folder=self._folder / f"{record.name}-{record.restarts}",
            layer=self._around.layer,
        )

    def _not_started(self, record: Record, error: LaunchError) -> None:
        """The command could not be executed: containerd's words and codes."""
        words = f"{_NOT_STARTED}: {error.message}: unknown"
        record.id = container.new_id()
        state = container.ended_state(128, id=record.id, reason="StartError", message=words)
        record.state = {"terminated": {**state, "startedAt": "1970-01-01T00:00:00Z"}}
        self._around.event(self.pod, "Warning", "Failed", f"Error: {words}")
        self._publish()

    async def _deadline(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._reason, self._message = "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
        await self.stop(float(self.pod["spec"].get("terminationGracePeriodSeconds", 30)))

    async def stop(self, grace: float) -> None:
        """End everything: preStop hooks, SIGTERM, and SIGKILL when the grace period is over."""
        self._stopping.set()
        main = [life for name, life in self.lives.items() if self.records[name].kind != "sidecar"]
        await asyncio.gather(*(self._stop_life(life, grace) for life in main))
        await self._end_sidecars(grace)

    async def _end_sidecars(self, grace: float | None = None) -> None:
        """Once the main containers are done, in the reverse of the order in which they started."""
        self._stopping.set()
        grace = float(self.pod["spec"].get("terminationGracePeriodSeconds", 30)) if grace is None else grace
        for record in reversed(self._of("sidecar")):
            if life := self.lives.get(record.name):
                await self._stop_life(life, grace)
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _stop_life(self, life: Life, grace: float) -> None:
        if not life.process.running:
            return
        loop = asyncio.get_running_loop()
        end = loop.time() + grace
        hook = (life.spec.get("lifecycle") or {}).get("preStop")
        if hook and grace:
            failure = await hooks.run_handler(hook, life, self._around.processes, timeout=grace)
            if failure:
                self._around.event(self.pod, "Warning", "FailedPreStopHook", f"PreStopHook failed: {failure}")
        if grace:
            life.process.signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(life.process.ended), max(0.1, end - loop.time()))
        life.process.kill()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(life.process.ended), 10)

    def kill(self) -> None:
        """The pod is gone from the API: nothing of it may go on."""
        self._stopping.set()
        for life in self.lives.values():
            life.process.kill()

    def refresh(self, kind: str, name: str) -> None:
        with contextlib.suppress(MountError):
            self._volumes.refresh(kind, name)

    def _publish(self, *, final: bool = False) -> None:
        records = list(self.records.values())
        phase = phase_of(self._policy, records)
        if self._reason:
            phase = "Failed"
        elif final:
            phase = self._final_phase(phase)
        status = build_status(self.pod, records, phase=phase, ip=IP, reason=self._reason, message=self._message)
        stored = self._around.write_status(self.pod, status)
        if stored is not None:
            self.pod = stored
        self.changed.set()
        self.changed = asyncio.Event()

    def _final_phase(self, phase: str) -> str:
        """A pod that was stopped: failed, unless all it had to do was done."""
        if phase in {"Succeeded", "Failed"}:
            return phase
        main = self._of("main")
        done = initialized(self._of("init")) and all((r.ended or {}).get("exitCode") == 0 for r in main)
        return "Succeeded" if done else "Failed"

    def remove(self) -> None:
        for logs in self.logs.values():
            for log in logs:
                log.close()
        shutil.rmtree(self._folder, ignore_errors=True)
