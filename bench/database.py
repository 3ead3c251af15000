"""Databases for benches and tests: a SQLite of the private home, or a PostgreSQL started for the purpose.

In: a name.  Out: a URL of a migrated, empty Airflow database ('' is the home's own SQLite).
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Self

_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
WHERE = next((folder for folder in _FOLDERS if (folder / "initdb").exists()), None)


def missing(name: str) -> str:
    """Why this database cannot be used here; '' if it can."""
    if name == "sqlite":
        return ""
    if lacking := [package for package in ("psycopg2", "asyncpg") if find_spec(package) is None]:
        return f"no {lacking[0]}; pip install psycopg2-binary asyncpg"
    if WHERE is None:
        return "no initdb; apt-get install postgresql"
    return ""


@contextmanager
def fresh(name: str) -> Iterator[str]:
    """An Airflow database that nobody else uses."""
    if name == "sqlite":
        yield ""
        return
    with Postgres() as server:
        yield server.migrated()


class Postgres:
    """A PostgreSQL on loopback, in a temporary folder; it does not care about power cuts."""

    def __enter__(self) -> Self:
        assert WHERE is not None
        self._folder = Path(tempfile.mkdtemp(prefix="argo-yaml-pg-"))
        self._user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            shutil.chown(self._folder, self._user)
        self.port = free_port()
        self._run("initdb", "--pgdata", str(self._folder / "data"), "--username", "airflow", "--auth", "trust", "--no-sync")
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
        start = ["--options", options, "--log", "/dev/null", "--wait", "start"]
        self._run("pg_ctl", "--pgdata", str(self._folder / "data"), *start)
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "--pgdata", str(self._folder / "data"), "--mode", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def migrated(self) -> str:
        """The URL of an Airflow database."""
        url = f"postgresql+psycopg2://airflow@127.0.0.1:{self.port}/postgres"
        with tempfile.TemporaryDirectory() as home:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__")}
            environment |= {"AIRFLOW_HOME": home, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url}
            environment |= {"AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
            command = [sys.executable, "-m", "airflow", "db", "migrate"]
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return url

    def _run(self, program: str, *arguments: str) -> None:
        assert WHERE is not None
        command = [str(WHERE / program), *arguments]
        if os.getuid() == 0:
            command = ["runuser", "-u", self._user, "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd="/")


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def wait_for_port(port: int, seconds: float = 300) -> None:
    """Until somebody listens there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(f"nobody listens at port {port} after {seconds:g} s")
