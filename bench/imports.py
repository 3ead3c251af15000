"""What imports cost: the package alone, and a loader file in a task's process, over Airflow's own import.

Usage: python bench/imports.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "example_specs" / "fan-out.yaml"
PACKAGE = """
import time
begun = time.perf_counter()
import argo_yaml_provider
print(time.perf_counter() - begun)
"""
LOADER = """
import runpy, sys, time
import airflow.sdk.execution_time.task_runner
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param, TaskGroup
from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager
with DAG("plain", schedule=None, params={"name": Param("value")}), TaskGroup("group"):
    EmptyOperator.partial(task_id="mapped").expand(doc=["one"])
with _airflow_parsing_context_manager(dag_id="fan-out", task_id="plan"):
    begun = time.perf_counter()
    runpy.run_path(sys.argv[1])
    print(time.perf_counter() - begun)
"""
"""As a worker does: the file is read for the one DAG asked for. What Airflow imports for any DAG is there already."""


def milliseconds(script: str, *arguments: str, home: Path) -> float:
    """What the script prints, from a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__")}
    settings = {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    said = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**environment, **settings},
    ).stdout
    return float(said.splitlines()[-1]) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = range(parser.parse_args().rounds)
    with tempfile.TemporaryDirectory() as folder:
        home, loader = Path(folder), Path(folder) / "dags" / "loader.py"
        loader.parent.mkdir()
        (loader.parent / EXAMPLE.name).write_bytes(EXAMPLE.read_bytes())
        loader.write_text("from argo_yaml_provider.airflow import load_dags\n\nload_dags(globals())\n")
        milliseconds(LOADER, str(loader), home=home)  # makes airflow.cfg and the cache
        rows = {
            "import argo_yaml_provider": (50, [milliseconds(PACKAGE, home=home) for _ in rounds]),
            "loader file in a task's process": (150, [milliseconds(LOADER, str(loader), home=home) for _ in rounds]),
        }
    print(f"{'milliseconds':34} {'min':>7} {'median':>7} {'max':>7} {'aim':>7}")
    for what, (aim, times) in rows.items():
        print(f"{what:34} {min(times):7.1f} {statistics.median(times):7.1f} {max(times):7.1f} {'< ' + str(aim):>7}")


if __name__ == "__main__":
    main()
