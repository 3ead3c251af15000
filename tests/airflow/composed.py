"""The services of docker-compose.yaml as processes of this machine: their commands, environments and health checks, taken from
the file itself. Only addresses and folders are other ones.

In: the file's text.  Out: running services on a PostgreSQL, a redis and a Kubernetes that were started for the purpose.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
import yaml

from argo_yaml_provider.local import EmbeddedKubernetes
from argo_yaml_provider.step.kube import Kube
from bench import database

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yaml"
_BIN = Path(sys.executable).parent
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def services(**variables: str) -> dict[str, Any]:
    """The services, with `${NAME:-DEFAULT}` filled in as Compose does."""
    text = _VARIABLE.sub(lambda match: variables.get(match[1], match[2]), FILE.read_text())
    return dict(yaml.safe_load(text)["services"])


@dataclass(kw_only=True)
class Composed:
    """What runs of it, and where."""

    home: Path
    addresses: dict[str, str]
    """What stands in the file -> what stands for it here."""
    port: int
    options: dict[str, str] = field(default_factory=dict)
    """More of a service's environment than stands in the file."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def here(self, text: str) -> str:
        """Text of the file with this machine's addresses."""
        for there, here in self.addresses.items():
            text = text.replace(there, here)
        return text

    def environment(self, service: dict[str, Any]) -> dict[str, str]:
        """The service's, and what a container would have of its own: a home, ports, a name."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        return {
            **outside,
            "PATH": f"{_BIN}:{database.WHERE}:{os.environ['PATH']}",
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
            **{f"AIRFLOW__LOGGING__{one}_LOG_SERVER_PORT": str(database.free_port()) for one in ("WORKER", "TRIGGER")},
            **{name: self.here(str(value)) for name, value in service.get("environment", {}).items()},
            **self.options,
        }

    def run(self, name: str, **variables: str) -> None:
        """A service that ends."""
        service = services(**variables)[name]
        with self.log(name).open("wb") as log:
            command = ["airflow", *service["command"]]
            subprocess.run(command, env=self.environment(service), check=True, stdout=log, stderr=log, timeout=300)

    def argo(self, *words: str) -> None:
        """A command of ours, as a person gives it in a container."""
        command = ["airflow", "argo", *words]
        subprocess.run(command, env=self.environment(services()["api-server"]), check=True, capture_output=True, timeout=120)

    @contextmanager
    def running(self, *names: str, **variables: str) -> Iterator[None]:
        """Services that go on until the block ends."""
        try:
            for name in names:
                self._start(name, services(**variables)[name])
            yield
        finally:
            self._stop([self.processes.pop(name) for name in names if name in self.processes])

    def _start(self, name: str, service: dict[str, Any]) -> None:
        with self.log(name).open("wb") as log:
            self.processes[name] = subprocess.Popen(
                ["airflow", *service["command"]],
                env=self.environment(service),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _stop(self, stopped: list[subprocess.Popen[bytes]]) -> None:
        """As `docker stop` does, all at once; then whatever is left of them."""
        for process in stopped:
            process.terminate()
        for process in stopped:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def check(self, name: str) -> subprocess.Popen[str]:
        """The service's health check, under way."""
        service = services()[name]
        how, *words = service["healthcheck"]["test"]
        words = shlex.split(self.here(shlex.join(words)).replace("$$", "$"))
        return subprocess.Popen(
            ["sh", "-c", *words] if how == "CMD-SHELL" else words,
            env=self.environment(service) | self.named,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def named(self) -> dict[str, str]:
        """What a container knows its own service by."""
        return {"HOSTNAME": os.uname().nodename, "PGHOST": "127.0.0.1", "PGPORT": self.addresses["PGPORT"]}

    def log(self, name: str) -> Path:
        return self.home / f"{name}.log"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Airflow's own API; {} while it does not answer, or refuses."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.url}{path}", content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return json.load(reply)
        except (urllib.error.HTTPError, OSError) as error:
            return {"error": str(error)}

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What Airflow's database has."""
        where = {"host": "127.0.0.1", "port": self.addresses["PGPORT"], "user": "airflow", "dbname": "airflow"}
        with closing(psycopg2.connect(**where)) as line, line.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def healthy(self) -> bool:
        """As the API server sees its fellows."""
        try:
            health = self.ask("GET", "/api/v2/monitor/health")
        except OSError:
            return False
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((health.get(part) or {}).get("status") == "healthy" for part in parts)

    @property
    def token(self) -> str:
        with urllib.request.urlopen(f"{self.url}/auth/token", timeout=30) as reply:
            return str(json.load(reply)["access_token"])

    def wait_until(self, done: Any, what: str, seconds: float = 240) -> None:
        """Until it is so; a service that ends meanwhile tells its last words."""
        end = time.monotonic() + seconds
        while not done():
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} has ended:\n{self.log(name).read_text()[-3000:]}"
            assert time.monotonic() < end, f"not {what} after {seconds:g} s"
            time.sleep(0.5)


def must_be_there() -> None:
    """Skips what this machine lacks something for; CI lacks nothing."""
    if not (why := _missing()):
        return
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def _missing() -> str:
    if shutil.which("redis-server") is None:
        return "no redis-server; apt-get install redis-server"
    if find_spec("celery") is None:
        return "no celery; pip install apache-airflow-providers-celery"
    return database.missing("postgresql")


@contextmanager
def kubernetes(prefix: str) -> Iterator[tuple[str, str]]:
    """A kubeconfig, of the real cluster or an embedded one where there is none; and a namespace that ends with the block."""
    namespace = f"{prefix}-{uuid4().hex[:8]}"
    with ExitStack() as stack:
        kubeconfig = os.environ.get("KUBECONFIG") or str(stack.enter_context(EmbeddedKubernetes()).kubeconfig)
        asyncio.run(_namespaces(kubeconfig, "POST", "", {"metadata": {"name": namespace}}))
        stack.callback(lambda: asyncio.run(_namespaces(kubeconfig, "DELETE", f"/{namespace}")))
        yield kubeconfig, namespace


async def _namespaces(kubeconfig: str, verb: str, path: str, body: object = None) -> None:
    kube = await Kube.open(kubeconfig)
    try:
        await kube.call(verb, f"/api/v1/namespaces{path}", body=body)
    finally:
        await kube.close()


@contextmanager
def composed(folder: Path, kubeconfig: str) -> Iterator[Composed]:
    """PostgreSQL and redis, and the folders that Compose would mount."""
    with database.Postgres() as postgres, _redis(folder) as redis_port:
        with closing(psycopg2.connect(host="127.0.0.1", port=postgres.port, user="airflow", dbname="postgres")) as line:
            line.autocommit = True
            line.cursor().execute("CREATE DATABASE airflow")
        port = database.free_port()
        addresses = {
            "@postgres/": f"@127.0.0.1:{postgres.port}/",
            "//redis:6379": f"//127.0.0.1:{redis_port}",
            "redis-cli": f"redis-cli -p {redis_port}",
            "//api-server:8080": f"//127.0.0.1:{port}",
            "//localhost:8080": f"//127.0.0.1:{port}",
            "/kube/config": kubeconfig,
            "PGPORT": str(postgres.port),
        }
        home = folder / "airflow"
        shutil.copytree(ROOT / "dags", home / "dags", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "example_specs", home / "dags" / "example_specs")
        yield Composed(home=home, addresses=addresses, port=port)


@contextmanager
def _redis(folder: Path) -> Iterator[int]:
    port = database.free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        database.wait_for_port(port)
        yield port
    finally:
        process.terminate()
        process.wait()
