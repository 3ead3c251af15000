"""Remote logging to a folder, by Airflow's own interface. Copied into the config folder of a test's Airflow."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

HOME = Path(os.environ["AIRFLOW_HOME"])
READER = {"class": "airflow.utils.log.file_task_handler.FileTaskHandler", "base_log_folder": str(HOME / "logs")}
LOGGING_CONFIG = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"task": READER},
    "loggers": {"airflow.task": {"handlers": ["task"], "level": "INFO"}},
}


class FolderLogs:
    processors = ()

    def upload(self, path: str | os.PathLike[str], ti: Any) -> None:
        target = HOME / "remote" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(HOME / "logs" / path, target)
        with (HOME / "remote" / "uploads.jsonl").open("a") as file:
            file.write(json.dumps([ti.task_id, ti.try_number]) + "\n")

    def read(self, relative_path: str, ti: Any) -> tuple[list[str], list[str]]:  # noqa: ARG002 - Airflow's signature
        return [], []


REMOTE_TASK_LOG = FolderLogs()
