"""What a run has in the cluster beside its pods: the claims of volumeClaimTemplates, its PodDisruptionBudget.

Made before a pod that may need them, by whichever step is first; deleted at the verdict, as volumeClaimGC says.
Argo: workflow/controller/operator.go, createPVCs, deletePVCs, createPDBResource.
Must not know: Airflow, pods.
"""

from __future__ import annotations

import hashlib

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.pods.names import PREFIX, WORKFLOW_LABEL
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.kube import ApiError, Json, suppress_status

OWNER_LABEL = PREFIX + "run"
"""Tells runs of one name apart."""


async def make_belongings(host: Host, decision: Decision) -> None:
    """Makes what the workflow's spec asks for and is not there yet."""
    name = host.facts.name
    await _make_claims(host, decision.workflow.get("volumeClaimTemplates") or [])
    budget = decision.workflow.get("podDisruptionBudget")
    if budget is not None:
        selector = budget.get("selector") or {"matchLabels": {WORKFLOW_LABEL: name}}
        spec = {**budget, "selector": selector}
        manifest = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}
        await _make(host, _budgets(host), manifest)


async def make_claims(host: Host, claims: list[Json]) -> str:
    """Makes the claims of volumeClaimTemplates; why they cannot be made, '' if they were."""
    try:
        await _make_claims(host, claims)
    except RunError as error:
        return error.message
    return ""


async def _make_claims(host: Host, claims: list[Json]) -> None:
    for claim in claims:
        metadata = {**claim.get("metadata", {}), "name": f"{host.facts.name}-{claim['metadata']['name']}"}
        manifest = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim.get("spec") or {}}
        await _make(host, _claims(host), manifest)


async def delete_belongings(host: Host, phase: Phase) -> None:
    """At the workflow's end; a child run leaves that to the run that called it."""
    if host.facts.depth:
        return
    spec: Json = host.plan.workflow.get("spec") or host.plan.workflow
    if spec.get("podDisruptionBudget") is not None:
        await _delete_all(host, _budgets(host))
    strategy = (spec.get("volumeClaimGC") or {}).get("strategy") or "OnWorkflowSuccess"
    if spec.get("volumeClaimTemplates") and (strategy == "OnWorkflowCompletion" or phase == Phase.SUCCEEDED):
        await _delete_all(host, _claims(host))


async def _make(host: Host, path: str, manifest: Json) -> None:
    """One that is there already must be this run's own."""
    name, labels = manifest["metadata"]["name"], _labels(host)
    metadata = {**manifest["metadata"], "labels": {**manifest["metadata"].get("labels", {}), **labels}}
    found = await host.kube.get(f"{path}/{name}")
    if found is None:
        with suppress_status(409):
            await host.kube.call("POST", path, body={**manifest, "metadata": metadata})
            host.log(f"{manifest['kind']} {name} created")
            return
        found = await host.kube.get(f"{path}/{name}") or {}
    if found.get("metadata", {}).get("labels", {}).get(OWNER_LABEL) != labels[OWNER_LABEL]:
        raise RunError(
            f"{manifest['kind']} {name!r} exists already, and is not this run's", help="delete it, or use generateName"
        )


async def _delete_all(host: Host, path: str) -> None:
    selector = ",".join(f"{name}={value}" for name, value in _labels(host).items())
    try:
        listed = await host.kube.call("GET", path, query={"labelSelector": selector})
        for one in listed["items"]:
            with suppress_status(404):
                await host.kube.call("DELETE", f"{path}/{one['metadata']['name']}")
    except ApiError as error:
        host.log(f"what the run leaves at {path} could not be deleted: {error.message}")


def _labels(host: Host) -> dict[str, str]:
    facts = host.facts
    uid = facts.globals.get("workflow.uid") or facts.uid
    return {WORKFLOW_LABEL: facts.name, OWNER_LABEL: hashlib.sha256(uid.encode()).hexdigest()[:10]}


def _claims(host: Host) -> str:
    return f"/api/v1/namespaces/{host.facts.namespace}/persistentvolumeclaims"


def _budgets(host: Host) -> str:
    return f"/apis/policy/v1/namespaces/{host.facts.namespace}/poddisruptionbudgets"
