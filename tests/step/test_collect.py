"""Which artifacts artifactGC takes, and by which pods."""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.plan.nodes import Call, CallKind, Plan
from argo_yaml_provider.pods.errands import deleting_errand, fetching_errand
from argo_yaml_provider.pods.settings import PodSettings
from argo_yaml_provider.step.collect import ON_COMPLETION, ON_DELETION, _doomed, _errands, collects

REPOSITORY = {"s3": {"endpoint": "e", "bucket": "b", "accessKeySecret": {"name": "s", "key": "k"}}}
ROOT = Call(id="main", name="", kind=CallKind.POD, template="t", source={})


def node(name: str, **gc: Any) -> dict[str, Any]:
    location = {"path": "/a", "s3": {"key": f"k/{name}.tgz"}, **({"artifactGC": gc} if gc else {})}
    record = {"store": "s3", "bucket": "b", "key": f"k/{name}.tgz", "location": location}
    return {"name": name, "stored": {"a": record}}


def plan(spec: dict[str, Any], **gc: Any) -> Plan:
    template = {"name": "t", "outputs": {"artifacts": [{"name": "a", "path": "/a", **({"artifactGC": gc} if gc else {})}]}}
    return Plan(name="wf", workflow={"spec": spec}, templates={"t": template}, root=ROOT)


def test_an_artifacts_own_strategy_goes_before_the_workflows() -> None:
    spec = {"artifactGC": {"strategy": ON_DELETION}}
    nodes = [node("x"), node("y", strategy=ON_COMPLETION), node("z", strategy="Never"), {"name": "steps"}]
    assert [one.node for one in _doomed(nodes, spec, REPOSITORY, ON_DELETION)] == ["x"]
    (own,) = _doomed(nodes, spec, REPOSITORY, ON_COMPLETION)
    assert (own.node, own.artifact["s3"]) == ("y", {**REPOSITORY["s3"], "key": "k/y.tgz"})


def test_only_a_workflow_that_may_delete_is_looked_through() -> None:
    assert [collects(one) for one in (plan({}), plan({"artifactGC": {"strategy": "Never"}}))] == [False, False]
    assert [collects(one) for one in (plan({"artifactGC": {"strategy": ON_COMPLETION}}), plan({}, strategy=ON_DELETION))] == [
        True,
        True,
    ]


def test_each_service_account_has_a_pod_of_its_own() -> None:
    spec = {"artifactGC": {"strategy": ON_COMPLETION, "serviceAccountName": "all", "podMetadata": {"labels": {"a": "1"}}}}
    nodes = [node("x"), node("y", serviceAccountName="one", podMetadata={"labels": {"b": "2"}}), node("z")]
    doomed = list(_doomed(nodes, spec, REPOSITORY, ON_COMPLETION))
    found = {
        errand.service_account: (errand.labels, [one.node for one in some])
        for errand, some in _errands(doomed, spec, "wf", "n", "wfcomp")
    }
    assert found == {"all": ({"a": "1"}, ["x", "z"]), "one": ({"a": "1", "b": "2"}, ["y"])}


def test_a_pod_that_deletes_says_only_what_it_could_not() -> None:
    spec = {"artifactGC": {"strategy": ON_COMPLETION, "podSpecPatch": '{"priorityClassName": "low"}'}}
    ((errand, some),) = _errands(list(_doomed([node("x")], spec, REPOSITORY, ON_COMPLETION)), spec, "wf", "n", "wfcomp")
    pod = deleting_errand(errand, [one.artifact for one in some], PodSettings())
    (container,) = pod["spec"]["containers"]
    assert (container["name"], pod["spec"]["priorityClassName"]) == ("argo-delete-rclone", "low")
    assert "rclone" in container["args"][0].split("delete_1() {")[1].split("\n")[1]


def test_a_pod_that_brings_artifacts_unpacks_nothing() -> None:
    spec = {"artifactGC": {"strategy": ON_COMPLETION}}
    ((errand, some),) = _errands(list(_doomed([node("x")], spec, REPOSITORY, ON_COMPLETION)), spec, "wf", "n", "wfcomp")
    pod = fetching_errand(errand, [one.artifact for one in some], PodSettings())
    (init,) = pod["spec"]["initContainers"]
    assert "place_one 1 a /argo/inputs/artifacts/1 none no '' ''" in init["args"][0]
    assert pod["spec"]["containers"][0]["volumeMounts"] == [{"name": "artifacts", "mountPath": "/argo/inputs/artifacts"}]
