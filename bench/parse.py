"""How long the example files take to compile: cold, and from the cache of an earlier parse.

Usage: python bench/parse.py [PATH…] (default: the recorded examples beside this repository, or else example_specs/)
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from argo_yaml_provider.airflow.cache import Cache, content_key
from argo_yaml_provider.diagnostics import SpecError
from argo_yaml_provider.plan.compile import compile_file
from argo_yaml_provider.plan.serialize import dumps, loads

ROOT = Path(__file__).parent.parent
PLACES = (ROOT.parent / "shared" / "parity" / "argo-4.1.2", ROOT / "example_specs")


def workflow_files(paths: list[Path]) -> Iterator[Path]:
    """The YAML files, in folders and below."""
    for path in paths:
        yield from sorted(path.rglob("*.yaml")) if path.is_dir() else [path]


def compiled(path: Path, library: list[Path]) -> dict[str, list[str]]:
    """The file's plans as text, or its problems."""
    try:
        return {"plans": [dumps(plan) for plan in compile_file(path, library_paths=library)]}
    except SpecError as error:
        return {"problems": [str(error)]}


def milliseconds(work: Callable[[], object]) -> float:
    """Of one go."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def row(name: str, times: list[float]) -> str:
    """One line of the table."""
    ninetieth = sorted(times)[int(len(times) * 0.9)]
    return f"{name:34} {statistics.median(times):8.2f} {ninetieth:8.2f} {max(times):8.2f} {sum(times) / 1000:9.2f}"


def main() -> None:
    given = [Path(one) for one in sys.argv[1:]] or [next(place for place in PLACES if place.is_dir())]
    files = list(workflow_files(given))
    library = [path for path in given if path.is_dir()]
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(folder=Path(folder))

        def parse(path: Path) -> None:
            kept = cache.look_up(path, content_key(path.read_bytes(), str), lambda: compiled(path, library))
            for text in kept.get("plans", ()):
                loads(text)

        first = [milliseconds(lambda path=path: parse(path)) for path in files]  # type: ignore[misc]
        again = [milliseconds(lambda path=path: parse(path)) for path in files]  # type: ignore[misc]
        refused = sum(bool(compiled(path, library).get("problems")) for path in files)
    print(f"{len(files)} files, {refused} of them refused")
    print(f"{'milliseconds a file':34} {'median':>8} {'90 %':>8} {'max':>8} {'all, s':>9}")
    print(row("cold: read, check, plan", first))
    print(row("cached", again))


if __name__ == "__main__":
    main()
