"""Moves one artifact with the containers' own scripts, run by this machine's shell and programs instead of by a pod."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from argo_yaml_provider.artifacts.containers import Moved, fetch_containers, fifo, store_containers

Json = dict[str, Any]
Secrets = dict[str, dict[str, str]]


def fetch(artifact: Json, folder: Path, secrets: Secrets | None = None, **env: str) -> str:
    """Fetches to `folder/got`; what the container says at its end, '' where all went well."""
    moved = Moved(index=1, artifact={"name": "model", **artifact}, path=str(folder / "got"))
    return fetch_moved([moved], folder, secrets, **env)


def fetch_all(artifacts: list[Json], folder: Path, secrets: Secrets | None = None, **env: str) -> str:
    """Fetches them to `folder/got/NAME`, likewise."""
    moved = [
        Moved(index=index, artifact=artifact, path=str(folder / "got" / artifact["name"]))
        for index, artifact in enumerate(artifacts, start=1)
    ]
    return fetch_moved(moved, folder, secrets, **{"ARGO_MANY": str(folder / "many"), **env})


def fetch_moved(moved: Iterable[Moved], folder: Path, secrets: Secrets | None = None, **env: str) -> str:
    """Fetches them to their own places, likewise; what is at `folder/got` goes first."""
    shutil.rmtree(folder / "got", ignore_errors=True)
    (container,) = fetch_containers(moved)
    return _run(container, folder, secrets or {}, env).rstrip("\n")


def store(artifact: Json, source: Path, folder: Path, secrets: Secrets | None = None, **env: str) -> str:
    """Stores a file or folder, as it is; what the container says at its end: `saved SIZE`, or why not."""
    return store_all([({"name": "model", **artifact}, source)], folder, secrets, **env).removeprefix("1 ")


def store_all(artifacts: list[tuple[Json, Path]], folder: Path, secrets: Secrets | None = None, **env: str) -> str:
    """Stores each from its file or folder; what the container says at its end: a line `INDEX …` for each."""
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    (home / "artifacts").mkdir(parents=True)
    for index, (_, source) in enumerate(artifacts, start=1):
        (shutil.copytree if source.is_dir() else shutil.copy)(source, home / "artifacts" / str(index))
    moved = [Moved(index=index, artifact=artifact, path="") for index, (artifact, _) in enumerate(artifacts, start=1)]
    (container,) = store_containers(moved)
    gate = home / fifo(container["tool"])
    os.mkfifo(gate)
    threading.Thread(target=gate.write_text, args=("",), daemon=True).start()
    return _run(container, folder, secrets or {}, {**env, "ARGO_HOME": str(home)}).rstrip("\n")


def _run(container: Json, folder: Path, secrets: Secrets, env: dict[str, str]) -> str:
    log = folder / "termination-log"
    log.write_text("")
    given = {"ARGO_TRANSFER_ATTEMPTS": "1"}
    for entry in container["env"]:
        if "value" in entry:
            given[entry["name"]] = entry["value"].replace("$$", "$")
        elif (value := secrets.get((ref := entry["valueFrom"]["secretKeyRef"])["name"], {}).get(ref["key"])) is not None:
            given[entry["name"]] = value
    subprocess.run(
        ["sh", "-c", container["args"][0].replace("$$", "$")],
        env={
            "PATH": os.environ["PATH"],
            "RCLONE_CONFIG": "/dev/null",
            **given,
            "HOME": str(folder),
            **env,
            "TERMINATION_LOG": str(log),
        },
        check=False,
        capture_output=True,
        timeout=120,
    )
    return log.read_text()
