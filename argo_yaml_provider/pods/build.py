"""One decision -> one pod manifest, a plain dict.

In: a `Decision` (the template with all tags substituted), the run's facts, the deployment's settings, a name.
Out: a manifest for the API server.  The same in, the same out.
Must not know: Airflow, Kubernetes' API, how a pod is watched.
Argo: workflow/controller/workflowpod.go, build.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.facts import RunFacts
from argo_yaml_provider.flow.identity import node_id
from argo_yaml_provider.flow.identity import pod_name as argo_pod_name
from argo_yaml_provider.pods.artifacts import NONE, Moves, fetching, input_mounts, input_volumes
from argo_yaml_provider.pods.containers import MAIN, build_init_containers, build_main, with_argo_env
from argo_yaml_provider.pods.names import NODE_ID, NODE_NAME, WORKFLOW_LABEL
from argo_yaml_provider.pods.patch import merge_pod_spec, read_patch
from argo_yaml_provider.pods.progress import with_progress_file
from argo_yaml_provider.pods.settings import PodSettings
from argo_yaml_provider.pods.sidecars import build_sidecars
from argo_yaml_provider.pods.supervise import is_supervised, security, supervised
from argo_yaml_provider.pods.turns import in_turn
from argo_yaml_provider.pods.volumes import build_volumes, script_annotation, script_mount, script_volume

Json = dict[str, Any]

# The field of the pod, where the template has it, where the workflow has it; the template's replaces the workflow's.
_EITHER = (
    ("schedulerName", "schedulerName", "schedulerName"),
    ("priorityClassName", "priorityClassName", "podPriorityClassName"),
    ("securityContext", "securityContext", "securityContext"),
    ("serviceAccountName", "serviceAccountName", "serviceAccountName"),
    ("automountServiceAccountToken", "automountServiceAccountToken", "automountServiceAccountToken"),
    ("resources", "podResources", "podResources"),
    ("resourceClaims", "resourceClaims", "resourceClaims"),
)
_WORKFLOW_ONLY = ("imagePullSecrets", "hostNetwork", "dnsPolicy", "dnsConfig")
_SCHEDULING = ("nodeSelector", "affinity", "tolerations")


def build_pod(  # noqa: PLR0913 - all that a pod is made of, by name
    decision: Decision,
    *,
    facts: RunFacts,
    settings: PodSettings,
    name: str,
    labels: dict[str, str],
    annotations: dict[str, str] | None = None,
    moves: Moves = NONE,
) -> Json:
    """The pod of one attempt, over the deployment's own pod template."""
    decision = with_pod_name(decision, facts, name)
    base = _base(settings)
    spec = _spec(decision, facts, settings, base, moves)
    if base.get("spec"):
        spec = merge_pod_spec(base["spec"], spec)
    for patch in (decision.workflow.get("podSpecPatch"), decision.template.get("podSpecPatch")):
        if patch:
            spec = merge_pod_spec(spec, read_patch(patch))
            if not spec.get("containers"):
                raise RunError(
                    f"podSpecPatch leaves no container: {patch}", help="null deletes a list: name what to change in it"
                )
    if is_supervised(decision, moves):
        spec = supervised(spec, decision, settings, moves)
    elif len(spec["containers"]) == 1:
        # Alone in its namespace main would be process 1, which the kernel spares the signals that it does not handle: `kill $$`
        # or a crash would end nothing. Under Argo's executor, and under our supervisor, it is not.
        spec = {"shareProcessNamespace": True, **spec}
    if "containerSet" in decision.template:
        spec = in_turn(spec, decision.template, settings, logged=any(output.log for output in moves.outputs))
    if decision.deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = max(1, math.ceil(decision.deadline_seconds))
    metadata = {
        **base.get("metadata", {}),
        "name": name,
        "namespace": facts.namespace,
        "labels": {**_labels(decision, facts, settings, base), **labels},
        "annotations": {**_annotations(decision, facts, base), **(annotations or {})},
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def with_pod_name(decision: Decision, facts: RunFacts, name: str) -> Decision:
    """The decision with the pod's own name in its template."""
    return replace(decision, template=_with_pod_name(decision, facts, name))


def _with_pod_name(decision: Decision, facts: RunFacts, name: str) -> Json:
    """Where the text speaks of `{{pod.name}}`, which the flow takes for Argo's name of the pod, it means this one."""
    text = json.dumps(decision.template)
    others = ["{{pod.name}}"]
    if decision.node != facts.name:
        # A lone pod is named as its workflow is, and that name may stand for the workflow.
        others.append(argo_pod_name(facts.name, decision.node, str(decision.template.get("name") or "")))
    if not any(other in text for other in others):
        return decision.template
    for other in others:
        text = text.replace(other, name)
    filled: Json = json.loads(text)
    return filled


def _base(settings: PodSettings) -> Json:
    """The deployment's pod template, its first container (KubernetesPodOperator calls it `base`) named as ours is."""
    base = settings.pod_template or {}
    containers = base.get("spec", {}).get("containers", [])
    if any(container.get("name") == MAIN for container in containers) or not containers:
        return base
    renamed = [{**containers[0], "name": MAIN}, *containers[1:]]
    return {**base, "spec": {**base["spec"], "containers": renamed}}


def _spec(decision: Decision, facts: RunFacts, settings: PodSettings, base: Json, moves: Moves) -> Json:
    template, workflow = decision.template, decision.workflow
    main = build_main(template)
    inits, sidecars = build_init_containers(template, main), build_sidecars(template, main)
    present = [volume["name"] for volume in base.get("spec", {}).get("volumes", [])]
    volumes = build_volumes(template, workflow, [main, *inits, *sidecars], workflow_name=facts.name, present=present)
    if "script" in template:
        volumes.append(script_volume())
        main["volumeMounts"] = [*main.get("volumeMounts", []), script_mount()]
    fetches = [
        {**container, "imagePullPolicy": "IfNotPresent", "securityContext": security(main, workflow)}
        for container in fetching(moves, main, settings.tools)
    ]
    volumes += input_volumes(moves)
    in_set = {node["name"] for node in (template.get("containerSet") or {}).get("containers") or ()}
    for container in [main, *(one for one in sidecars if one["name"] in in_set)] if moves.inputs else []:
        container["volumeMounts"] = [*container.get("volumeMounts", []), *input_mounts(moves)]
    spec: Json = {
        "restartPolicy": "Never",
        "serviceAccountName": settings.service_account,
        **{field: workflow[field] for field in _WORKFLOW_ONLY if field in workflow},
        **_chosen(decision),
        "volumes": volumes,
        "initContainers": [*fetches, *(_with_env(container, decision, facts) for container in inits)],
        "containers": [_with_env(container, decision, facts) for container in [main, *sidecars]],
        "hostAliases": [*workflow.get("hostAliases", []), *template.get("hostAliases", [])],
    }
    return {field: value for field, value in with_progress_file(spec, template).items() if value not in (None, [])}


def _with_env(container: Json, decision: Decision, facts: RunFacts) -> Json:
    return with_argo_env(container, facts.name, decision.node, result=decision.include_result)


def _chosen(decision: Decision) -> Json:
    """Fields with a precedence and no merge. Argo: workflowpod.go, addSchedulingConstraints."""
    template, boundary, workflow = decision.template, decision.boundary, decision.workflow
    chosen = {field: template.get(field) or boundary.get(field) or workflow.get(field) for field in _SCHEDULING}
    for field, own, shared in _EITHER:
        value = template.get(own)
        chosen[field] = workflow.get(shared) if value in (None, "", []) else value
    return {field: value for field, value in chosen.items() if value is not None}


def _labels(decision: Decision, facts: RunFacts, settings: PodSettings, base: Json) -> dict[str, str]:
    return {
        **base.get("metadata", {}).get("labels", {}),
        **(settings.labels or {}),
        WORKFLOW_LABEL: facts.name,
        "workflows.argoproj.io/completed": "false",
        **decision.workflow.get("podMetadata", {}).get("labels", {}),
        **decision.template.get("metadata", {}).get("labels", {}),
    }


def _annotations(decision: Decision, facts: RunFacts, base: Json) -> dict[str, str]:
    return {
        **base.get("metadata", {}).get("annotations", {}),
        NODE_NAME: decision.node,
        NODE_ID: node_id(facts.name, decision.node),
        "kubectl.kubernetes.io/default-container": MAIN,
        **script_annotation(decision.template),
        **decision.workflow.get("podMetadata", {}).get("annotations", {}),
        **decision.template.get("metadata", {}).get("annotations", {}),
    }
