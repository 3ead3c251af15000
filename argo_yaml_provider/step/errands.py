"""Errands: artifacts brought to a folder of this machine, or deleted, by a pod of their own.

In: a Kube, artifacts with whole locations.  Out: files; or why an artifact could not be deleted.
Must not know: Airflow, how a store is reached.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from argo_yaml_provider.artifacts.containers import INPUTS
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.pods.errands import HELD, Errand, deleting_errand, fetching_errand
from argo_yaml_provider.pods.settings import PodSettings
from argo_yaml_provider.step.kube import Kube
from argo_yaml_provider.step.outcome import DELETE_PREFIX, pending_reason, read_end
from argo_yaml_provider.step.reports import read_reports
from argo_yaml_provider.step.unpack import unpack

Json = dict[str, Any]


async def bring(kube: Kube, errand: Errand, artifacts: Sequence[Json], settings: PodSettings, places: Sequence[Path]) -> None:
    """Puts each artifact, a file or a folder as its store has it, at its place of this machine."""
    manifest = fetching_errand(errand, artifacts, settings)
    async with _pod(kube, manifest) as made:
        pod = await _until(kube, made, _is_holding)
        if not _is_holding(pod):
            raise RunError(_problem(pod))
        for index, place in enumerate(places, start=1):
            await _copy(kube, pod, index, place)


async def delete(kube: Kube, errand: Errand, artifacts: Sequence[Json], settings: PodSettings) -> dict[int, str]:
    """Deletes the artifacts; why it could not, by index from 0 on."""
    manifest = deleting_errand(errand, artifacts, settings)
    async with _pod(kube, manifest) as made:
        pod = await _until(kube, made, lambda _: False)
        if pod.get("status", {}).get("phase") != "Succeeded":
            return dict.fromkeys(range(len(artifacts)), _problem(pod))
        said = await read_reports(kube, pod, DELETE_PREFIX)
        return {index - 1: words.removeprefix("failed ") for index, words in said.items()}


@asynccontextmanager
async def _pod(kube: Kube, manifest: Json) -> AsyncIterator[Json]:
    pod, _ = await kube.create_pod(manifest)
    try:
        yield pod
    finally:
        await asyncio.shield(kube.delete_pod(pod["metadata"]["namespace"], pod["metadata"]["name"]))


async def _until(kube: Kube, pod: Json, enough: Callable[[Json], bool]) -> Json:
    """The pod, when that holds or it has ended."""
    async with kube.watch_pod(pod) as feed:
        while not enough(pod) and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            seen = await feed.next()
            pod = seen.pod
            if seen.gone:
                break
    return pod


def _is_holding(pod: Json) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return any(status["name"] == HELD and "running" in status.get("state", {}) for status in statuses)


def _problem(pod: Json) -> str:
    end = read_end(pod, gone=True)
    return pending_reason(pod) or (end.message if end else "") or "the pod ended without a word"


async def _copy(kube: Kube, pod: Json, index: int, place: Path) -> None:
    """As a tar through the API server's exec, never whole in memory; under its name only once it is whole."""
    command = ["/bin/busybox", "tar", "-c", "-f", "-", "-C", INPUTS, str(index)]
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_name(f".{place.name}.part")
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source:
        extraction = asyncio.create_task(asyncio.to_thread(unpack, source, unfinished))
        # Whatever ends the extraction closes its end; it says itself what that was.
        with suppress(BrokenPipeError), os.fdopen(writer, "wb") as sink:
            async for chunk in kube.execute(pod, HELD, command):
                await asyncio.to_thread(sink.write, chunk)
        await extraction
    unfinished.replace(place)
