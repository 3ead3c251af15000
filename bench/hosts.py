"""A chain of `true` steps on each host in turn, against bare pods made one after the other: what a host costs a step.

Usage: python bench/hosts.py [HOST…] [--kubeconfig FILE --namespace NAME] [--steps 6] [--rounds 3]

Without a kubeconfig, on an embedded Kubernetes.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from contextlib import ExitStack

from chain import bare_pods, run_chain

from argo_yaml_provider.local import EmbeddedKubernetes

HOSTS = ("executor", "triggerer", "worker")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hosts", nargs="*", default=HOSTS, metavar="HOST", help=", ".join(HOSTS))
    parser.add_argument("--kubeconfig")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in ("bare pod", *options.hosts)}
    with ExitStack() as stack:
        kubeconfig = options.kubeconfig or str(stack.enter_context(EmbeddedKubernetes()).kubeconfig)
        for _ in range(options.rounds):
            times["bare pod"].append(asyncio.run(bare_pods(kubeconfig, options.namespace, options.steps)))
            for host in options.hosts:
                times[host].append(run_chain(kubeconfig, options.namespace, options.steps, host))
    bare = statistics.median(times["bare pod"])
    print(f"{'seconds a step, chain of ' + str(options.steps):30} {'min':>6} {'median':>6} {'max':>6} {'x bare':>7}")
    for name, found in times.items():
        median = statistics.median(found)
        print(f"{name:30} {min(found):6.2f} {median:6.2f} {max(found):6.2f} {median / bare:7.1f}")


if __name__ == "__main__":
    main()
