"""What is called when a run of a workflow is late: the annotations `argo-yaml/deadline` and `argo-yaml/deadline-callback`.

In: their texts, the deployment's `[argo_yaml] deadline_callbacks`.  Out: Airflow's DeadlineAlert.
Must not know: workflows. What a workflow's text names is looked up in that option, and never imported.
"""

from __future__ import annotations

import inspect
import logging
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.airflow.settings import EXECUTOR, SECTION, calls_back_nothing, deadline_callbacks
from argo_yaml_provider.flow.retry import parse_duration

if TYPE_CHECKING:
    from airflow.sdk.definitions.callback import Callback
    from airflow.sdk.definitions.deadline import DeadlineAlert

DEFAULT = "default"
_OPTION = f"[{SECTION}] deadline_callbacks"
log = logging.getLogger(__name__)


async def tell_late(context: dict[str, Any]) -> None:
    """What is called where the deployment has nothing else: the triggerer's log."""
    run, deadline = context["dag_run"], context["deadline"]
    log.warning("run %s of %s is not over at its deadline, %s", run["dag_run_id"], run["dag_id"], deadline["deadline_time"])


def alert(length: str, name: str) -> DeadlineAlert:
    """Counted from when the run was queued: a backfill's slots are long past."""
    from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

    interval = timedelta(microseconds=parse_duration(length) // 1000)
    return DeadlineAlert(reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=interval, callback=_callback(name))


def _callback(name: str) -> Callback:
    from airflow.sdk.definitions.callback import AsyncCallback, SyncCallback

    known = deadline_callbacks()
    if not name and DEFAULT not in known:
        return AsyncCallback(tell_late)
    if (name or DEFAULT) not in known:
        raise ValueError(f"argo-yaml/deadline-callback = {name}: {_OPTION} has {', '.join(sorted(known)) or 'no callbacks'}")
    path, kwargs = _entry(name or DEFAULT, known[name or DEFAULT])
    if _is_async(_imported(path)):
        return AsyncCallback(path, kwargs)
    if calls_back_nothing():
        raise ValueError(f"{_OPTION}: {path} is no `async def`, and {EXECUTOR}, the first of [core] executor, runs steps only")
    return SyncCallback(path, kwargs)


def _entry(name: str, said: object) -> tuple[str, dict[str, Any]]:
    entry = {"path": said} if isinstance(said, str) else said
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str) or not set(entry) <= {"path", "kwargs"}:
        raise ValueError(f'{_OPTION}: {name} is neither an import path nor {{"path": "…", "kwargs": {{…}}}}')
    return entry["path"], entry.get("kwargs") or {}


def _imported(path: str) -> Any:
    module, _, attribute = path.rpartition(".")
    try:
        return getattr(import_module(module), attribute)
    except Exception as error:  # noqa: BLE001 - whatever the deployment's module does
        raise ValueError(f"{_OPTION}: {path} cannot be imported: {error}") from None


def _is_async(callback: Any) -> bool:
    """As Airflow tells them apart; of a class, its instances are awaited: notifiers."""
    return inspect.iscoroutinefunction(callback) or hasattr(callback, "__await__")
