"""A resource template whose object is an Argo Workflow: a run of ours stands for it, and no cluster hears of it.

In: a host, an action, documents or names.  Out: Workflow objects, as kubectl would show them on a cluster that has Argo.
Must not know: Airflow, how a run is made. Argo: workflow/controller sets `status` of the object.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.step.host import Host, RunRef
from argo_yaml_provider.step.kube import Json

if TYPE_CHECKING:
    from argo_yaml_provider.source import Document

API_GROUP = "argoproj.io/"
ANNOTATION = "argo-yaml/workflow-manifests"
"""Of a workflow that speaks to a cluster with Argo's own controller: `cluster`."""
_WORDS = ("workflow", "workflows", "wf", "workflow.argoproj.io", "workflows.argoproj.io")
_PREFIX = "run:"
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_MAX_NAME = 63
_CHANGES = "a Workflow that runs here cannot be changed"
_SUBMIT_AGAIN = "delete it and create another, or give what varies as spec.arguments"


def stay_here(host: Host) -> bool:
    """Whether Workflow objects are runs of ours: unless the workflow says that its cluster has Argo."""
    annotations = (host.plan.workflow.get("metadata") or {}).get("annotations") or {}
    return annotations.get(ANNOTATION) != "cluster"


def is_workflow(manifest: object) -> bool:
    """Whether the object is one of Argo's Workflows."""
    if not isinstance(manifest, dict):
        return False
    return manifest.get("kind") == "Workflow" and str(manifest.get("apiVersion")).startswith(API_GROUP)


def names_workflows(targets: Sequence[tuple[str, str]]) -> bool:
    """Whether the words of a command line name Workflows."""
    return bool(targets) and all(kind.lower() in _WORDS for kind, _ in targets)


def path_of(workflow: Json) -> str:
    """Where to look for the object again: its run."""
    return f"{_PREFIX}{workflow['metadata']['annotations'][RUN_ANNOTATION]}"


RUN_ANNOTATION = "argo-yaml/run"
"""On each object that we show: DAG and run, so that a person finds them."""


def is_on_cluster(path: str) -> bool:
    """Whether the API server has the object, and not we."""
    return not path.startswith(_PREFIX)


async def look(host: Host, path: str) -> Json | None:
    """The object at a path of ours, or at one of the cluster's."""
    if is_on_cluster(path):
        return await host.kube.get(path)
    dag_id, _, run_id = path.removeprefix(_PREFIX).partition("/")
    found = await host.workflows.look(RunRef(dag_id=dag_id, run_id=run_id))
    return None if found is None else _marked(found, RunRef(dag_id=dag_id, run_id=run_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflows:
    """The actions of a resource template on Workflow objects."""

    host: Host
    namespace: str
    series: str
    """Names this attempt at this step, so that no other host submits it again."""

    async def act(self, action: str, text: str, document: Document, manifest: Json) -> list[Json]:
        """One action on one manifest."""
        if action in ("create", "apply"):
            return [await self._create(action, text, document, manifest)]
        if action in ("patch", "replace"):
            raise RunError(_CHANGES, help=_SUBMIT_AGAIN)
        metadata = manifest.get("metadata") or {}
        return await self.act_on(action, metadata.get("namespace") or self.namespace, [metadata.get("name") or ""])

    async def act_on(self, action: str, namespace: str, names: Sequence[str], *, missing_ok: bool = False) -> list[Json]:
        """`get` or `delete` of Workflows by their names."""
        if action not in ("get", "delete"):
            raise RunError(_CHANGES, help=_SUBMIT_AGAIN)
        found = [await self._get(namespace, name, missing_ok=missing_ok or action == "delete") for name in names]
        there = [one for one in found if one is not None]
        for workflow in there if action == "delete" else ():
            await self.host.workflows.delete(_ref_of(workflow))
        return there

    async def _create(self, action: str, text: str, document: Document, manifest: Json) -> Json:
        workflow = self._named(manifest, f"{self.series}/{document.index}")
        metadata = workflow["metadata"]
        other = await self._get(metadata["namespace"], metadata["name"], missing_ok=True)
        if other is not None and action == "apply":
            return other
        if other is not None and not (other.get("status") or {}).get("finishedAt") and not self._is_own(other, metadata):
            raise RunError(
                f'no more retries Error from server (AlreadyExists): workflows.argoproj.io "{metadata["name"]}" already exists',
                help="give it metadata.generateName",
            )
        deepest = self.host.settings.max_depth
        if self.host.facts.submissions >= deepest:
            raise RunError(f"workflows that submit workflows are nested more than {deepest} deep: does this ever end?")
        from argo_yaml_provider.plan.compile import compile_manifest

        plan = await asyncio.to_thread(compile_manifest, text, document.index, library=self.host.plan.library)
        ref = await self.host.workflows.submit(replace(plan, name=_stem(manifest)), workflow, metadata["uid"])
        self.host.log(f"workflow {metadata['name']} is the run {ref.run_id} of the DAG {ref.dag_id}")
        return _marked(workflow, ref)

    def _is_own(self, other: Json, metadata: Json) -> bool:
        """Whether the run was started by an earlier life of this very attempt."""
        return bool(other["metadata"].get("uid") == metadata["uid"])

    def _named(self, manifest: Json, series: str) -> Json:
        """The object as an API server would have taken it."""
        metadata = dict(manifest.get("metadata") or {})
        facts = self.host.facts
        digest = hashlib.sha256(f"{facts.uid}\n{self.host.dag_id}\n{self.host.run_id}\n{series}".encode()).digest()
        if not metadata.get("name"):
            if not metadata.get("generateName"):
                raise RunError("resource name may not be empty", help="give the manifest metadata.name or generateName")
            letters = "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:5])
            metadata["name"] = f"{metadata['generateName'][: _MAX_NAME - 5]}{letters}"
        metadata["namespace"] = metadata.get("namespace") or self.namespace
        metadata["uid"] = digest.hex()[:32]
        metadata["creationTimestamp"] = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return {**manifest, "metadata": metadata}

    async def _get(self, namespace: str, name: str, *, missing_ok: bool) -> Json | None:
        facts = self.host.facts
        if (namespace, name) == (facts.namespace, facts.name) and not facts.depth:
            ref: RunRef | None = RunRef(dag_id=self.host.dag_id, run_id=self.host.run_id)
        else:
            ref = await self.host.workflows.find(namespace, name)
        found = await self.host.workflows.look(ref) if ref else None
        if found is None or ref is None:
            if missing_ok:
                return None
            raise RunError(
                f'no more retries Error from server (NotFound): workflows.argoproj.io "{name}" not found',
                help="only workflows that a resource template submitted are found, and the one that asks",
            )
        return _marked(found, ref)


def owner_of(host: Host) -> Json:
    """The workflow that submits as the owner of what it submits."""
    facts = host.facts
    return {
        "apiVersion": f"{API_GROUP}v1alpha1",
        "kind": "Workflow",
        "name": facts.name,
        "uid": facts.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _marked(workflow: Json, ref: RunRef) -> Json:
    metadata = workflow["metadata"]
    annotations = {**(metadata.get("annotations") or {}), RUN_ANNOTATION: f"{ref.dag_id}/{ref.run_id}"}
    return {**workflow, "metadata": {**metadata, "annotations": annotations}}


def _ref_of(workflow: Json) -> RunRef:
    dag_id, _, run_id = workflow["metadata"]["annotations"][RUN_ANNOTATION].partition("/")
    return RunRef(dag_id=dag_id, run_id=run_id)


def _stem(manifest: Json) -> str:
    metadata = manifest.get("metadata") or {}
    return str(metadata.get("name") or metadata.get("generateName") or "").removesuffix("-")
