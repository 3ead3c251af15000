"""An S3 server for tests: moto's, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

BUCKET = "my-bucket"
_START_SECONDS = 60.0


@contextmanager
def serve_s3(port: int = 9000) -> Iterator[str]:
    """The address of a server with the bucket `my-bucket`: the one that answers at that port already, else a new one."""
    url = f"http://127.0.0.1:{port}"
    if _answers(url):
        _make_bucket(url)
        yield url
        return
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "0.0.0.0", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(url, server)
            _make_bucket(url)
            yield url
        finally:
            server.terminate()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while not _answers(url):
        if server.poll() is not None or time.monotonic() > end:
            message = "moto's S3 server did not start; is moto[server] installed?"
            raise RuntimeError(message)
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _make_bucket(url: str) -> None:
    """One that is there already stays as it is."""
    request = urllib.request.Request(f"{url}/{BUCKET}", method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=30):
            pass
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise
