"""A task's log, as Airflow's own task runner writes it: one JSON object a line, where the workload says.

In: lines.  Out: the file that Airflow's UI reads while the task runs; at the end it goes to remote logging, if there is any.
Must not know: steps, Kubernetes.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TextIO


class TaskLog:
    """Opened when the first line comes; each write reaches the file at once, since someone may be reading."""

    def __init__(self, relative_path: str) -> None:
        self.relative_path = relative_path
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def write(self, event: str, *, level: str = "info", **more: Any) -> None:
        """One line."""
        line = {"timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"), "level": level, "event": event, **more}
        try:
            self._opened().write(json.dumps(line, default=str) + "\n")
        except OSError:
            # A full disk must not end a step: its pod has the log too.
            self._file = None

    def open(self) -> None:
        """Ahead of the first line."""
        with suppress(OSError):
            self._opened()

    def _opened(self) -> TextIO:
        if self._file is None:
            from airflow.sdk.log import init_log_file

            self._file = init_log_file(self.relative_path).open("a", buffering=1, encoding="utf-8")
        return self._file

    def upload(self, ti: Any) -> None:
        """Hand the file to remote logging; blocks, so it is called in a thread."""
        from airflow.sdk.log import load_remote_log_handler

        if (handler := load_remote_log_handler()) and self._file:
            handler.upload(self.relative_path, ti)
