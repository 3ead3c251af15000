"""A resource step: what kubectl would do, done by this process; then its conditions are awaited and its outputs read.

No pod is needed. The API server sees the identity of whoever runs the step (the kubeconfig or the connection), not the
step's serviceAccountName. Argo: workflow/executor/resource.go.
Must not know: Airflow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from argo_yaml_provider.diagnostics import RunError, SpecError
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.kubectl_jsonpath import render
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.identity import pod_name as argo_pod_name
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.pods.build import build_pod
from argo_yaml_provider.pods.expansion import expanded
from argo_yaml_provider.pods.names import PodKey, pod_labels
from argo_yaml_provider.step.conditions import Requirement, all_hold, first_that_holds, parse_conditions
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.jq import run_jq
from argo_yaml_provider.step.kinds import find_kind
from argo_yaml_provider.step.kube import ApiError, Json
from argo_yaml_provider.step.kubectl import Arguments, parse_flags
from argo_yaml_provider.step.objects import PATCH_TYPES, Objects, Target
from argo_yaml_provider.step.owner import owner_reference
from argo_yaml_provider.step.workflows import (
    Workflows,
    is_on_cluster,
    is_workflow,
    look,
    names_workflows,
    owner_of,
    path_of,
    stay_here,
)

if TYPE_CHECKING:
    from argo_yaml_provider.source import Document

EXIT_CODE = "64"
"""What Argo's executor exits with when it fails itself."""
_FIRST_LOOK, _LONGEST_LOOK = 0.5, 5.0
_LONGEST_GLANCE = 1.0
"""Seconds between looks at a run of ours, which only the database is asked for."""
_DEADLINE = "Pod was active on the node longer than the specified deadline"


async def run_resource(host: Host, decision: Decision, key: PodKey) -> Attempt:
    """Does what the template says, once; waits for its conditions, from wherever an earlier host left it."""
    seen = f"resource/{host.task_id}/{host.map_index}/{host.generation}/{decision.attempt}"
    started_at = await host.once(f"{seen}/started", _now)
    attempt = Attempt(phase=Phase.SUCCEEDED, exit_code="0", started_at=started_at)
    step = _Step(host, decision, key, seen)
    try:
        async with asyncio.timeout(decision.deadline_seconds):
            paths = await host.once(f"{seen}/paths", step.act)
            documents = await step.wait(paths)
            attempt = replace(attempt, parameters=step.outputs(documents))
    except TimeoutError:
        attempt = replace(attempt, phase=Phase.FAILED, message=_DEADLINE, exit_code=None)
    except (RunError, ExprError, SpecError) as error:
        host.log(str(error))
        message = f"main: Error (exit code {EXIT_CODE}): {_words(error)}"
        attempt = replace(attempt, phase=Phase.FAILED, message=message, exit_code=EXIT_CODE)
        attempt = replace(attempt, parameters=step.outputs(None))
    return replace(attempt, pod=step.pod, finished_at=await _now())


class _Step:
    """One attempt at a resource template."""

    def __init__(self, host: Host, decision: Decision, key: PodKey, series: str) -> None:
        self._host, self._decision, self._key, self._series = host, decision, key, series
        self._resource: Json = decision.template["resource"]
        self.pod = ""
        """The pod made for a template that speaks of its own pod."""

    async def act(self) -> list[str]:
        """The objects' paths, once the action is done; none of what was deleted or not found."""
        found = await self._act()
        paths = []
        for one in found:
            if is_workflow(one) and stay_here(self._host):
                paths.append(path_of(one))
                continue
            metadata = one.get("metadata") or {}
            if not metadata.get("name") or not one.get("kind"):
                raise RunError("Kind and name are both required but at least one of them is missing from the manifest")
            kind = await find_kind(self._host.kube, one["apiVersion"], one["kind"], name=metadata["name"])
            paths.append(kind.path(metadata.get("namespace", ""), metadata["name"]))
            self._host.log(f"{kind.plural}/{metadata['name']}: {self._resource['action']} is done")
        return [] if self._resource["action"] == "delete" else paths

    async def _act(self) -> list[Json]:
        action, flags = self._resource.get("action", ""), parse_flags(self._resource.get("flags") or [])
        workflows = Workflows(
            host=self._host, namespace=flags.text("namespace") or self._host.facts.namespace, series=self._series
        )
        here = stay_here(self._host)
        if here and names_workflows(flags.targets()):
            names = [name for _, name in flags.targets()]
            return await workflows.act_on(action, workflows.namespace, names, missing_ok=flags.flag("ignore-not-found"))
        text = expanded(self._resource.get("manifest") or "", self._decision.template)
        documents = _documents(text)
        ours: list[Document] = []
        rest: list[Document] = []
        for document in documents:
            (ours if here and is_workflow(document.json) else rest).append(document)
        found = [one for each in ours for one in await workflows.act(action, text, each, self._with_workflow_owner(each.json))]
        if ours and not rest:
            return found
        return found + await self._act_on_cluster(action, flags, [document.json for document in rest])

    def _with_workflow_owner(self, manifest: Json) -> Json:
        return _with_owner(manifest, owner_of(self._host)) if self._resource.get("setOwnerReference") else manifest

    async def _act_on_cluster(self, action: str, flags: Arguments, manifests: list[Any]) -> list[Json]:
        objects = Objects(self._host.kube, self._host.facts.namespace, flags)
        strategy = self._resource.get("mergeStrategy") or "strategic"
        is_patch = action == "patch" and (strategy == "json" or (flags.words and not _has_kind(manifests)))
        if is_patch or (action in ("get", "delete", "patch") and not manifests):
            targets = await objects.of_words()
        else:
            targets = await objects.of_manifests(await self._owned(manifests))
        if not targets:
            raise RunError("Must provide at least one of flags or manifest.", help="name the object in either")
        await self._stand_in(targets)
        if action == "patch":
            if strategy not in PATCH_TYPES:
                raise RunError(f"--type must be one of {sorted(PATCH_TYPES)}, not {strategy!r}")
            return [
                one
                for target in targets
                for one in await objects.patch([target], manifests[0] if is_patch else target.manifest, strategy)
            ]
        return list(await getattr(objects, action)(targets))

    async def _owned(self, manifests: list[Json]) -> list[Json]:
        for manifest in manifests:
            if not isinstance(manifest, dict):
                raise RunError("the manifest is no mapping", help="begin it with apiVersion: and kind:")
        if not self._resource.get("setOwnerReference"):
            return manifests
        owner = await owner_reference(self._host)
        return [_with_owner(manifest, owner) for manifest in manifests]

    async def _stand_in(self, targets: list[Target]) -> None:
        """Argo runs kubectl in a pod, of which a template may speak by `{{pod.name}}`: only then there is one here."""
        decision, facts = self._decision, self._host.facts
        name = argo_pod_name(facts.name, decision.node, str(decision.template.get("name") or ""))
        if not any(target.kind.kind == "Pod" and target.name == name for target in targets):
            return
        settings = self._host.settings
        fields = ("name", "metadata", "nodeSelector", "tolerations", "affinity", "securityContext")
        template = {field: decision.template[field] for field in fields if field in decision.template}
        template["container"] = {"image": settings.supervisor_image, "command": ["/bin/busybox", "true"]}
        decision = replace(decision, template=template, include_result=False)
        manifest = build_pod(decision, facts=facts, settings=settings, name=name, labels=pod_labels(self._key))
        await self._host.kube.create_pod(manifest)
        self.pod = name

    async def wait(self, paths: list[str]) -> list[Json] | None:
        """The objects, once all success conditions hold for each; None where there is nothing to look at."""
        failure = parse_conditions(self._resource.get("failureCondition") or "")
        success = parse_conditions(self._resource.get("successCondition") or "")
        return [await self._wait_for(path, failure, success) for path in paths] or None

    async def _wait_for(self, path: str, failure: tuple[Requirement, ...], success: tuple[Requirement, ...]) -> Json:
        pause = _FIRST_LOOK
        while True:
            document = await look(self._host, path)
            if document is None:
                raise RunError(f"The resource has been deleted while its status was still being checked: {path}")
            if failed := first_that_holds(failure, document):
                raise RunError(f"failure condition '{failed}' evaluated true")
            if not (failure or success) or all_hold(success, document):
                return document
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_LOOK if is_on_cluster(path) else _LONGEST_GLANCE)

    def outputs(self, documents: list[Json] | None) -> dict[str, str | None]:
        """The declared output parameters; of several objects they are read from a List of them."""
        document = None
        if documents:
            document = documents[0] if len(documents) == 1 else {"apiVersion": "v1", "kind": "List", "items": documents}
        declared = self._decision.template.get("outputs", {}).get("parameters") or ()
        return {parameter["name"]: _output(parameter, document) for parameter in declared}


def _output(parameter: Json, document: Json | None) -> str | None:
    source = parameter.get("valueFrom")
    if source is None:
        return parameter.get("value")
    if document is None:
        default = source.get("default")
        return "" if default is None else str(default)
    if source.get("jsonPath"):
        return render(source["jsonPath"], document)
    if source.get("jqFilter"):
        return run_jq(source["jqFilter"], document)
    return None


def _documents(text: str) -> Sequence[Document]:
    if not text.strip():
        return ()
    from argo_yaml_provider.source import read_text

    return read_text(text, file="manifest")


def _has_kind(manifests: list[Any]) -> bool:
    return bool(manifests) and isinstance(manifests[0], dict) and manifests[0].get("kind") is not None


def _with_owner(manifest: Json, owner: Json) -> Json:
    metadata = manifest.get("metadata") or {}
    return {**manifest, "metadata": {**metadata, "ownerReferences": [*(metadata.get("ownerReferences") or ()), owner]}}


def _words(error: RunError | ExprError | SpecError) -> str:
    if isinstance(error, ApiError):
        return f"no more retries Error from server ({error.reason}): {error.message}"
    return str(error) if isinstance(error, SpecError) else error.message


async def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
