"""artifactGC: what the steps of a run have stored is deleted, at the run's end or once the run itself is deleted.

In: a host at the workflow's end, the node tree.  Out: artifacts that are gone; for those that wait for the run's deletion a
ConfigMap, which outlives the run and is read by `collect_left`.
Argo: workflow/controller/artifact_gc.go. A failure is told and changes no phase, as there.
Must not know: Airflow.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from argo_yaml_provider.artifacts.locations import store_of
from argo_yaml_provider.artifacts.transports import transport_for
from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.plan.nodes import Plan
from argo_yaml_provider.pods.errands import Errand, digest_of
from argo_yaml_provider.pods.names import PREFIX, WORKFLOW_LABEL, task_labels
from argo_yaml_provider.pods.settings import PodSettings
from argo_yaml_provider.step.artifacts import repository_named
from argo_yaml_provider.step.errands import delete
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.kube import Kube, suppress_status
from argo_yaml_provider.step.whole import whole

Json = dict[str, Any]

ON_COMPLETION, ON_DELETION = "OnWorkflowCompletion", "OnWorkflowDeletion"
LEFT_LABEL = PREFIX + "artifact-gc"
"""On a ConfigMap that says what is to be deleted once its run is."""
_DAG, _RUN = PREFIX + "dag-id", PREFIX + "run-id"
_IN_ONE_POD = 60
"""Few enough that what deletes them stays small."""
_IN_ONE_MAP = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """One artifact that is to be deleted."""

    node: str
    name: str
    artifact: Json
    """With a whole location."""
    account: str
    metadata: Json
    """Labels and annotations of the pod that deletes it."""


def collects(plan: Plan) -> bool:
    """Whether any artifact may have to be deleted."""
    spec = plan.workflow.get("spec") or plan.workflow
    outputs = [one for template in _templates(plan) for one in (template.get("outputs") or {}).get("artifacts") or ()]
    own = [(one.get("artifactGC") or {}).get("strategy") for one in outputs]
    return any(strategy in (ON_COMPLETION, ON_DELETION) for strategy in [(spec.get("artifactGC") or {}).get("strategy"), *own])


def _templates(plan: Plan) -> Iterator[Json]:
    yield from plan.templates.values()
    for child in plan.children.values():
        yield from child.templates.values()


async def collect(host: Host, nodes: Sequence[Json]) -> list[list[str]]:
    """Deletes what goes with the run's end, and notes what goes with its deletion; node and name of all that is gone."""
    spec = host.plan.workflow.get("spec") or host.plan.workflow
    try:
        repository = await repository_named(host, spec.get("artifactRepositoryRef")) or host.settings.artifact_repository
        now, later = ([*_doomed(nodes, spec, repository, strategy)] for strategy in (ON_COMPLETION, ON_DELETION))
        await _note(host, later, spec)
        return await _delete(host, now, spec)
    except (RunError, OSError) as error:
        host.log(f"artifactGC: {error}")
        return []


def _doomed(nodes: Sequence[Json], spec: Json, repository: Json | None, strategy: str) -> Iterator[Doomed]:
    shared = spec.get("artifactGC") or {}
    for node in nodes:
        for name, record in (node.get("stored") or {}).items():
            own = (record.get("location") or {}).get("artifactGC") or {}
            if (own.get("strategy") or shared.get("strategy")) != strategy:
                continue
            layers = [one.get("podMetadata") or {} for one in (shared, own)]
            yield Doomed(
                node=node["name"],
                name=name,
                artifact=whole(name, record, repository),
                account=own.get("serviceAccountName") or shared.get("serviceAccountName") or "",
                metadata={
                    part: {key: value for one in layers for key, value in (one.get(part) or {}).items()}
                    for part in ("labels", "annotations")
                },
            )


async def _delete(host: Host, doomed: Sequence[Doomed], spec: Json) -> list[list[str]]:
    gone = []
    for errand, some in _errands(doomed, spec, host.facts.name, host.facts.namespace, "wfcomp"):
        # Without the run's own labels: its podGC may be under way.
        labelled = replace(errand, labels={**errand.labels, WORKFLOW_LABEL: host.facts.name})
        failed = await _delete_some(host.kube, labelled, some, host.settings)
        for one in some:
            why = failed.get((one.node, one.name))
            told = f"artifact {one.name} of {one.node}"
            host.log(f"artifactGC: {told} is not deleted: {why}" if why else f"artifactGC: {told} is deleted")
            gone += [] if why else [[one.node, one.name]]
    return gone


async def _delete_some(
    kube: Kube, errand: Errand, doomed: Sequence[Doomed], settings: PodSettings
) -> dict[tuple[str, str], str]:
    """Why some could not be deleted."""
    failed = {(one.node, one.name): why for one in doomed if (why := _undeletable(one.artifact))}
    rest = [one for one in doomed if (one.node, one.name) not in failed]
    if rest:
        found = await delete(kube, errand, [one.artifact for one in rest], settings)
        failed |= {(rest[index].node, rest[index].name): why for index, why in found.items()}
    return failed


def _undeletable(artifact: Json) -> str:
    try:
        return "" if transport_for(artifact, index=1).deletion else f"a store of kind {store_of(artifact)} deletes nothing"
    except RunError as error:
        return error.message


def _errands(
    doomed: Sequence[Doomed], spec: Json, workflow: str, namespace: str, reason: str
) -> Iterator[tuple[Errand, list[Doomed]]]:
    """A pod for each service account and metadata, and no more artifacts than it can carry."""
    groups: dict[str, list[Doomed]] = {}
    for one in doomed:
        groups.setdefault(digest_of([one.account, one.metadata]), []).append(one)
    for digest, group in groups.items():
        for start in range(0, len(group), _IN_ONE_POD):
            some = group[start : start + _IN_ONE_POD]
            errand = Errand(
                name=f"{workflow}-artgc-{reason}-{digest}" + (f"-{start}" if start else ""),
                namespace=namespace,
                service_account=some[0].account or None,
                patch=str((spec.get("artifactGC") or {}).get("podSpecPatch") or ""),
                **some[0].metadata,
            )
            yield errand, some


async def _note(host: Host, doomed: Sequence[Doomed], spec: Json) -> None:
    """ConfigMaps, which nobody owns: they must outlive the run."""
    namespace, workflow = host.facts.namespace, host.facts.name
    for start in range(0, len(doomed), _IN_ONE_MAP):
        some = [asdict(one) for one in doomed[start : start + _IN_ONE_MAP]]
        data = {"workflow": workflow, "patch": str((spec.get("artifactGC") or {}).get("podSpecPatch") or "")}
        body = {
            "metadata": {
                "name": f"{workflow}-artgc-{digest_of([host.dag_id, host.run_id])}-{start}",
                "labels": {LEFT_LABEL: "left", **task_labels(host.dag_id, host.run_id)},
                "annotations": {_DAG: host.dag_id, _RUN: host.run_id},
            },
            "data": {**data, "doomed": json.dumps(some)},
        }
        with suppress_status(409):
            await host.kube.call("POST", f"/api/v1/namespaces/{namespace}/configmaps", body=body)


async def collect_left(
    kube: Kube,
    namespace: str,
    settings: PodSettings,
    exists: Callable[[str, str], Awaitable[bool]],
    tell: Callable[[str], None],
) -> bool:
    """Deletes what runs have left that are deleted themselves; whether all of that is gone."""
    path, well = f"/api/v1/namespaces/{namespace}/configmaps", True
    listed = await kube.call("GET", path, query={"labelSelector": f"{LEFT_LABEL}=left"})
    for note in listed["items"]:
        marks = note["metadata"]["annotations"]
        if await exists(marks[_DAG], marks[_RUN]):
            continue
        doomed = [Doomed(**one) for one in json.loads(note["data"]["doomed"])]
        spec = {"artifactGC": {"podSpecPatch": note["data"]["patch"]}}
        failed: dict[tuple[str, str], str] = {}
        for errand, some in _errands(doomed, spec, note["data"]["workflow"], namespace, "wfdel"):
            failed |= await _delete_some(kube, errand, some, settings)
        for (node, name), why in failed.items():
            tell(f"artifact {name} of {node} is not deleted: {why}")
        tell(f"run {marks[_RUN]} of {marks[_DAG]}: {len(doomed) - len(failed)} of {len(doomed)} artifacts are deleted")
        well = well and not failed
        if not failed:
            with suppress_status(404):
                await kube.call("DELETE", f"{path}/{note['metadata']['name']}")
    return well
