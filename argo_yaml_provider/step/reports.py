"""What a container hands on at its end: its termination message, or, where that would be too much, its log.

In: an ended pod.  Out: lines, and by its index what became of each artifact that was stored or deleted.
A log that has lines of others too marks its own, which the task's log leaves out.
Must not know: Airflow, what the lines mean.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.step.kube import Kube

Json = dict[str, Any]

MARK = b"argo-report: "
"""Begins each line of a report in the log of a container that moved artifacts."""


async def read_reports(kube: Kube, pod: Json, prefix: str) -> dict[int, str]:
    """What became of each artifact, in the words of the containers whose names begin so."""
    said = {}
    statuses = pod.get("status", {}).get("containerStatuses", [])
    for status in (status for status in statuses if status["name"].startswith(prefix)):
        message = (status.get("state", {}).get("terminated") or {}).get("message") or ""
        lines = message.splitlines()
        if message.startswith("large "):
            lines = [line.decode(errors="replace") for line in await read_lines(kube, pod, status["name"], message, MARK)]
        for line in lines:
            index, _, rest = line.partition(" ")
            if index.isdigit():
                said[int(index)] = rest
    return said


async def read_lines(kube: Kube, pod: Json, container: str, large: str, mark: bytes = b"") -> list[bytes]:
    """As many lines of the container's log, without their mark, as its message `large BYTES` speaks of."""
    lines, size = [], int(large.split()[1])
    async with kube.read_log(pod, container, follow=True) as log:
        async for line in log:
            text = line.partition(b" ")[2]
            if text.startswith(mark):
                lines.append(text.removeprefix(mark))
                size -= len(lines[-1]) + 1
            if size <= 0:
                break
    return lines
