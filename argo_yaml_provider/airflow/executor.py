"""An Airflow executor for steps: it hands each task to one asyncio process, which runs thousands of them at once.

In: workloads, from the scheduler.  Out: tasks that have run, and executor events. hosts/executor.py is the runner.
For the scheduler this is an executor like any other: pools, priorities, mapped tasks, retries and clears hold.
Must not know: plans, pods.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.executors.base_executor import BaseExecutor

if TYPE_CHECKING:
    from airflow.executors.workloads import ExecutorWorkload
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.taskinstancekey import TaskInstanceKey

    from argo_yaml_provider.airflow.hosts.link import Link, Message

LOOK_EVERY = 2.0
"""Seconds between looks at the rows of what runs here."""
SILENCE = 60.0
"""A runner that has said nothing for so many seconds hangs; it says something every few."""
SOUND = 10.0
"""A runner that has been at work for so many seconds did not die of what it was started with."""
LONGEST_PAUSE = 60.0
REST = 0.2
"""Seconds that a sync waits at most in the place of a scheduler that never sleeps."""


class StepExecutor(BaseExecutor):
    """Runs the steps of workflows. Stands second in `core.executor`, beside the deployment's own."""

    supports_multi_team = True
    serve_logs = True

    sync_wait = 0.0
    """Seconds that a sync may wait for an event, which ends the wait; for a scheduler that has nothing else to do."""
    keep_pods = True
    """Whether pods outlive this scheduler, for the next one to adopt."""

    def __init__(self, parallelism: int | None = None, team_name: str | None = None) -> None:
        from argo_yaml_provider.airflow.settings import executor_limit

        super().__init__(parallelism=parallelism or executor_limit(), team_name=team_name)
        self._link: Link | None = None
        self._sent: dict[str, ExecutorWorkload] = {}
        """Workloads that the runner has, by task instance id."""
        self._adopted: dict[str, ExecutorWorkload] = {}
        self._quiet = 0
        """Rounds in which nothing happened."""
        self._cleared: list[Message] = []
        """Tasks of a dead scheduler that were cleared: their pods must go."""
        self._looked = 0.0
        self._beaten = time.monotonic()
        self._deaths = 0
        """Runners in a row that died young."""
        self._replace_at: float | None = None
        """While there is no runner: when the next one is started."""

    @property
    def slots_occupied(self) -> int:
        """Nothing of `core.parallelism`, which bounds processes: steps have a limit of their own."""
        return 0

    @property
    def started(self) -> bool:
        """Whether there is a runner."""
        return self._link is not None

    @property
    def link(self) -> Link:
        """The running runner."""
        if self._link is None:
            raise RuntimeError("StepExecutor has not been started")
        return self._link

    def start(self) -> None:
        """Make the pool that steps run in, and start the runner."""
        from argo_yaml_provider.airflow.rows import ensure_pool
        from argo_yaml_provider.airflow.settings import scheduler_sleeps

        ensure_pool()
        if not scheduler_sleeps():
            self.sync_wait = self.sync_wait or REST
        if self._link is None:
            self.start_runner()

    def start_runner(self) -> None:
        """Start the runner; a command does so early, since its imports take a while."""
        from argo_yaml_provider.airflow.hosts.executor import serve
        from argo_yaml_provider.airflow.hosts.link import Link

        self._link = Link(partial(serve, job=self.job_id))

    def _process_workloads(self, workload_items: Sequence[ExecutorWorkload]) -> None:
        for workload in workload_items:
            self.queued_tasks.pop(workload.key, None)  # type: ignore[arg-type]
            self._send(workload)

    def _send(self, workload: ExecutorWorkload, *, adopt: bool = False) -> None:
        self._quiet = 0
        self.running.add(workload.key)
        self._sent[str(workload.ti.id)] = workload  # type: ignore[union-attr]
        ti = workload.ti.model_dump(mode="json", include=_TI_FIELDS)  # type: ignore[union-attr]
        self.link.send({"do": "run", "ti": ti, "log_path": workload.log_path, "adopt": adopt})  # type: ignore[union-attr]

    def sync(self) -> None:
        """Take in the runner's events; every two seconds look at the rows of what runs."""
        for workload in self._adopted.values():
            self._send(workload, adopt=True)
        for task in self._cleared:
            self.link.send({"do": "bury", "ti": task})
        self._adopted, self._cleared = {}, []
        for message in self.link.receive(self._patience()):
            self._take_in(message)
        self._mend()
        if self._replace_at is None and time.monotonic() - self._looked >= LOOK_EVERY:
            self._look()

    def _patience(self) -> float:
        """How long to wait for an event: longer and longer while nothing happens.

        The scheduler needs a few rounds after each event before all that follows from it is under way.
        """
        self._quiet += 1
        return min(self.sync_wait, 0.02 * 2 ** min(self._quiet - 4, 16)) if self._quiet > 3 else 0.0

    def _take_in(self, message: Message) -> None:
        if "beat" not in message:
            self._quiet = 0
        if "ended" not in message or not (workload := self._sent.pop(message["ended"], None)):
            return
        key: Any = workload.key
        if message["report"] == "success":
            self.success(key)
        elif message["report"] == "failed":
            self.fail(key, message.get("info"))
        else:
            self.running.discard(key)

    def _look(self) -> None:
        """One query for all: which tasks were cleared, ended by someone, or taken by another host; and their heartbeat."""
        from argo_yaml_provider.airflow.rows import beat, fates, identity

        self._looked = time.monotonic()
        if not self._sent:
            return
        who = identity(self.link.pid)
        for ti_id, pod in fates(list(self._sent), who).items():
            self.link.send({"do": "cancel", "ti": ti_id, "pod": pod})
        if self._looked - self._beaten > _beat_every():
            self._beaten = self._looked
            beat(list(self._sent), who)

    def _mend(self) -> None:
        """A runner that died or hangs is replaced: at once, or if it died young, after a pause that grows.

        Meanwhile nothing beats for its tasks; without a runner for long enough, Airflow itself gives them up.
        """
        now = time.monotonic()
        if self._replace_at is None and (self.link.ended or now - self.link.heard > SILENCE):
            self._bury_runner(now)
        if self._replace_at is not None:
            if now >= self._replace_at:
                self._replace_runner()
            else:
                time.sleep(min(self._patience(), self._replace_at - now))

    def _bury_runner(self, now: float) -> None:
        self.link.close(0)
        lived = self.link.at_work(now)
        self._deaths = 0 if lived > SOUND else self._deaths + 1
        pause = 0.0 if self._deaths <= 1 else min(2.0 ** (self._deaths - 2), LONGEST_PAUSE)
        self._replace_at = now + pause
        self.log.error(
            "the runner of steps (pid %d) is gone after %.0f s, with exit code %s; in %.0f s another takes up its %d steps",
            self.link.pid,
            lived,
            self.link.exit_code,
            pause,
            len(self._sent),
        )

    def _replace_runner(self) -> None:
        """Start another, which takes up every step where its pod stands."""
        from argo_yaml_provider.airflow.rows import identity, take_over

        self._replace_at = None
        self.start_runner()
        sent, self._sent = self._sent, {}
        take_over(list(sent), identity(self.link.pid))
        for workload in sent.values():
            self._send(workload, adopt=True)

    def try_adopt_task_instances(self, tis: Sequence[TaskInstance]) -> Sequence[TaskInstance]:
        """Take over what a dead scheduler's runner ran; what was cleared meanwhile starts anew."""
        from airflow.executors.workloads import ExecuteTask
        from airflow.utils.state import TaskInstanceState

        from argo_yaml_provider.airflow.rows import identity

        who = identity(self.link.pid)
        refused = []
        for ti in tis:
            if ti.state == TaskInstanceState.RESTARTING:
                self._cleared.append(_cleared(ti))
                refused.append(ti)
                continue
            if ti.state == TaskInstanceState.RUNNING:
                ti.hostname, ti.unixname, ti.pid = who.hostname, who.unixname, who.pid
            workload = ExecuteTask.make(ti)
            self.running.add(workload.key)
            self._adopted[str(ti.id)] = workload
        return refused

    def revoke_task(self, *, ti: TaskInstance) -> None:
        """Forget a task that was stuck in queued."""
        key: TaskInstanceKey = ti.key
        self.queued_tasks.pop(key, None)
        self.running.discard(key)
        if self._sent.pop(str(ti.id), None):
            self.link.send({"do": "cancel", "ti": str(ti.id), "pod": "delete"})

    def end(self) -> None:
        """Hang up. Pods go on, unless told otherwise; the next scheduler adopts their tasks."""
        if self._link is None:
            return
        if not self.keep_pods:
            for ti_id in self._sent:
                self._link.send({"do": "cancel", "ti": ti_id, "pod": "delete"})
        self._link.send({"do": "stop"})
        deadline = time.monotonic() + 10
        while not self._link.ended and time.monotonic() < deadline:
            self._link.receive(0.5)
        self._link.close(2)
        self._link = None

    def terminate(self) -> None:
        """As `end`."""
        self.end()


def _cleared(ti: TaskInstance) -> Message:
    """What the runner needs to find the pods of a cleared task, whose row begins a new generation: that of the clear.

    Airflow raises `max_tries` when the executor reports the end of a cleared task; a task that is reset has none to report.
    """
    found = {
        "id": str(ti.id),
        "dag_id": ti.dag_id,
        "run_id": ti.run_id,
        "task_id": ti.task_id,
        "map_index": ti.map_index,
        "dag_version_id": str(ti.dag_version_id),
        "generation": ti.max_tries,
    }
    ti.max_tries += ti.try_number
    return found


_TI_FIELDS = {"id", "task_id", "dag_id", "run_id", "try_number", "dag_version_id", "map_index"}


def _beat_every() -> float:
    """A fifth of what the scheduler allows, at most a minute."""
    from airflow.configuration import conf

    return min(60.0, conf.getfloat("scheduler", "task_instance_heartbeat_timeout") / 5)
