from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

from argo_yaml_provider.local.processes import Process, Processes


async def test_a_start_that_fails_once_nobody_waits_for_it_is_no_news(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    processes = Processes(tmp_path)
    process = processes._running["1"] = Process(processes, "1")
    waiting = asyncio.ensure_future(asyncio.shield(process.started))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    processes._note(process, {"id": "1", "failed": {"kind": "gone", "message": "its container has ended"}})
    await asyncio.sleep(0)
    del process, waiting
    gc.collect()
    assert told == []
