"""What `argo-yaml run` needs where its steps run in workers or in a triggerer: those.

In: a home.  Out: an executor of Airflow's own kind, a triggerer beside it; neither needs an API server.
Must not know: how a workflow is scheduled or shown.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from multiprocessing import get_context
from typing import Any

from airflow.executors.local_executor import LocalExecutor

TRIGGERER = "triggerer"
"""The name of its process."""
_WORKERS = 4
_END_SECONDS = 10.0
_PAUSE = 0.2
_NEEDED = (
    "airflow.api_fastapi.execution_api.app",
    "airflow.jobs.scheduler_job_runner",
    "airflow.jobs.triggerer_job_runner",
    "argo_yaml_provider.airflow.connections",
    "argo_yaml_provider.airflow.dags",
    "argo_yaml_provider.airflow.hosts.triggerer",
    "argo_yaml_provider.airflow.hosts.worker",
    "argo_yaml_provider.flow.flow",
    "argo_yaml_provider.pods.build",
    "argo_yaml_provider.step.run",
)


class RunWorkers(LocalExecutor):
    """Airflow's LocalExecutor, whose supervisors ask an Execution API of their own process instead of a server."""

    keep_pods = True
    sync_wait = 0.0

    def __init__(self) -> None:
        super().__init__(parallelism=_WORKERS)  # type: ignore[no-untyped-call]

    @property
    def started(self) -> bool:
        """Whether there is a runner of steps: never."""
        return False

    def start_runner(self) -> None:
        """There is none."""

    def _spawn_worker(self) -> None:
        queues = {"tasks": self.activity_queue, "results": self.result_queue, "unread": self._unread_messages}
        process = get_context("fork").Process(target=_work, kwargs=queues)
        process.start()
        assert process.pid
        self.workers[process.pid] = process  # type: ignore[assignment]

    def sync(self) -> None:
        """The command's scheduler goes round without a pause of its own, and a triggerer cannot wake it."""
        super().sync()
        time.sleep(_PAUSE)

    def end(self) -> None:
        """Let the tasks that run go: their pods are deleted with the cluster, or found by who comes next."""
        for process in getattr(self, "workers", {}).values():
            _end(process)


def _work(tasks: Any, results: Any, unread: Any) -> None:
    """A worker's whole life."""
    from airflow.sdk.execution_time.supervisor import supervise_task

    _leave_parent_behind()
    while (workload := tasks.get()) is not None:
        with unread:
            unread.value -= 1
        try:
            supervise_task(
                ti=workload.ti,
                bundle_info=workload.bundle_info,
                dag_rel_path=workload.dag_rel_path,
                token=workload.token,
                log_path=workload.log_path,
                client=_client(),
            )
        except Exception as error:  # noqa: BLE001 - told to the scheduler, as LocalExecutor's workers do
            results.put((workload.key, workload.failure_state, error))
        else:
            results.put((workload.key, workload.success_state, None))


@cache
def _client() -> Any:
    """Made as the triggerer makes its own."""
    from airflow.sdk.api.client import Client

    client = Client(base_url=None, token="", dry_run=True, transport=_api().transport)
    client.base_url = "http://in-process.invalid./"
    return client


@cache
def _api() -> Any:
    """Its application takes seconds to make, which all workers have from the process that they are forked from."""
    from airflow.api_fastapi.execution_api.app import InProcessExecutionAPI

    api = InProcessExecutionAPI()
    assert api.app
    return api


@contextmanager
def triggerer() -> Iterator[None]:
    """A triggerer beside this process, which imports what both need before they part."""
    for name in _NEEDED:
        import_module(name)
    _api()
    process = get_context("fork").Process(target=_trigger, name=TRIGGERER)
    process.start()
    try:
        yield
    finally:
        _end(process)


def _trigger() -> None:
    from airflow.jobs import triggerer_job_runner
    from airflow.jobs.job import Job, run_job

    _leave_parent_behind()
    triggerer_job_runner.in_process_api_server = _api
    runner = triggerer_job_runner.TriggererJobRunner(job=Job())  # type: ignore[no-untyped-call]
    run_job(job=runner.job, execute_callable=runner._execute)  # noqa: SLF001 - what `airflow triggerer` calls


def _leave_parent_behind() -> None:
    """A fork holds the scheduler's connections and signal handlers, which are not its own."""
    from airflow import settings

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    settings.reconfigure_orm(disable_connection_pool=True)  # type: ignore[no-untyped-call]
    # A value that is looked for and is not there is no error here.
    logging.getLogger("airflow.sdk.api.client").setLevel(logging.CRITICAL)


def _end(process: Any) -> None:
    process.terminate()
    process.join(_END_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
