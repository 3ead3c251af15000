"""Keeps a retried step off the nodes where it failed: retryStrategy.affinity.nodeAntiAffinity.

Argo: workflow/util/retry/retry.go, AddHostnamesToAffinity.
Must not know: Airflow, Kubernetes' API.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

_LABEL = "kubernetes.io/hostname"


def on_other_hosts(pod: Json, hosts: Sequence[str]) -> Json:
    """The pod, kept off these nodes."""
    names = list(dict.fromkeys(host for host in hosts if host))
    if not names:
        return pod
    pod = copy.deepcopy(pod)
    required = (
        pod["spec"]
        .setdefault("affinity", {})
        .setdefault("nodeAffinity", {})
        .setdefault("requiredDuringSchedulingIgnoredDuringExecution", {})
    )
    # Terms are alternatives: each must keep the pod off.
    for term in required.setdefault("nodeSelectorTerms", []) or [_first_term(required)]:
        expressions = term.setdefault("matchExpressions", [])
        expressions.append({"key": _LABEL, "operator": "NotIn", "values": names})
    return pod


def _first_term(required: Json) -> Json:
    term: Json = {}
    required["nodeSelectorTerms"].append(term)
    return term
