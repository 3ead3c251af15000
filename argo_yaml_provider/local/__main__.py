"""`python -m argo_yaml_provider.local`: serve in the foreground, or until stdin ends.

In: arguments.  Out: one line of JSON on stdout once it serves.
Must not know: who asked.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from argo_yaml_provider.local.state import claim_folder, read_images, release_folder


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m argo_yaml_provider.local", description="Kubernetes on loopback.")
    parser.add_argument("--root", type=Path, help="where state folders are made (default: the temporary folder)")
    parser.add_argument("--images", type=Path, help="further images, as YAML (default: $ARGO_YAML_IMAGES)")
    parser.add_argument("--instant-pods", type=float, metavar="SECONDS", help="run nothing: pods succeed after so many seconds")
    parser.add_argument("--until-eof", action="store_true", help="stop when stdin ends")
    return parser.parse_args()


async def _serve(folder: Path, images: dict[str, Any], *, until_eof: bool, instant: float | None) -> None:
    from argo_yaml_provider.local.server import Server

    server = Server(folder, images, instant=instant)
    await server.start()
    ready = {"kubeconfig": str(folder / "kubeconfig"), "url": server.url, "token": server.token, "sandbox": server.mode}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, told.set)
    if until_eof:
        loop.add_reader(0, _at_eof, told)
    else:
        loop.add_signal_handler(signal.SIGINT, told.set)
    await told.wait()
    await server.stop()


def _at_eof(told: asyncio.Event) -> None:
    if not os.read(0, 4096):
        told.set()


def main() -> None:
    arguments = _arguments()
    if arguments.until_eof:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to act on
    os.umask(0o022)
    images = read_images(arguments.images)
    gc.set_threshold(100_000, 50, 50)  # thousands of pods are many dicts, none of them garbage
    folder = claim_folder(arguments.root)
    try:
        asyncio.run(_serve(folder, images, until_eof=arguments.until_eof, instant=arguments.instant_pods))
    finally:
        release_folder(folder)


if __name__ == "__main__":
    main()
