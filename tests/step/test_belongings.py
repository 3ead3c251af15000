from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.step.belongings import delete_belongings, make_belongings, make_claims
from tests.step.conftest import LocalHost

CLAIM: dict[str, Any] = {
    "metadata": {"name": "work"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
SPEC: dict[str, Any] = {"volumeClaimTemplates": [CLAIM], "podDisruptionBudget": {"minAvailable": 1}}


async def names(host: LocalHost) -> list[str]:
    namespace = host.facts.namespace
    claims = await host.kube.call("GET", f"/api/v1/namespaces/{namespace}/persistentvolumeclaims")
    budgets = await host.kube.call("GET", f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets")
    return [
        one["metadata"]["name"] for one in (*claims["items"], *budgets["items"]) if "deletionTimestamp" not in one["metadata"]
    ]


async def test_they_are_made_once_and_named_after_the_run(host: LocalHost) -> None:
    for _ in range(2):
        await make_belongings(host, Decision(workflow=SPEC))
    assert await names(host) == ["wf-work", "wf"]


@pytest.mark.parametrize(
    ("strategy", "phase", "left"),
    [
        (None, Phase.SUCCEEDED, []),
        (None, Phase.FAILED, ["wf-work"]),
        ("OnWorkflowCompletion", Phase.FAILED, []),
        ("OnWorkflowSuccess", Phase.ERROR, ["wf-work"]),
    ],
)
async def test_they_go_as_volume_claim_gc_says(host: LocalHost, strategy: str | None, phase: Phase, left: list[str]) -> None:
    garbage = {"volumeClaimGC": {"strategy": strategy}} if strategy else {}
    host.plan = replace(host.plan, workflow={"spec": {**SPEC, **garbage}})
    await make_belongings(host, Decision(workflow=SPEC))
    await delete_belongings(host, phase)
    assert await names(host) == left


async def test_a_child_run_deletes_nothing(host: LocalHost) -> None:
    host.plan = replace(host.plan, workflow={"spec": SPEC})
    await make_belongings(host, Decision(workflow=SPEC))
    host.facts = replace(host.facts, depth=1)
    await delete_belongings(host, Phase.SUCCEEDED)
    assert await names(host) == ["wf-work", "wf"]


async def test_a_claim_of_another_run_is_not_taken(host: LocalHost) -> None:
    await make_belongings(host, Decision(workflow=SPEC))
    host.facts = replace(host.facts, uid="other")
    with pytest.raises(RunError) as caught:
        await make_belongings(host, Decision(workflow=SPEC))
    assert caught.value.message == "PersistentVolumeClaim 'wf-work' exists already, and is not this run's"


async def test_a_claim_that_cannot_be_made_says_why(host: LocalHost) -> None:
    assert await make_claims(host, [CLAIM]) == ""
    assert await make_claims(replace(host, facts=replace(host.facts, uid="another")), [CLAIM]) == (
        "PersistentVolumeClaim 'wf-work' exists already, and is not this run's"
    )
    wrong = {**CLAIM, "metadata": {"name": "bad"}, "spec": {**CLAIM["spec"], "accessModes": ["Wrong"]}}
    assert await make_claims(host, [wrong]) == (
        'PersistentVolumeClaim "wf-bad" is invalid: spec.accessModes: Unsupported value: "Wrong": '
        'supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'
    )
