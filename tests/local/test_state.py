from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from argo_yaml_provider.local import EmbeddedKubernetes

OUTLIVES = """
import os, sys
from pathlib import Path
from argo_yaml_provider.local import EmbeddedKubernetes
kube = EmbeddedKubernetes(Path(sys.argv[1])).start()
import kubernetes
core = kubernetes.client.CoreV1Api(kubernetes.config.new_client_from_config(str(kube.kubeconfig)))
main = {"name": "main", "image": "busybox", "command": ["sh", "-c", "sleep 4242 & exec sleep 4242"]}
core.create_namespaced_pod("default", {"metadata": {"name": "long"}, "spec": {"containers": [main]}})
while core.read_namespaced_pod("long", "default").status.phase != "Running":
    pass
print(kube._process.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def started(tmp_path: Path) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-c", OUTLIVES, str(tmp_path)]
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    return parent, int(parent.stdout.readline())


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def children(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for line in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += children(int(line))
    return found


def test_it_ends_with_its_parent_and_leaves_nothing(started: tuple[subprocess.Popen[str], int], tmp_path: Path) -> None:
    parent, server = started
    family = children(server)
    assert len(family) >= 3
    parent.kill()
    parent.wait()
    assert all(gone(pid) for pid in family)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_server_takes_its_pods_along_and_the_next_one_cleans_up(
    started: tuple[subprocess.Popen[str], int], tmp_path: Path
) -> None:
    parent, server = started
    family = children(server)
    os.kill(server, signal.SIGKILL)
    assert all(gone(pid) for pid in family)
    assert len(list(tmp_path.iterdir())) == 1
    with EmbeddedKubernetes(tmp_path) as kube:
        assert list(tmp_path.iterdir()) == [kube.kubeconfig.parent]
    assert list(tmp_path.iterdir()) == []
    parent.kill()
    parent.wait()


def test_an_interrupt_in_the_terminal_is_the_parents_business(tmp_path: Path) -> None:
    with EmbeddedKubernetes(tmp_path) as kube:
        assert kube._process
        os.kill(kube._process.pid, signal.SIGINT)
        time.sleep(0.2)
        assert kube._process.poll() is None


def test_two_live_side_by_side(tmp_path: Path) -> None:
    with EmbeddedKubernetes(tmp_path) as one, EmbeddedKubernetes(tmp_path) as other:
        assert one.url != other.url
        assert one.kubeconfig.exists()
        assert other.kubeconfig.exists()
