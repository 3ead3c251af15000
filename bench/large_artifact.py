"""One large artifact from step to step through containers with little memory, on a real cluster: does it arrive, how fast?

Usage: KUBECONFIG=… python bench/large_artifact.py [--mebibytes 5120] [--memory 128Mi]

Needs a cluster whose pods reach this machine as `minio`; moto serves S3 here at port 9000. The namespace is deleted afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.s3 import serve_s3

NAMESPACE = "bench-large-artifact"
SETUP = """
apiVersion: v1
kind: Namespace
metadata: {{name: {namespace}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: s3, namespace: {namespace}}}
stringData: {{key: admin, secret: password}}
---
apiVersion: v1
kind: LimitRange
metadata: {{name: memory, namespace: {namespace}}}
spec: {{limits: [{{type: Container, default: {{memory: {memory}}}, defaultRequest: {{memory: 10Mi}}}}]}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mebibytes", type=int, default=5120)
    parser.add_argument("--memory", default="128Mi")
    chosen = parser.parse_args()
    if "KUBECONFIG" not in os.environ:
        print("skipped: it needs a real cluster; set KUBECONFIG")
        return
    setup = SETUP.format(namespace=NAMESPACE, memory=chosen.memory)
    subprocess.run(["kubectl", "apply", "-f", "-"], input=setup, text=True, check=True, stdout=subprocess.DEVNULL)
    try:
        with serve_s3():
            report(chosen.mebibytes, chosen.memory)
    finally:
        subprocess.run(["kubectl", "delete", "namespace", NAMESPACE, "--wait=false"], check=True, stdout=subprocess.DEVNULL)


def report(mebibytes: int, memory: str) -> None:
    """Run the workflow; its second step compares the checksum."""
    file = Path(__file__).with_name("large-artifact.yaml")
    where = ["--kubeconfig", os.environ["KUBECONFIG"], "--namespace", NAMESPACE, "--timeout", "7200"]
    command = [
        sys.executable,
        "-m",
        "argo_yaml_provider",
        "run",
        "--output",
        "json",
        file,
        "-p",
        f"mebibytes={mebibytes}",
        *where,
    ]
    begun = time.perf_counter()
    result = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout)
    print(f"{mebibytes} MiB through containers of {memory}: {result['phase']} after {time.perf_counter() - begun:.0f} s")
    for node in result["nodes"]:
        print(f"  {node['name']}: {node['phase']} {node['startedAt']} to {node['finishedAt']} {node['message']}")
    sys.exit(0 if result["phase"] == "Succeeded" else 1)


if __name__ == "__main__":
    main()
