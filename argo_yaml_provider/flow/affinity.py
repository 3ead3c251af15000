"""`retryStrategy.affinity.nodeAntiAffinity`: the next attempt keeps away from the machines where earlier ones failed.

In: an affinity as written, attempts.  Out: the affinity of the next pod.
Must not know: pods. Argo: workflow/util/retry, AddHostnamesToAffinity.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from argo_yaml_provider.flow.outcome import Attempt
from argo_yaml_provider.flow.results import FAILURES
from argo_yaml_provider.plan.nodes import Json

_LABEL = "kubernetes.io/hostname"


def avoiding(affinity: Json | None, attempts: Sequence[Attempt]) -> Json | None:
    """The affinity with every host of a failed attempt ruled out."""
    hosts = list(dict.fromkeys(a.host_node for a in attempts if a.phase in FAILURES and a.host_node))
    if not hosts:
        return affinity
    changed = copy.deepcopy(affinity or {})
    required = changed.setdefault("nodeAffinity", {}).setdefault("requiredDuringSchedulingIgnoredDuringExecution", {})
    terms: list[Json] = required.setdefault("nodeSelectorTerms", [])
    if not terms:
        terms.append({})
    _rule_out(terms, hosts)
    return changed


def _rule_out(terms: list[Json], hosts: list[str]) -> None:
    """Add to the term that rules out hosts already, else to the first that is empty, else to the first."""
    for term in terms:
        expressions: list[dict[str, Any]] = term.get("matchExpressions") or []
        if not expressions:
            term["matchExpressions"] = [_not_in(hosts)]
            return
        for expression in expressions:
            if expression.get("key") == _LABEL and expression.get("operator") == "NotIn":
                expression["values"] = list(dict.fromkeys([*(expression.get("values") or ()), *hosts]))
                return
    terms[0]["matchExpressions"].append(_not_in(hosts))


def _not_in(hosts: list[str]) -> Json:
    return {"key": _LABEL, "operator": "NotIn", "values": hosts}
