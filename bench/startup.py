"""Where the time goes between `argo-yaml run` and the first pod of hello-world.

Usage: python bench/startup.py [--kubeconfig FILE] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HELLO = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: hello-}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: busybox, command: [echo, hello]}
"""


def once(arguments: list[str]) -> list[tuple[str, float]]:
    """(what, seconds since the command began), to its end."""
    with tempfile.TemporaryDirectory() as folder:
        spec, marks = Path(folder) / "hello.yaml", Path(folder) / "marks.json"
        spec.write_text(HELLO)
        begun = time.time()
        subprocess.run(
            [sys.executable, "-m", "argo_yaml_provider", "run", str(spec), *arguments],
            env={**os.environ, "ARGO_YAML_MARKS": str(marks)},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        ended = time.time()
        found = [(what, when - begun) for what, when in json.loads(marks.read_text())]
        return [*found, ("command ended", ended - begun)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    arguments = ["--kubeconfig", options.kubeconfig, "--namespace", options.namespace] if options.kubeconfig else []
    rounds = [dict(once(arguments)) for _ in range(options.rounds)]
    print(f"{'seconds since the command began':34} {'min':>6} {'median':>6} {'max':>6}")
    for what in rounds[0]:
        times = [one[what] for one in rounds if what in one]
        print(f"{what:34} {min(times):6.2f} {statistics.median(times):6.2f} {max(times):6.2f}")


if __name__ == "__main__":
    main()
