"""A plugin whose listener writes down what it hears. Copied into the plugins folder of a test's Airflow."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

HEARD = Path(os.environ["AIRFLOW_HOME"]) / "heard.jsonl"


def note(event: str, instance: Any, error: object = None) -> None:
    context = instance.get_template_context()
    line = {
        "event": event,
        "task": context["task"].task_id,
        "dag": context["dag"].dag_id,
        "run": context["dag_run"].run_id,
        "map_index": instance.map_index,
        "try": instance.try_number,
        "state": instance.state,
        "error": None if error is None else str(error),
    }
    with HEARD.open("a") as file:
        file.write(json.dumps(line) + "\n")


class Listener:
    @hookimpl
    def on_task_instance_running(self, previous_state: Any, task_instance: Any) -> None:  # noqa: ARG002 - Airflow's signature
        note("running", task_instance)

    @hookimpl
    def on_task_instance_success(self, previous_state: Any, task_instance: Any) -> None:  # noqa: ARG002 - Airflow's signature
        note("success", task_instance)

    @hookimpl
    def on_task_instance_skipped(self, previous_state: Any, task_instance: Any) -> None:  # noqa: ARG002 - Airflow's signature
        note("skipped", task_instance)

    @hookimpl
    def on_task_instance_failed(self, previous_state: Any, task_instance: Any, error: object) -> None:  # noqa: ARG002
        note("failed", task_instance, error)


class ListeningPlugin(AirflowPlugin):  # type: ignore[misc]
    name = "listening"
    listeners = (Listener(),)
