"""What a folder of 1,000 workflow files costs: at first, with one file changed, with none; against dag-factory's YAML.

Usage: python bench/folder.py [FILES]   (dag-factory is measured where it is installed: pip install dag-factory)
Seconds of CPU, of one process, minimum / median / maximum of three rounds; each round begins without any cache.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROUNDS = 3
WORKFLOW = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf-%(number)d}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: echo, arguments: {parameters: [{name: m, value: a}]}}
      - {name: b, template: echo, depends: a, arguments: {parameters: [{name: m, value: b}]}}
      - {name: c, template: echo, depends: a, arguments: {parameters: [{name: m, value: c}]}}
      - {name: d, template: echo, depends: "b && c", arguments: {parameters: [{name: m, value: d}]}}
  - name: echo
    inputs: {parameters: [{name: m}]}
    container: {image: busybox, command: [echo, "{{inputs.parameters.m}}"]}
"""
POD = "airflow.providers.cncf.kubernetes.operators.pod.KubernetesPodOperator"
FACTORY = """wf_%(number)d:
  default_args: {start_date: 2026-01-01}
  schedule: null
  tasks:
  - {task_id: a, operator: POD, image: busybox, cmds: [echo, a]}
  - {task_id: b, operator: POD, image: busybox, cmds: [echo, b], dependencies: [a]}
  - {task_id: c, operator: POD, image: busybox, cmds: [echo, c], dependencies: [a]}
  - {task_id: d, operator: POD, image: busybox, cmds: [echo, d], dependencies: [b, c]}
""".replace("POD", POD)
Times = dict[str, list[float]]


def seconds(work: Callable[[], object]) -> float:
    """Of CPU."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def generate(folder: Path, text: str, files: int) -> None:
    """So many files of one size."""
    for number in range(files):
        (folder / f"wf{number}.yaml").write_text(text % {"number": number})


def bundle(files: int, times: Times) -> None:
    """What the bundle does at a refresh."""
    from argo_yaml_provider.airflow.mirror import Mirror, Source

    with tempfile.TemporaryDirectory() as home:
        os.environ["AIRFLOW__ARGO_YAML__CACHE_DIR"] = f"{home}/cache"
        folder = Path(home, "workflows")
        folder.mkdir()
        generate(folder, WORKFLOW, files)
        source, mirror = Source(folder=folder), Mirror(target=Path(home, "mirror"))

        def refresh() -> None:
            if source.changed():
                mirror.show(source.files)

        times["bundle: all new"].append(seconds(refresh))
        times["bundle: nothing changed"].append(seconds(refresh))
        (folder / "wf0.yaml").write_text((WORKFLOW % {"number": 0}).replace("busybox", "alpine"))
        times["bundle: one file changed"].append(seconds(refresh))
        loader = {"__file__": str(folder / "loader.py")}
        times["load_dags: compiled before, all DAGs built"].append(seconds(lambda: load_all(loader)))


def load_all(loader: dict[str, str]) -> None:
    """Every DAG of the folder."""
    from argo_yaml_provider.airflow import load_dags

    load_dags(dict(loader))


def factory(files: int, times: Times) -> None:
    """The same by dag-factory, whose loader builds all DAGs whenever its file is parsed."""
    from dagfactory import load_yaml_dags

    with tempfile.TemporaryDirectory() as home:
        generate(Path(home), FACTORY, files)
        times["dag-factory: all DAGs built"].append(seconds(lambda: load_yaml_dags({}, dags_folder=home)))


def main() -> None:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp()
    times: Times = {name: [] for name in NAMES}
    sides = [bundle, factory] if importlib.util.find_spec("dagfactory") else [bundle]
    for side in sides:
        side(2, {name: [] for name in NAMES})  # for what is imported only once
    for _ in range(ROUNDS):
        for side in sides:
            side(files, times)
    times = {name: found for name, found in times.items() if found}
    base = statistics.median(times.get("dag-factory: all DAGs built") or times["bundle: all new"])
    print(f"{files} files of 4 steps{'':24} {'min':>8} {'median':>8} {'max':>8}  ratio")
    for name, found in times.items():
        middle = statistics.median(found)
        print(f"{name:42} {min(found):8.3f} {middle:8.3f} {max(found):8.3f} {middle / base:6.3f}")


NAMES = (
    "dag-factory: all DAGs built",
    "bundle: all new",
    "bundle: one file changed",
    "bundle: nothing changed",
    "load_dags: compiled before, all DAGs built",
)

if __name__ == "__main__":
    main()
