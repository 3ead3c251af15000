"""Steps at once in one runner, their pods instant, against an operator that does nothing under LocalExecutor.

Usage: python bench/executor.py [--steps 2000] [--tasks 100] [--rounds 3] [--hold 20] [--database sqlite|postgresql …]
       python bench/executor.py --profile FILE    (one round, with py-spy on the runner; FILE is a flame graph)

LocalExecutor has four workers a core. Pods are held for some seconds, so that all steps are there at once; that time is taken
off. PostgreSQL needs its programs (Debian: postgresql), psycopg2 and asyncpg; without them it is left out, in words.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from argo_yaml_provider.airflow.recommended import RECOMMENDED, as_environment
from argo_yaml_provider.local import EmbeddedKubernetes
from bench import database, deployment

LOOK = 0.02
"""Seconds between looks at the runner's loop."""
NOOP = """
from airflow.sdk import DAG, BaseOperator

class Nothing(BaseOperator):
    def __init__(self, *, index: int, **kwargs):
        super().__init__(**kwargs)
        self.index = index

    def execute(self, context):
        return None

with DAG("nothing", schedule=None) as dag:
    Nothing.partial(task_id="nothing").expand(index=list(range({count})))
"""


def loop_of(steps: int) -> str:
    """A workflow that is one loop of so many steps."""
    call = {"name": "work", "template": "work", "withSequence": {"count": "{{workflow.parameters.count}}"}}
    work = {"name": "work", "container": {"image": "busybox", "command": ["true"]}}
    spec = {
        "entrypoint": "main",
        "arguments": {"parameters": [{"name": "count", "value": str(steps)}]},
        "templates": [{"name": "main", "steps": [[call]]}, work],
    }
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "loop"}}
    return json.dumps({**head, "spec": spec})


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def spans(where: str) -> tuple[float, int]:
    """Seconds from the first task's queueing to the last one's end, and how many succeeded."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        chosen = select(TaskInstance.queued_dttm, TaskInstance.end_date, TaskInstance.state)
        rows = session.execute(chosen.where(TaskInstance.task_id == where)).all()
    begun, ended = min(row[0] for row in rows), max(row[1] for row in rows)
    return (ended - begun).total_seconds(), sum(row[2] == "success" for row in rows)


def enter(home: Path, url: str, **options: str) -> None:
    """This process's Airflow: a private one, on that database."""
    from argo_yaml_provider.airflow import run as runs
    from argo_yaml_provider.airflow.home import enter_home

    def enter_there(*how: Any) -> None:
        enter_home(*how)
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "CRITICAL"
        if url:
            os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = url
            os.environ.pop("AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS", None)
            os.environ["AIRFLOW__SCHEDULER__USE_ROW_LEVEL_LOCKING"] = "True"
            runs.quicken_sqlite = lambda: None
        os.environ.update(options)

    runs.enter_home = enter_there
    home.mkdir(parents=True, exist_ok=True)


def run_steps(home: Path, url: str, kubeconfig: str, options: argparse.Namespace) -> dict[str, float]:
    """Ours: one loop; what it took, and what the runner says of itself."""
    from argo_yaml_provider.airflow import run as runs
    from argo_yaml_provider.plan.compile import compile_text
    from argo_yaml_provider.pods.settings import PodSettings

    enter(home, url, AIRFLOW__ARGO_YAML__EXECUTOR_LIMIT="100000")
    said = home / "runner.json"
    (plan,) = compile_text(loop_of(options.steps), file="loop.json")
    pods = PodSettings(config_file=kubeconfig, namespace="default")
    with runs.airflow(home, lambda _: None, lambda: watch_runner(said)) as executor:
        if options.profile:
            form = "raw" if options.profile.endswith(".txt") else "flamegraph"
            command = ["py-spy", "record", "--pid", str(executor.link.pid), "--threads", "--gil", "--format", form]
            subprocess.Popen([*command, "--output", options.profile], stdout=subprocess.DEVNULL)
        made = runs.create_runs([runs.Request(name="loop", plan=plan)], pods, series="run")
        before = time.process_time()
        runs.finish_runs(executor, made, lambda _: None, runs.Stop())
        scheduler = time.process_time() - before
        seconds, done = spans("work")
    if done != options.steps:
        raise SystemExit(f"only {done} of {options.steps} steps succeeded")
    return {"seconds": seconds - options.hold, "scheduler": scheduler, **json.loads(said.read_text())}


def watch_runner(said: Path) -> None:
    """Has the runner, once it is forked, watch itself."""
    from argo_yaml_provider.airflow.hosts import executor as runner

    serve = runner.serve_line

    async def watched(line: Any) -> bool:
        with watching_loop(said):
            return await serve(line)

    runner.serve_line = watched


@contextmanager
def watching_loop(said: Path) -> Iterator[None]:
    """Writes down the longest time that the loop was not there for others: by the clock, and in CPU of its own."""
    found = {"block": 0.0, "block_cpu": 0.0}

    async def watch() -> None:
        clock, cpu = time.monotonic(), time.thread_time()
        while True:
            await asyncio.sleep(LOOK)
            found["block"] = max(found["block"], time.monotonic() - clock - LOOK)
            found["block_cpu"] = max(found["block_cpu"], time.thread_time() - cpu)
            clock, cpu = time.monotonic(), time.thread_time()

    began, loop_began, modules = sum(os.times()[:2]), time.thread_time(), set(sys.modules)
    task = asyncio.get_running_loop().create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        used = resource.getrusage(resource.RUSAGE_SELF)
        found |= {"cpu": used.ru_utime + used.ru_stime - began, "memory": used.ru_maxrss / 1024}
        found["loop_cpu"] = time.thread_time() - loop_began
        found["late imports"] = len(set(sys.modules) - modules)
        if names := os.environ.get("ARGO_YAML_LATE_IMPORTS"):
            Path(names).write_text("\n".join(sorted(set(sys.modules) - modules)))
        said.write_text(json.dumps(found))


def run_nothing(home: Path, url: str, tasks: int) -> dict[str, float]:
    """Theirs: a mapped operator that does nothing, under LocalExecutor with few enough workers for this machine."""
    workers = str(4 * (os.cpu_count() or 1))
    options = {"core.executor": "LocalExecutor", "core.parallelism": workers}
    options |= {name: value for name, (value, _) in RECOMMENDED.items()}
    deployment.enter(home, url, as_environment(options))
    deployment.add_python(NOOP.format(count=tasks), "nothing")
    with deployment.api_server() as server:
        served = cpu_of(server.pid)
        with deployment.scheduler() as scheduler:
            while not deployment.tasks_of("nothing"):
                time.sleep(0.2)
            before = cpu_of(scheduler.pid)
            deployment.wait_for_run("nothing")
            used = {"scheduler": cpu_of(scheduler.pid) - before, "workers": cpu_below(scheduler.pid)}
        seconds, done = spans("nothing")
        if done != tasks:
            raise SystemExit(f"only {done} of {tasks} tasks of LocalExecutor succeeded")
        return {"seconds": seconds, "api server": cpu_of(server.pid) - served, **used}


def cpu_below(pid: int) -> float:
    """Seconds of CPU of a process's children, of those that have ended too, and of theirs."""
    ended = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[13:15]
    alive = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ticks = os.sysconf("SC_CLK_TCK")
    return sum(map(int, ended)) / ticks + sum(cpu_of(int(child)) + cpu_below(int(child)) for child in alive)


def one(side: str, options: argparse.Namespace, name: str, kubeconfig: str) -> dict[str, float]:
    """One side, in a process of its own and on a fresh database."""
    with tempfile.TemporaryDirectory() as folder, database.fresh(name) as url:
        command = [sys.executable, __file__, "--side", side, "--home", folder + "/home", "--url", url]
        command += [
            "--kubeconfig",
            kubeconfig,
            "--steps",
            str(options.steps),
            "--tasks",
            str(options.tasks),
            "--hold",
            str(options.hold),
        ]
        command += ["--profile", options.profile] if options.profile else []
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(json.loads(said.splitlines()[-1]))


def table(title: str, rows: dict[str, list[float]], form: str = "9.2f") -> None:
    """Minimum, median, maximum of each."""
    print(f"\n{title:44} {'min':>9} {'median':>9} {'max':>9}")
    for name, values in rows.items():
        print(f"{name:44} {min(values):{form}} {statistics.median(values):{form}} {max(values):{form}}")


def report(name: str, options: argparse.Namespace, ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> None:
    """The table of one database."""
    rows = {
        "steps a second": [options.steps / one["seconds"] for one in ours],
        "runner: CPU of a step, ms": [1000 * one["cpu"] / options.steps for one in ours],
        "  of it in the loop, ms": [1000 * one["loop_cpu"] / options.steps for one in ours],
        "scheduler: CPU of a step, ms": [1000 * one["scheduler"] / options.steps for one in ours],
        "embedded Kubernetes: CPU of a step, ms": [1000 * one["kubernetes"] / options.steps for one in ours],
        "runner: memory at its peak, MiB": [one["memory"] for one in ours],
        "loop: longest time away, ms": [1000 * one["block"] for one in ours],
        "loop: longest time away, its own CPU, ms": [1000 * one["block_cpu"] for one in ours],
    }
    table(f"StepExecutor, {options.steps} steps, {name}", rows)
    if theirs:
        speeds = [options.tasks / one["seconds"] for one in theirs]
        rows = {"tasks a second": speeds}
        for part in ("scheduler", "api server", "workers"):
            rows[f"{part}: CPU of a task, ms"] = [1000 * one[part] / options.tasks for one in theirs]
        rows["StepExecutor against LocalExecutor"] = [
            options.steps / mine["seconds"] / speed for mine, speed in zip(ours, speeds, strict=True)
        ]
        table(f"LocalExecutor, {options.tasks} no-op tasks, {name}", rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--tasks", type=int, default=100, help="of LocalExecutor; 0 leaves it out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hold", type=float, default=20.0, help="seconds that a pod lasts")
    parser.add_argument("--database", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    parser.add_argument("--profile")
    for name in ("--side", "--home", "--url", "--kubeconfig"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        home = Path(options.home)
        if options.side == "steps":
            said = run_steps(home, options.url, options.kubeconfig, options)
        else:
            said = run_nothing(home, options.url, options.tasks)
        print(json.dumps(said))
        return
    for name in options.database:
        if why := database.missing(name):
            print(f"executor: {name} left out: {why}")
            continue
        measure(name, options)


def measure(name: str, options: argparse.Namespace) -> None:
    """All rounds on one database, both sides in turn."""
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    with ExitStack() as stack:
        kube = stack.enter_context(EmbeddedKubernetes(instant_pods=options.hold))
        for _ in range(1 if options.profile else options.rounds):
            before = cpu_of(kube.pid)
            ours.append(one("steps", options, name, str(kube.kubeconfig)))
            ours[-1]["kubernetes"] = cpu_of(kube.pid) - before
            if options.tasks and not options.profile:
                theirs.append(one("nothing", options, name, str(kube.kubeconfig)))
    report(name, options, ours, theirs)


if __name__ == "__main__":
    main()
