"""All of Airflow on one machine, for workflows: scheduler, DAG processor, triggerer, API server, and a Kubernetes.

In: a folder of workflow files, a home.  Out: running components, ended together.
Must not know: workflows. Imports no Airflow: the components are processes of their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]

from argo_yaml_provider.airflow.home import template_folder
from argo_yaml_provider.airflow.recommended import as_environment, recommended_environment
from argo_yaml_provider.airflow.settings import EXECUTOR
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.pods.settings import folder_repository

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
HEALTH = ("metadatabase", "scheduler", "triggerer", "dag_processor")
_START_SECONDS = 180.0
_STOP_SECONDS = 8.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `argo-yaml standalone` was asked for."""

    dags: Path
    home: Path
    host: str = "127.0.0.1"
    port: int = 8080
    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str = "default"
    templates: tuple[Path, ...] = ()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


def run_standalone(options: Options, tell: Tell) -> int:
    """Run everything until Ctrl-C (0) or until a component dies (1)."""
    with _interruptible(), _kubernetes(options, tell) as kubeconfig:
        prepare_home(options, tell)
        components = Components(options=options, environment=environment(options, kubeconfig), tell=tell)
        try:
            components.start()
            components.wait_until_ready()
            tell(f"Airflow is ready: {options.url}")
            tell(f"workflows: {options.dags}   logs: {options.home / 'logs'}   stop: Ctrl-C")
            return components.watch()
        except KeyboardInterrupt:
            tell("stopping")
            return 0
        finally:
            components.stop()


def prepare_home(options: Options, tell: Tell) -> None:
    """A database that is migrated, and a loader where the folder has none of its own."""
    options.home.mkdir(parents=True, exist_ok=True)
    (options.home / "logs").mkdir(exist_ok=True)
    database = options.home / "airflow.db"
    if not database.exists():
        for name in ("airflow.db", "airflow.cfg"):
            source = template_folder(tell) / name
            if source.exists():
                (options.home / name).write_bytes(source.read_bytes())
        database.chmod(0o600)
    loader = options.home / "loader"
    loader.mkdir(exist_ok=True)
    (loader / "workflows.py").write_text(_LOADER.format(folder=str(options.dags)), encoding="utf-8")


_LOADER = '''"""Shows the workflow files of a folder as Airflow DAGs."""

from argo_yaml_provider.airflow import load_dags

load_dags(globals(), {folder!r})
'''


def environment(options: Options, kubeconfig: Path) -> dict[str, str]:
    """The components' environment: this process's, with all of Airflow's own settings replaced."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__") or _ours(name)}
    return {
        **inherited,
        **recommended_environment(),
        **as_environment(_settings(options, kubeconfig)),
        "AIRFLOW_HOME": str(options.home),
    }


def _ours(name: str) -> bool:
    return name.startswith("AIRFLOW__ARGO_YAML__")


def _settings(options: Options, kubeconfig: Path) -> dict[str, str]:
    return {
        "core.executor": f"LocalExecutor,{EXECUTOR}",
        "core.parallelism": "8",
        "core.dags_folder": str(options.dags),
        "core.load_examples": "False",
        "core.dags_are_paused_at_creation": "False",
        "core.auth_manager": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "core.simple_auth_manager_all_admins": "True",
        "core.execution_api_server_url": f"{options.url}/execution/",
        "database.sql_alchemy_conn": f"sqlite:///{options.home / 'airflow.db'}",
        "database.sql_alchemy_connect_args": "argo_yaml_provider.airflow.home.CONNECT_ARGS",
        "api.host": options.host,
        "api.port": str(options.port),
        "api.base_url": options.url,
        "api.secret_key": _secret(options.home / "api_secret"),
        "api_auth.jwt_secret": _secret(options.home / "jwt_secret"),
        "logging.base_log_folder": str(options.home / "logs"),
        "dag_processor.dag_bundle_config_list": json.dumps(_bundles(options)),
        "dag_processor.refresh_interval": "5",
        "dag_processor.min_file_process_interval": "5",
        "argo_yaml.config_file": str(kubeconfig),
        "argo_yaml.cluster_context": options.context or "",
        "argo_yaml.conn_id": "",
        "argo_yaml.namespace": options.namespace,
        "argo_yaml.templates": ":".join(str(path) for path in options.templates),
        **_artifacts(options),
    }


def _artifacts(options: Options) -> dict[str, str]:
    """Beside the embedded Kubernetes artifacts lie in a folder of this machine; a cluster says itself where they do."""
    if options.kubeconfig is not None:
        return {}
    return {"argo_yaml.artifact_repository": json.dumps(folder_repository(options.home / "artifacts"))}


def _bundles(options: Options) -> list[dict[str, object]]:
    """The folder's Python DAGs, and its workflow files: by the folder's own loader, or else by ours."""
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    bundles: list[dict[str, object]] = [{"name": "dags-folder", "classpath": local, "kwargs": {"path": str(options.dags)}}]
    if not any(b"load_dags" in path.read_bytes() for path in options.dags.rglob("*.py")):
        bundles.append({"name": "workflows", "classpath": local, "kwargs": {"path": str(options.home / "loader")}})
    return bundles


def _secret(path: Path) -> str:
    """Made once for each home, so that sessions and running tasks survive a restart."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32), encoding="ascii")
    return path.read_text(encoding="ascii")


@dataclass(kw_only=True)
class Components:
    """The processes, each with its output in a file of its own."""

    options: Options
    environment: dict[str, str]
    tell: Tell
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self) -> None:
        """Start them all, side by side."""
        if _port_taken(self.options.host, self.options.port):
            raise RunError(f"port {self.options.port} is taken", f"argo-yaml standalone --port {self.options.port + 1}")
        for name in COMPONENTS:
            with self.log(name).open("wb") as output:
                self.processes[name] = subprocess.Popen(
                    [sys.executable, "-c", _CHILD, str(os.getpid()), name],
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        self.tell(f"starting {', '.join(COMPONENTS)}")

    def log(self, name: str) -> Path:
        """Where a component's output goes."""
        return self.options.home / "logs" / f"{name}.log"

    def wait_until_ready(self) -> None:
        """Until the API server answers and says that all are well."""
        deadline = time.monotonic() + _START_SECONDS
        while not _healthy(self.options.url):
            self.raise_if_dead()
            if time.monotonic() > deadline:
                raise RunError(f"Airflow is not ready after {_START_SECONDS:g} s", f"see {self.options.home / 'logs'}")
            time.sleep(0.5)

    def watch(self) -> int:
        """Until one of them ends by itself."""
        while True:
            self.raise_if_dead()
            time.sleep(1)

    def raise_if_dead(self) -> None:
        """Say which component has ended, and its last words."""
        for name, process in self.processes.items():
            if (code := process.poll()) is not None:
                raise RunError(
                    f"{name} ended with exit code {code}:\n{_tail(self.log(name))}", f"all of it is in {self.log(name)}"
                )

    def stop(self) -> None:
        """End them all: politely, then not. Whatever they started goes with them, in whatever session it lives."""
        started = _descendants(self.processes.values())
        for process in self.processes.values():
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
        for process in self.processes.values():
            _signal_group(process, signal.SIGKILL)
            process.wait()
        for one in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


_CHILD = """
import ctypes, os, signal, sys
# If standalone is killed outright, its components must not stay behind.
try:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
except (OSError, AttributeError):
    pass
if os.getppid() != int(sys.argv[1]):
    sys.exit("standalone has ended")
sys.argv = ["airflow", sys.argv[2]]
from airflow.__main__ import main
sys.exit(main())
"""


@contextmanager
def _kubernetes(options: Options, tell: Tell) -> Iterator[Path]:
    """The cluster of the given kubeconfig, or the embedded one for as long as this lasts."""
    if options.kubeconfig is not None:
        yield options.kubeconfig
        return
    from argo_yaml_provider.local import EmbeddedKubernetes

    with EmbeddedKubernetes(options.home / "kubernetes") as cluster:
        tell(f"embedded Kubernetes: KUBECONFIG={cluster.kubeconfig}")
        if cluster.warning:
            tell(f"note: {cluster.warning}")
        yield cluster.kubeconfig


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM stops as cleanly as Ctrl-C; and so does SIGINT where a shell's `&` had it ignored."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/v2/monitor/health", timeout=5) as reply:  # noqa: S310 - our own address
            health = json.load(reply)
    except (OSError, ValueError, urllib.error.URLError):
        return False
    return all((health.get(part) or {}).get("status") == "healthy" for part in HEALTH)


def _port_taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _descendants(processes: Iterable[subprocess.Popen[bytes]]) -> list[psutil.Process]:
    """What the components have started; psutil knows them by their start time too, so a pid used again is safe."""
    found: list[psutil.Process] = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            found += psutil.Process(process.pid).children(recursive=True)
    return found


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
