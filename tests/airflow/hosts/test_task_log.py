from __future__ import annotations

import json
from pathlib import Path

from argo_yaml_provider.airflow.hosts.task_log import TaskLog


def test_each_line_is_in_the_file_at_once_as_airflow_writes_them(airflow_db: Path) -> None:
    with TaskLog("dag_id=d/run_id=r/task_id=t/attempt=1.log") as log:
        log.write("hello", container="main")
        lines = (airflow_db / "logs" / log.relative_path).read_text().splitlines()
    line = json.loads(lines[0])
    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "info", "event": "hello", "container": "main"}


def test_a_log_that_was_never_written_leaves_no_file(airflow_db: Path) -> None:
    with TaskLog("dag_id=d/run_id=r/task_id=quiet/attempt=1.log") as log:
        pass
    assert not (airflow_db / "logs" / log.relative_path).exists()
