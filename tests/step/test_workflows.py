from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.facts import RunFacts
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.plan.nodes import Call, CallKind, Plan
from argo_yaml_provider.pods.names import PodKey
from argo_yaml_provider.step.kube import Kube
from argo_yaml_provider.step.resource import run_resource
from tests.step.conftest import LocalHost, settled

SPEC = "spec:\n  entrypoint: main\n  templates: [{name: main, container: {image: busybox, command: [a]}}]\n"
HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n"
NAMED = f"{HEAD}metadata: {{name: other}}\n{SPEC}"
NAME: dict[str, Any] = {"name": "name", "valueFrom": {"jsonPath": "{.metadata.name}"}}
WAITS: dict[str, Any] = {"successCondition": "status.phase == Succeeded", "failureCondition": "status.phase in (Failed, Error)"}
FACTS = RunFacts(name="wf-abcde", namespace="ns", uid="u", created_at="2026-01-01T00:00:00Z")


@pytest.fixture
def host(embedded: str) -> LocalHost:
    """One that asks no API server: what is a run of ours, no cluster hears of."""
    return LocalHost(kube=Kube.__new__(Kube), facts=FACTS)


async def act(host: LocalHost, *outputs: dict[str, Any], attempt: int = 0, **resource: Any) -> Attempt:
    template: dict[str, Any] = {"name": "t", "resource": resource, "outputs": {"parameters": list(outputs)}}
    decision = Decision(kind=CallKind.RESOURCE, node="wf", template=template, attempt=attempt)
    return await run_resource(host, decision, PodKey(dag_id="dag", run_id="run", task_id="main"))


async def test_a_manifest_that_is_a_workflow_becomes_a_run_and_is_told_as_an_object(host: LocalHost) -> None:
    uid = {"name": "uid", "valueFrom": {"jqFilter": ".metadata.uid | length"}}
    done = await act(host, NAME, uid, action="create", manifest=f"{HEAD}metadata: {{generateName: sub-}}\n{SPEC}")
    ((ref, workflow),) = host.workflows.objects.items()
    assert (done.phase, done.exit_code, done.parameters["uid"]) == (Phase.SUCCEEDED, "0", "32")
    assert done.parameters["name"] == workflow["metadata"]["name"]
    assert workflow["metadata"]["name"].startswith("sub-")
    assert (ref.dag_id, workflow["metadata"]["namespace"]) == ("sub", "ns")
    assert host.logged("") == [f"workflow {done.parameters['name']} is the run {ref.run_id} of the DAG sub"]


async def test_what_was_submitted_is_not_submitted_again_by_the_next_host(host: LocalHost) -> None:
    manifest = f"{HEAD}metadata: {{generateName: sub-}}\n{SPEC}"
    first = await act(host, NAME, action="create", manifest=manifest)
    host.kept.clear()  # it died before it could say so
    second = await act(host, NAME, action="create", manifest=manifest)
    assert first.parameters == second.parameters
    assert len(host.workflows.objects) == 1


@pytest.mark.parametrize(
    ("phase", "ended", "message"),
    [
        pytest.param("Succeeded", Phase.SUCCEEDED, "", id="success"),
        pytest.param(
            "Error",
            Phase.FAILED,
            "main: Error (exit code 64): failure condition 'status.phase in (Error,Failed)' evaluated true",
            id="failure",
        ),
    ],
)
async def test_conditions_look_at_the_run(host: LocalHost, phase: str, ended: Phase, message: str) -> None:
    waiting = asyncio.create_task(act(host, action="create", manifest=NAMED, **WAITS))
    await settled(lambda: bool(host.workflows.objects))
    host.workflows.end(phase)
    done = await waiting
    assert (done.phase, done.message) == (ended, message)


async def test_a_name_is_taken_while_its_run_goes_on(host: LocalHost) -> None:
    await act(host, action="create", manifest=NAMED)
    refused = await act(host, attempt=1, action="create", manifest=NAMED)
    said = 'no more retries Error from server (AlreadyExists): workflows.argoproj.io "other" already exists'
    assert (refused.phase, refused.message) == (Phase.FAILED, f"main: Error (exit code 64): {said}")
    host.workflows.end("Failed")
    assert (await act(host, attempt=2, action="create", manifest=NAMED)).phase == Phase.SUCCEEDED


async def test_apply_takes_the_run_that_is_there_even_if_it_is_over(host: LocalHost) -> None:
    await act(host, action="apply", manifest=NAMED)
    host.workflows.end("Succeeded")
    await act(host, attempt=1, action="apply", manifest=NAMED)
    assert len(host.workflows.objects) == 1


async def test_get_and_delete_by_manifest_and_by_flags(host: LocalHost) -> None:
    await act(host, action="create", manifest=NAMED)
    named = await act(host, NAME, attempt=1, action="get", flags=["wf", "other"])
    assert named.parameters == {"name": "other"}
    await act(host, attempt=2, action="delete", manifest=f"{HEAD}metadata: {{name: other}}\n")
    gone = await act(host, attempt=3, action="get", manifest=f"{HEAD}metadata: {{name: other}}\n")
    said = 'no more retries Error from server (NotFound): workflows.argoproj.io "other" not found'
    assert gone.message == f"main: Error (exit code 64): {said}"
    assert host.workflows.objects == {}


async def test_an_owner_is_named(host: LocalHost) -> None:
    await act(host, action="create", manifest=NAMED, setOwnerReference=True)
    ((owner,),) = (one["metadata"]["ownerReferences"] for one in host.workflows.objects.values())
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Workflow", "wf-abcde", "u")


async def test_a_wrong_manifest_fails_with_its_problem(host: LocalHost) -> None:
    wrong = await act(host, action="create", manifest=NAMED.replace("entrypoint: main", "entrypoint: mian"))
    assert wrong.phase == Phase.FAILED
    assert 'manifest:5:15: the entrypoint "mian" is not defined [unknown-template]' in wrong.message
    assert host.workflows.objects == {}


async def test_a_field_that_argo_does_not_know_is_passed_over_as_by_an_api_server(host: LocalHost) -> None:
    manifest = NAMED.replace("[{name: main,", "[{name: main, resources: {requests: {cpu: 3}},")
    assert (await act(host, action="create", manifest=manifest)).phase == Phase.SUCCEEDED


async def test_a_manifest_refers_to_the_templates_that_came_with_the_plan(host: LocalHost) -> None:
    library = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {"name": "lib"},
        "spec": {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "x", "command": ["a"]}}]},
    }
    host.plan = replace(host.plan, library=(library,))
    manifest = f"{HEAD}metadata: {{generateName: sub-}}\nspec: {{workflowTemplateRef: {{name: lib}}}}\n"
    assert (await act(host, action="create", manifest=manifest)).phase == Phase.SUCCEEDED
    assert list(host.workflows.plans[0].templates) == ["local//main"]


async def test_workflows_that_submit_each_other_for_ever_are_stopped(host: LocalHost) -> None:
    host.facts = replace(FACTS, submissions=100)
    stopped = await act(host, action="create", manifest=NAMED)
    said = "workflows that submit workflows are nested more than 100 deep: does this ever end?"
    assert stopped.message == f"main: Error (exit code 64): {said}"


async def test_what_runs_cannot_be_changed(host: LocalHost) -> None:
    changed = await act(host, action="patch", mergeStrategy="merge", manifest=NAMED)
    assert changed.message == "main: Error (exit code 64): a Workflow that runs here cannot be changed"


async def test_a_cluster_that_has_argo_is_spoken_to_where_the_workflow_says_so(host: LocalHost, embedded: str) -> None:
    annotations = {"argo-yaml/workflow-manifests": "cluster"}
    root = Call(id="main", name="", kind=CallKind.POD, template="t", source={})
    host.plan = Plan(name="wf", workflow={"metadata": {"annotations": annotations}}, templates={}, root=root)
    host.kube = await Kube.open(embedded)
    refused = await act(host, action="create", manifest=NAMED)
    await host.kube.close()
    assert 'no matches for kind "Workflow" in version "argoproj.io/v1alpha1"' in refused.message
