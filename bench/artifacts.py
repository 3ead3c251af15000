"""How long the scripts that move artifacts take, against plain rclone with the same files and the same S3 server.

Usage: python bench/artifacts.py [--small 1000] [--mebibytes 2048] [--rounds 3] [--endpoint HOST:PORT] [--shell "busybox sh"]
       [--defaults]

Small artifacts go as the outputs, then the inputs, of steps with 50 each, not packed; the large one alone. Ours is what runs in
a pod's containers (pack, store; fetch), run here by this machine's shell, or by --shell: the images have busybox's. rclone's is
one `rclone copy` for each step's files, with the same options and requests; with --defaults it has rclone's own: it lists, asks
for each file that it has stored, and moves four at once. Nothing else is timed. Without --endpoint moto serves, in a process of
its own. Last row: the ratio, as minimum, median and maximum over the rounds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from argo_yaml_provider.artifacts.containers import Moved, fetch_containers, fifo, left_in_place, store_containers
from argo_yaml_provider.artifacts.rclone import RCLONE

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.s3 import BUCKET, serve_s3

IN_ONE_STEP = 50
SMALL_BYTES = 4096
_LOG = "termination-log"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=1000)
    parser.add_argument("--mebibytes", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--endpoint", default="")
    parser.add_argument("--shell", default="sh")
    parser.add_argument("--defaults", action="store_true")
    chosen = parser.parse_args()
    if shutil.which("rclone") is None:
        sys.exit("rclone is not installed; on Debian and Ubuntu: apt-get install rclone")
    # rclone 1.60 refuses to start with it.
    os.environ.pop("AWS_CA_BUNDLE", None)
    with tempfile.TemporaryDirectory() as folder, _endpoint(chosen.endpoint) as endpoint:
        bench = Bench(Path(folder), endpoint, chosen.shell.split(), {} if chosen.defaults else _OURS)
        small = bench.files("small", chosen.small, SMALL_BYTES)
        large = bench.files("large", 1, chosen.mebibytes << 20)
        print(
            f"{chosen.small} of {SMALL_BYTES} B, one of {chosen.mebibytes} MiB, {chosen.rounds} rounds; seconds, ours | rclone"
        )
        for name, files in (("small", small), ("large", large)):
            bench.compare(name, files, chosen.rounds)


@contextmanager
def _endpoint(given: str) -> Iterator[str]:
    if given:
        yield given
        return
    with serve_s3(9077) as url:
        yield url.removeprefix("http://")


class Bench:
    """A folder of files, and a bucket."""

    def __init__(self, folder: Path, endpoint: str, shell: list[str], options: dict[str, str]) -> None:
        self._folder, self._endpoint, self._shell, self._options = folder, endpoint, shell, options

    def files(self, name: str, count: int, size: int) -> list[Path]:
        """As many, of random bytes."""
        made = []
        for number in range(count):
            path = self._folder / name / f"step{number // IN_ONE_STEP:03}" / f"f{number:04}"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for _ in range(max(1, size >> 20)):
                    file.write(os.urandom(min(size, 1 << 20)))
            made.append(path)
        return made

    def compare(self, name: str, files: list[Path], rounds: int) -> None:
        """Each way, in turn with rclone."""
        for verb, ours, plain in (("store", self._store, self._copy_there), ("fetch", self._fetch, self._copy_here)):
            ratios = []
            for _ in range(rounds):
                mine, its = ours(files), plain(files)
                ratios.append(mine / its)
                print(f"  {name} {verb}: {mine:.2f} | {its:.2f}", flush=True)
            low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
            print(f"{name} {verb}: ratio min {low:.2f}, median {middle:.2f}, max {high:.2f}")

    def _artifact(self, file: Path) -> dict[str, object]:
        key = f"ours/{file.relative_to(self._folder)}"
        store = {"endpoint": self._endpoint, "insecure": True, "bucket": BUCKET, "key": key}
        return {"name": file.name, "path": str(file), "archive": {"none": {}}, "s3": store}

    def _steps(self, files: list[Path]) -> Iterator[list[Path]]:
        for start in range(0, len(files), IN_ONE_STEP):
            yield files[start : start + IN_ONE_STEP]

    def _store(self, files: list[Path]) -> float:
        taken = 0.0
        for some in self._steps(files):
            home = Path(tempfile.mkdtemp(dir=self._folder))
            (home / "artifacts").mkdir()
            (home / fifo("rclone")).touch()
            moved = [Moved(index=index, artifact=self._artifact(file), path=str(file)) for index, file in enumerate(some, 1)]
            (container,) = store_containers(moved)
            taken += _seconds(lambda: _pack(some, home))  # noqa: B023 - called at once
            taken += _seconds(lambda: _run(self._shell, container, self._folder, ARGO_HOME=str(home)))  # noqa: B023
            said = _said(self._folder)
            assert said.count(" saved ") == len(some), said
            shutil.rmtree(home)
        return taken

    def _fetch(self, files: list[Path]) -> float:
        taken = 0.0
        for some in self._steps(files):
            home = Path(tempfile.mkdtemp(dir=self._folder))
            inputs = [
                Moved(index=index, artifact=self._artifact(file), path=str(home / str(index)))
                for index, file in enumerate(some, 1)
            ]
            moved = left_in_place(inputs, str(home))
            (container,) = fetch_containers(moved)
            taken += _seconds(lambda: _run(self._shell, container, self._folder, ARGO_MANY=str(home / ".many")))  # noqa: B023
            _check(some, [Path(one.path) for one in moved])
            shutil.rmtree(home)
        return taken

    def _copy_there(self, files: list[Path]) -> float:
        folders = [some[0].parent for some in self._steps(files)]
        return sum(_seconds(lambda: self._rclone(str(folder), self._plain(folder))) for folder in folders)  # noqa: B023

    def _copy_here(self, files: list[Path]) -> float:
        taken = 0.0
        names = self._folder / "names"
        for some in self._steps(files):
            target = Path(tempfile.mkdtemp(dir=self._folder))
            names.write_text("".join(f"{file.name}\n" for file in some))
            listed = {"RCLONE_FILES_FROM_RAW": str(names)} if self._options else {}
            taken += _seconds(lambda: self._rclone(self._plain(some[0].parent), str(target), **listed))  # noqa: B023
            _check(some, [target / file.name for file in some])
            shutil.rmtree(target)
        return taken

    def _plain(self, folder: Path) -> str:
        return f"B:{BUCKET}/plain/{folder.relative_to(self._folder)}"

    def _rclone(self, source: str, target: str, **env: str) -> None:
        remote = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": f"http://{self._endpoint}", "FORCE_PATH_STYLE": "true"}
        remote |= {"ENV_AUTH": "true", "NO_CHECK_BUCKET": "true"}
        given = {f"RCLONE_CONFIG_B_{name}": value for name, value in remote.items()}
        env = {**os.environ, **given, **self._options, **env, **_KEYS}
        subprocess.run([*RCLONE.split(), "--ignore-times", "copy", source, target], env=env, check=True)


_OURS = {f"RCLONE_{name}": "true" for name in ("NO_CHECK_DEST", "NO_TRAVERSE", "S3_NO_HEAD", "S3_NO_HEAD_OBJECT", "INPLACE")}
_OURS |= {"RCLONE_TRANSFERS": "16", "RCLONE_CHECKERS": "16"}
"""What the containers give it: one request for each file."""

_KEYS = {"RCLONE_S3_UPLOAD_CUTOFF": "4G", "AWS_ACCESS_KEY_ID": "admin", "AWS_SECRET_ACCESS_KEY": "password"}


def _pack(files: list[Path], home: Path) -> None:
    for index, file in enumerate(files, 1):
        shutil.copyfile(file, home / "artifacts" / str(index))


def _check(files: list[Path], fetched: list[Path]) -> None:
    assert [file.stat().st_size for file in files] == [file.stat().st_size for file in fetched]


def _run(shell: list[str], container: dict[str, object], folder: Path, **env: str) -> None:
    (folder / _LOG).write_text("")
    given = {entry["name"]: entry["value"].replace("$$", "$") for entry in container["env"] if "value" in entry}  # type: ignore[attr-defined]
    script = container["args"][0].replace("$$", "$")  # type: ignore[index]
    run = {**os.environ, **given, **env, **_KEYS, "TERMINATION_LOG": str(folder / _LOG)}
    subprocess.run([*shell, "-c", script], env=run, check=True)


def _said(folder: Path) -> str:
    """The last container's termination message."""
    return (folder / _LOG).read_text()


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
