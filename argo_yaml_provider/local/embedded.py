"""Start and stop an embedded Kubernetes from Python.

In: where to keep state.  Out: `EmbeddedKubernetes`: kubeconfig, url, token.
Must not know: what runs on it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from argo_yaml_provider.diagnostics import RunError

_UNISOLATED = (
    "pods run as plain processes of this user: this system allows no mount namespaces, "
    "so pods see and can change the files of this machine"
)


class EmbeddedKubernetes:
    """A Kubernetes of one's own, in a process that ends with this one.

    `with EmbeddedKubernetes() as kube: …kube.kubeconfig…`; or `start()` and `stop()`.
    """

    def __init__(self, root: Path | None = None, *, images: Path | None = None, instant_pods: float | None = None) -> None:
        self._root, self._images, self._instant_pods = root, images, instant_pods
        self._process: subprocess.Popen[bytes] | None = None
        self.kubeconfig = Path()
        self.url = self.token = ""
        self.sandbox = ""
        """`root`, `user` or `plain`: what isolates the pods."""

    @property
    def pid(self) -> int:
        """Its process; 0 while there is none."""
        return self._process.pid if self._process else 0

    @property
    def warning(self) -> str:
        """One line on what is not isolated; empty where pods have a file system of their own."""
        return _UNISOLATED if self.sandbox == "plain" else ""

    def start(self) -> Self:
        """Start it and wait until it answers."""
        command = [sys.executable, "-P", "-m", "argo_yaml_provider.local", "--until-eof"]
        for option, value in (("--root", self._root), ("--images", self._images)):
            command += [option, str(value)] if value else []
        command += [] if self._instant_pods is None else ["--instant-pods", str(self._instant_pods)]
        # a session of its own: Ctrl-C in the terminal is for the parent to act on
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RunError(f"the embedded Kubernetes did not start (exit code {self._process.wait()}); its reason stands above")
        ready = json.loads(line)
        self.kubeconfig, self.url, self.token = Path(ready["kubeconfig"]), ready["url"], ready["token"]
        self.sandbox = ready["sandbox"]
        return self

    def stop(self) -> None:
        """End it, its pods and its state."""
        if self._process is None:
            return
        process, self._process = self._process, None
        assert process.stdin
        process.stdin.close()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
