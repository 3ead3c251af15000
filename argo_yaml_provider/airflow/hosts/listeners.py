"""Listeners of plugins: told of every step that begins and ends, as Airflow's task runner tells them.

In: a task instance, as /run describes it, and its plan.  Out: calls of the listeners' hooks, in threads: they may block.
Must not know: what a step does. No DAG file is read: the task that listeners see is made from the plan.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.api import Identity, TaskRef
from argo_yaml_provider.airflow.envelope import Envelope

if TYPE_CHECKING:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

log = logging.getLogger(__name__)
_KEPT = 16
_HOOKS = {
    "success": "on_task_instance_success",
    "skipped": "on_task_instance_skipped",
    "failed": "on_task_instance_failed",
    "up_for_retry": "on_task_instance_failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Where the DAG comes from, by name."""

    name: str
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What listeners are told a task by."""

    ti: TaskRef
    try_number: int
    version: str
    who: Identity
    context: Any
    """Airflow's TIRunContext."""
    begun: datetime
    envelope: Envelope
    bundle: Bundle


class Listeners:
    """The deployment's listeners; costs nothing where there are none."""

    @cached_property
    def any(self) -> bool:
        """Whether a plugin listens to task instances."""
        from airflow.sdk.listener import get_listener_manager

        # OpenLineage's would else fork this process, with thousands of steps in it, for each event.
        os.environ.setdefault("AIRFLOW__OPENLINEAGE__EXECUTE_IN_THREAD", "True")
        hooks = get_listener_manager().hook
        return any(getattr(hooks, name).get_hookimpls() for name in ("on_task_instance_running", *_HOOKS.values()))

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(8, thread_name_prefix="listeners")

    @cached_property
    def _dags(self) -> OrderedDict[tuple[str, str], Any]:
        return OrderedDict()

    async def begun(self, told: Told) -> RuntimeTaskInstance | None:
        """It runs; the task instance that its end is to be told of."""
        instance: RuntimeTaskInstance | None = await self._call(self._begun, told)
        return instance

    async def ended(
        self, instance: RuntimeTaskInstance | None, state: str, at: datetime, error: BaseException | None, moved: Any = None
    ) -> None:
        """It has ended in a state; `moved` is for the operator, as in a worker."""
        if instance is not None and state in _HOOKS:
            instance.task.moved = moved
            await self._call(_ended, instance, state, at, error)

    async def _call(self, work: Any, *args: Any) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        except Exception:
            log.exception("a listener failed")

    def _begun(self, told: Told) -> RuntimeTaskInstance:
        from airflow.sdk.listener import get_listener_manager
        from airflow.utils.state import TaskInstanceState

        instance = self._instance(told)
        try:
            get_listener_manager().hook.on_task_instance_running(
                previous_state=TaskInstanceState.QUEUED, task_instance=instance
            )
        except Exception:
            log.exception("a listener failed")
        return instance

    def _instance(self, told: Told) -> RuntimeTaskInstance:
        from uuid import UUID

        from airflow.sdk.api.datamodels._generated import TIRunContext
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
        from airflow.utils.state import TaskInstanceState

        instance = RuntimeTaskInstance.model_construct(
            id=UUID(told.ti.id),
            dag_id=told.ti.dag_id,
            run_id=told.ti.run_id,
            task_id=told.ti.task_id,
            map_index=told.ti.map_index,
            try_number=told.try_number,
            dag_version_id=UUID(told.version),
            hostname=told.who.hostname,
            task=self._task(told),
            bundle_instance=told.bundle,
            max_tries=told.context.max_tries,
            start_date=told.begun,
            state=TaskInstanceState.RUNNING,
            is_mapped=told.ti.map_index >= 0,
        )
        instance._ti_context_from_server = TIRunContext.model_validate(told.context.model_dump(mode="json"))  # noqa: SLF001
        return instance

    def _task(self, told: Told) -> Any:
        """An operator of its own, in a DAG made from the plan; one turn of it where it is mapped."""
        key = told.version, told.envelope.prefix
        if key not in self._dags:
            self._dags[key] = _dag(told.ti.dag_id, told.envelope)
            while len(self._dags) > _KEPT:
                self._dags.popitem(last=False)
        task = self._dags[key].get_task(told.ti.task_id)
        return task.unmap({"index": told.ti.map_index}) if task.is_mapped else copy(task)

    def close(self) -> None:
        """Let the threads go."""
        if "_threads" in self.__dict__:
            self._threads.shutdown(wait=False, cancel_futures=True)


def _dag(dag_id: str, envelope: Envelope) -> Any:
    from airflow.sdk import DAG

    from argo_yaml_provider.airflow.dags import add_tasks
    from argo_yaml_provider.airflow.settings import Execution, Settings

    dag = DAG(dag_id=dag_id, schedule=None)
    add_tasks(dag, envelope, Settings(pods=envelope.pods, execution=Execution.EXECUTOR, workers=False))
    return dag


def _ended(instance: RuntimeTaskInstance, state: str, at: datetime, error: BaseException | None) -> None:
    from airflow.sdk.listener import get_listener_manager
    from airflow.utils.state import TaskInstanceState

    values: Any = {"end_date": at, "state": TaskInstanceState(state)}
    for name, value in values.items():
        setattr(instance, name, value)
    more = {"error": error} if _HOOKS[state] == "on_task_instance_failed" else {}
    getattr(get_listener_manager().hook, _HOOKS[state])(
        previous_state=TaskInstanceState.RUNNING, task_instance=instance, **more
    )
