from __future__ import annotations

from argo_yaml_provider.flow.affinity import avoiding
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.plan.nodes import Json

FAILED = (Attempt(phase=Phase.FAILED, host_node="n1"), Attempt(phase=Phase.ERROR, host_node="n2"))


def terms(affinity: Json | None) -> list[Json]:
    assert affinity is not None
    found: list[Json] = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return found


def test_nothing_changes_before_the_first_failure() -> None:
    assert avoiding(None, ()) is None
    assert avoiding({"podAffinity": {}}, (Attempt(phase=Phase.SUCCEEDED, host_node="n1"),)) == {"podAffinity": {}}


def test_hosts_of_failed_attempts_are_ruled_out() -> None:
    ruled_out = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["n1", "n2"]}
    assert terms(avoiding(None, FAILED)) == [{"matchExpressions": [ruled_out]}]


def test_what_was_written_stays_and_is_not_changed_in_place() -> None:
    rule = {"key": "disk", "operator": "In", "values": ["ssd"]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}}
    written = {"nodeAffinity": required}
    once = avoiding(written, FAILED[:1])
    twice = avoiding(once, FAILED)
    assert terms(written) == [{"matchExpressions": [rule]}]
    assert [one["values"] for one in terms(twice)[0]["matchExpressions"]] == [["ssd"], ["n1", "n2"]]
