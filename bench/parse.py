"""What a folder of workflow files costs: at first, with one file changed, with none; against dag-factory's YAML.

Usage: python bench/parse.py [--files 1000] [--rounds 3] [FOLDER…]

The folder holds generated files, and those of each FOLDER: the recorded examples beside this repository, or else
example_specs/. dag-factory, where it is installed (pip install dag-factory), gets as many DAGs with as many tasks, each a
chain. Seconds of CPU, of one process; each round begins without any cache, in a folder of its own. All are removed at the end:
for minutes after many files were removed, an ext4 without a journal needs ten times as long to make others. What the disk alone
costs is told by the first row; the bundle makes twice as many files.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import logging
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PLACES = (ROOT.parent / "shared" / "parity" / "argo-4.1.2", ROOT / "example_specs")
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
FACTORY = """dag_%(number)d:
  default_args: {start_date: 2026-01-01}
  schedule: null
  tasks:
"""
POD = "airflow.providers.cncf.kubernetes.operators.pod.KubernetesPodOperator"
FACTORY_TASK = """  - {task_id: t%(number)d, operator: POD, image: busybox, cmds: [echo, a], dependencies: [%(before)s]}
""".replace("POD", POD)
NEW, CHANGED, SAME = "bundle: all new", "bundle: one file changed", "bundle: nothing changed"
WRITTEN = "the folder itself: its files written"
LOADED, THEIRS = "load_dags: compiled before, all DAGs built", "dag-factory: all DAGs built"
BOUNDS = {NEW: 5.0, CHANGED: 0.2, SAME: 0.05}
Times = dict[str, list[float]]


def seconds(work: Callable[[], object]) -> float:
    """Of CPU, without what others left to the garbage collector."""
    gc.collect()
    begun = time.process_time()
    work()
    return time.process_time() - begun


def fill(folder: Path, files: int, examples: list[Path]) -> None:
    """So many generated files of one size, and the examples."""
    for number in range(files):
        (folder / f"wf{number}.yaml").write_text(WORKFLOW % {"number": number})
    for number, place in enumerate(examples):
        shutil.copytree(place, folder / f"examples-{number}", ignore=shutil.ignore_patterns("*.json"))


def ours(home: Path, files: int, examples: list[Path], times: Times) -> list[int]:
    """What the bundle does at a refresh, and the loader whenever its file is parsed; how many tasks each DAG has."""
    from argo_yaml_provider.airflow.mirror import Mirror, Source, Store

    os.environ["AIRFLOW__ARGO_YAML__CACHE_DIR"] = f"{home}/cache"
    folder = home / "workflows"
    folder.mkdir(parents=True)
    times[WRITTEN].append(seconds(lambda: fill(folder, files, examples)))
    source, mirror, store = Source(folder=folder), Mirror(target=home / "mirror"), Store(folder=home / "kept")

    def refresh() -> None:
        if source.changed():
            mirror.show(source.files)
            store.keep(source.files, mirror.target)

    times[NEW].append(seconds(refresh))
    times[SAME].append(seconds(refresh))
    (folder / "wf0.yaml").write_text((WORKFLOW % {"number": 0}).replace("busybox", "alpine"))
    times[CHANGED].append(seconds(refresh))
    loader: dict[str, Any] = {"__file__": str(folder / "loader.py")}
    times[LOADED].append(seconds(lambda: load_all(loader)))
    return [len(dag.tasks) for name, dag in loader.items() if name.startswith("dag ")]


def load_all(loader: dict[str, Any]) -> None:
    """Every DAG of the folder."""
    from argo_yaml_provider.airflow import load_dags

    load_dags(loader)


def theirs(home: Path, sizes: list[int], times: Times) -> None:
    """The same by dag-factory, whose loader builds all DAGs whenever its file is parsed."""
    from dagfactory import load_yaml_dags

    home.mkdir()
    for number, size in enumerate(sizes):
        tasks = (FACTORY_TASK % {"number": one, "before": f"t{one - 1}" if one else ""} for one in range(size))
        (home / f"dag{number}.yaml").write_text(FACTORY % {"number": number} + "".join(tasks))
    times[THEIRS].append(seconds(lambda: load_yaml_dags({}, dags_folder=str(home))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, default=[next(place for place in PLACES if place.is_dir())])
    parser.add_argument("--files", type=int, default=1000, help="that are generated")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIRFLOW_HOME"] = f"{home}/airflow"
        sizes, times = rounds(Path(home), options)
    examples = sum(len(list(place.rglob("*.yaml"))) for place in options.folders)
    report(f"{options.files} files of 4 steps, {examples} examples: {len(sizes)} DAGs, {sum(sizes)} tasks", times)


def rounds(home: Path, options: argparse.Namespace) -> tuple[list[int], Times]:
    """How many tasks each DAG has, and the times."""
    compared = importlib.util.find_spec("dagfactory") is not None
    times: Times = {}
    for number in range(options.rounds + 1):
        if number <= 1:  # the first is for what is imported only once
            times = {name: [] for name in (WRITTEN, THEIRS, NEW, CHANGED, SAME, LOADED)}
        sizes = ours(home / f"ours-{number}", options.files if number else 1, options.folders, times)
        logging.disable()  # dag-factory tells of every file
        if compared:
            theirs(home / f"theirs-{number}", sizes, times)
    return sizes, times


def report(title: str, times: Times) -> None:
    """The table; the ratio is to dag-factory."""
    base = statistics.median(times[THEIRS] or times[NEW])
    print(title)
    print(f"{'seconds of CPU':42} {'min':>8} {'median':>8} {'max':>8} {'ratio':>7} {'bound':>6}")
    for name, found in times.items():
        if found:
            middle = statistics.median(found)
            bound = f"{BOUNDS[name]:6.2f}" if name in BOUNDS else ""
            print(f"{name:42} {min(found):8.3f} {middle:8.3f} {max(found):8.3f} {middle / base:7.3f} {bound}".rstrip())


if __name__ == "__main__":
    main()
