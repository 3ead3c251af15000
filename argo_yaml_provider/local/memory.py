"""Memory limits without cgroups: a container's processes are looked at now and then.

In: a container's first process and its limit.  Out: that it went past the limit.
Must not know: pods. It is best effort: a process that grows and dies between two looks is not seen.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from argo_yaml_provider.local.environment import parse_quantity
from argo_yaml_provider.local.resources import Json

_EVERY = 0.25


def limit_of(container: Json) -> int | None:
    text = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    return int(parse_quantity(text)) if text else None


async def exceeded(pid: int, limit: int) -> None:
    """Return once the processes under `pid` hold more than `limit` bytes; never, where nobody can tell."""
    while True:
        if used_by(pid) > limit:
            return
        await asyncio.sleep(_EVERY)


def used_by(pid: int) -> int:
    """The memory that a process and its descendants do not share with files, in bytes."""
    total = 0
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
        total = (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(used_by(int(child)) for child in (task / "children").read_text().split())
    except OSError:
        pass
    return total
