"""Run Argo's own examples here, all in one Airflow, and compare each outcome, node by node, with what Argo made of it.

Usage: python tests/parity/run.py [NAME…] [--backend embedded|cluster] [--execution executor|triggerer|worker] [--keep DIR]

NAME is a file's path in index.tsv without `examples/` and `.yaml`; `.N` at its end is its document N. Without a name, all run.
`known.tsv` beside this file lists what is known to differ, where (a backend, both, or steps run by anyone but an executor), and
why; a difference that is not listed, or a listed one that is none any more, fails the run.
"""

from __future__ import annotations

import argparse
import asyncio
import atexit
import csv
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.s3 import serve_s3

HERE = Path(__file__).parent
PARITY = Path(os.environ.get("ARGO_PARITY", HERE.parent.parent.parent / "shared" / "parity"))
EXAMPLES = PARITY / "argo-4.1.2"
KNOWN = HERE / "known.tsv"
NAMESPACE = "argo"
_SECONDS = {"executor": 900.0, "triggerer": 2400.0, "worker": 2400.0}
"""For all of them together: a task that Airflow starts a process for takes seconds."""
IMAGES = {"argoproj/argosay:v2": {"entrypoint": ["/argosay"]}, "argoproj/argosay:v1": {"entrypoint": ["/argosay"]}}
"""As the recording controller's `images` map had them."""
WAITING = "waits"
_SERVER = re.compile(r"image: (nginx|influxdb)\b")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One recorded workflow."""

    name: str
    path: Path
    document: int
    binds: str
    """The index's column `compare`."""

    @property
    def golden(self) -> Json:
        """What Argo made of it."""
        stem = self.path.with_suffix("")
        file = stem.with_name(f"{stem.name}.{self.document}.json") if self.document else stem.with_name(f"{stem.name}.json")
        golden: Json = json.loads(file.read_text())
        return golden


def read_cases() -> dict[str, Case]:
    """All that were recorded, by name."""
    cases = {}
    with (EXAMPLES / "index.tsv").open() as index:
        for row in csv.DictReader(index, delimiter="\t"):
            stem = row["file"].removeprefix("examples/").removesuffix(".yaml")
            document = int(row["document"])
            name = f"{stem}.{document}" if document else stem
            cases[name] = Case(name=name, path=EXAMPLES / f"{stem}.yaml", document=document, binds=row["compare"])
    return cases


def read_known(backend: str, execution: str) -> dict[str, str]:
    """What is known to differ there: reasons, by name."""
    places = {"both", backend, *(["worker"] if execution != "executor" else [])}
    with KNOWN.open() as rows:
        known = [row for row in csv.reader(rows, delimiter="\t") if row and not row[0].startswith("#")]
    return {name: reason for name, where, reason in known if where in places}


def load_compare() -> ModuleType:
    """compare.py, which stands beside the recordings."""
    spec = importlib.util.spec_from_file_location("compare", PARITY / "compare.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def differences(case: Case, result: Json | None) -> list[str]:
    """What differs; nothing where the recording binds nobody and the file was taken."""
    if case.binds in ("blocked", "unfinished"):
        return ["it is refused"] if result is not None and result.get("phase") == "Rejected" else []
    if result is None:
        return ["it gave no result"]
    found: list[str] = load_compare().differences(case.golden, result, loose=case.binds == "chance")
    return found


def waves(cases: Sequence[Case], backend: str) -> list[list[Case]]:
    """What runs at once: the embedded Kubernetes' pods share one network, where a port is served by one alone."""
    found: list[list[Case]] = [[]]
    served: list[set[str]] = [set()]
    for case in cases:
        servers = set(_SERVER.findall(case.path.read_text())) if backend == "embedded" else set()
        number = next((number for number, taken in enumerate(served) if not taken & servers), len(found))
        if number == len(found):
            found.append([])
            served.append(set())
        found[number].append(case)
        served[number] |= servers
    return found


def run_elsewhere(cases: Sequence[Case], execution: str) -> dict[str, Json]:
    """The results of another process: there is one Airflow in each."""
    with tempfile.TemporaryDirectory() as folder:
        names = [case.name for case in cases]
        command = [sys.executable, "-m", "tests.parity.run", *names, "--execution", execution, "--keep", folder]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        files = {name: Path(folder, f"{name}.json") for name in names}
        return {name: json.loads(file.read_text()) for name, file in files.items() if file.is_file()}


def run_cases(cases: Sequence[Case], backend: str, execution: str = "executor") -> dict[str, Json]:
    """The results, by name; those that cannot end here are only compiled."""
    from argo_yaml_provider.airflow.run import Stop
    from argo_yaml_provider.commands.run import Options, Work, compile_works, results_of, run_works

    def options(case: Case | None = None, kubeconfig: Path | None = None) -> Options:
        return Options(
            files=(case.path,) if case else tuple(one.path for one in cases),
            parameters={},
            entrypoint=None,
            templates=(EXAMPLES, environment(backend)),
            document=case.document if case else None,
            kubeconfig=kubeconfig,
            namespace=NAMESPACE,
            stop=Stop(timeout=_SECONDS[execution], until_waiting=True),
            output="json",
            output_dir=None,
            execution=execution,
        )

    works: list[Work] = []
    for case in cases:
        (work,) = compile_works(case.path, options(case))
        works.append(Work(name=case.name, plan=work.plan, error=work.error))
        if work.error:
            print(work.error, file=sys.stderr)
    binding = {case.name for case in cases if case.binds not in ("blocked", "unfinished")}
    to_run = [work for work in works if work.name in binding or work.plan is None]
    with cluster(backend) as kubeconfig, serve_s3() if backend == "cluster" else nullcontext():
        return results_of(to_run, run_works(to_run, options(kubeconfig=kubeconfig)))


@cache
def environment(backend: str) -> Path:
    """What the namespace held. Beside the embedded Kubernetes nobody serves S3: its own repository takes that one's place."""
    recorded = PARITY / "environment.yaml"
    if backend != "embedded":
        return recorded
    documents = recorded.read_text().split("\n---\n")
    kept = [document for document in documents if "name: artifact-repositories" not in document]
    folder = Path(tempfile.mkdtemp(prefix="argo-parity-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "environment.yaml").write_text("\n---\n".join(kept))
    return folder / "environment.yaml"


@contextmanager
def cluster(backend: str) -> Iterator[Path | None]:
    """The kubeconfig of the real cluster, with the recordings' namespace made anew; None for the embedded one."""
    if backend == "embedded":
        yield None
        return
    from argo_yaml_provider.commands.documents import find_documents
    from argo_yaml_provider.commands.run import apply_to

    kubeconfig = Path(os.environ["KUBECONFIG"])
    subprocess.run(["kubectl", "delete", "pods", "--all", "-n", NAMESPACE, "--wait=false"], check=False, capture_output=True)
    documents = find_documents([PARITY / "environment.yaml", EXAMPLES])
    asyncio.run(apply_to(kubeconfig, documents, NAMESPACE))
    yield kubeconfig


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--backend", choices=["embedded", "cluster"], default="embedded")
    parser.add_argument("--execution", choices=["executor", "triggerer", "worker"], default="executor", help="who runs steps")
    parser.add_argument("--keep", type=Path, help="leave each result here")
    chosen = parser.parse_args()
    recorded, known = read_cases(), read_known(chosen.backend, chosen.execution)
    names = chosen.names or list(recorded)
    if unknown := [name for name in names if name not in recorded]:
        parser.error(f"not in index.tsv: {', '.join(unknown)}")
    os.environ["AIRFLOW__ARGO_YAML__IMAGES"] = json.dumps(IMAGES)
    begun = time.monotonic()
    endless = {name for name, reason in known.items() if reason.startswith("never ends")}
    results: dict[str, Json] = {}
    first, *others = waves([recorded[name] for name in names if name not in endless], chosen.backend)
    results |= run_cases(first, chosen.backend, chosen.execution)
    for wave in others:
        results |= run_elsewhere(wave, chosen.execution)
    wrong = 0
    for name in names:
        found = differences(recorded[name], results.get(name))
        verdict = _verdict(found, known.get(name))
        wrong += verdict in ("DIFFERS", "AGREES NOW")
        print(f"{verdict:10} {name}" + (f"  ({known[name]})" if name in known else ""))
        for line in found if verdict == "DIFFERS" else []:
            print(f"{'':11}{line}")
    if chosen.keep:
        _keep(results, chosen.keep)
    print(f"{len(names)} workflows in {time.monotonic() - begun:.0f} s on the {chosen.backend} backend, {wrong} wrong")
    return 1 if wrong else 0


def _verdict(found: list[str], reason: str | None) -> str:
    """A row of `known.tsv` that agrees has to go, unless it says that it differs at times."""
    if found:
        return "DIFFERS" if reason is None else "known"
    return "same" if reason is None or reason.startswith("at times") else "AGREES NOW"


def _keep(results: dict[str, Json], folder: Path) -> None:
    with tempfile.TemporaryDirectory() as made:
        for name, result in results.items():
            file = Path(made) / f"{name}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(result, indent=1))
        shutil.copytree(made, folder, dirs_exist_ok=True)


if __name__ == "__main__":
    sys.exit(main())
