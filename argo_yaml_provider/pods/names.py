"""Names and labels of pods: pure functions of dag, run, task, map index, generation and attempt.

Whoever comes next works out the same name, finds the pod and goes on; so no try ever has two pods.
Must not know: Airflow, Kubernetes.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import astuple, dataclass

PREFIX = "argo-yaml-provider/"
"""Of our own labels and annotations."""
ATTEMPT_LABEL = PREFIX + "attempt"
"""On every pod of a step; what a shared watch selects by."""
DAEMON_LABEL = PREFIX + "daemon"
"""On a pod that outlives its step, to the end of the run."""
WORKFLOW_LABEL = "workflows.argoproj.io/workflow"
NODE_NAME = "workflows.argoproj.io/node-name"
NODE_ID = "workflows.argoproj.io/node-id"
_MOST = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class PodKey:
    """What one pod belongs to."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    generation: int = 0
    attempt: int = 0
    workflow: str = ""
    """The workflow's name, which follows from dag and run: as in Argo, the names of its pods begin with it."""


def pod_name(key: PodKey) -> str:
    """A DNS label of at most 63 characters: readable at the front, unique by its hash."""
    parts = astuple(key)[:-1]
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:10]
    front = _dns(key.workflow)[: _MOST - len(digest) - 1].strip("-") or _dns(key.dag_id)[:25].strip("-")
    room = _MOST - len(front) - len(digest) - 2
    words = [front, _dns(key.task_id)[-min(room, 25) :].strip("-") if room > 0 else "", digest]
    return "-".join(word for word in words if word)


def pod_labels(key: PodKey) -> dict[str, str]:
    """The labels a pod is found by: KubernetesPodOperator's own words, and ours for what it does not know."""
    return {
        **task_labels(key.dag_id, key.run_id, key.task_id, key.map_index),
        PREFIX + "generation": str(key.generation),
        ATTEMPT_LABEL: str(key.attempt),
    }


def task_labels(dag_id: str, run_id: str, task_id: str | None = None, map_index: int | None = None) -> dict[str, str]:
    """Labels shared by all pods of a run, or of one task of it."""
    labels = {"dag_id": label_value(dag_id), "run_id": label_value(run_id)}
    if task_id is not None:
        labels["task_id"] = label_value(task_id)
    if map_index is not None:
        labels["map_index"] = str(map_index) if map_index >= 0 else "none"
    return labels


def label_value(text: str) -> str:
    """The text itself where it is a legal label value, else its legal part and a hash."""
    if len(text) <= 63 and re.fullmatch(r"([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?", text):
        return text
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-_.")[:52].rstrip("-_.")
    return f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:10]}".lstrip("-")


def _dns(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
