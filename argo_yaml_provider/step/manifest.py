"""A resource step's manifest that lies in an artifact: a pod fetches it, and hands it on as a parameter.

In: a host, a decision whose resource has `manifestFrom`.  Out: the decision with the manifest's text in its place.
Argo: cmd/argoexec/commands/resource.go.
Must not know: Airflow, what is done with the manifest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.flow.outcome import Attempt, Phase
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.pod import run_pod

Json = dict[str, Any]

_MANIFEST = "manifest"


class NotFetched(RunError):
    """The pod did not bring the manifest; `attempt` says how it ended."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        super().__init__(attempt.message)

    def __reduce__(self) -> tuple[type[NotFetched], tuple[Attempt]]:  # type: ignore[override]
        return type(self), (self.attempt,)


async def with_manifest(host: Host, decision: Decision) -> Decision:
    """The decision with the text that the artifact holds; read once, for a host that takes over must act on the same."""
    resource: Json = decision.template["resource"]
    if resource.get("manifestFrom") is None:
        return decision
    key = f"manifest/{host.task_id}/{host.map_index}/{host.generation}/{decision.attempt}"
    text = await host.once(key, lambda: _fetch(host, decision))
    plain = {name: value for name, value in resource.items() if name != "manifestFrom"}
    return replace(decision, template={**decision.template, "resource": {**plain, "manifest": text}})


async def _fetch(host: Host, decision: Decision) -> str:
    artifact = _source(decision.template)
    if artifact.get("raw") is not None:
        return str(artifact["raw"].get("data") or "")
    attempt = await run_pod(host, _fetching(host, decision, artifact))
    if attempt.phase != Phase.SUCCEEDED:
        raise NotFetched(attempt)
    host.kube.later(host.kube.delete_pod(host.facts.namespace, attempt.pod))
    return attempt.parameters[_MANIFEST] or ""


def _source(template: Json) -> Json:
    name = (template["resource"]["manifestFrom"].get("artifact") or {}).get("name", "")
    for artifact in (template.get("inputs") or {}).get("artifacts") or ():
        if artifact["name"] == name:
            found: Json = artifact
            return found
    raise RunError(f"manifestFrom names the artifact {name!r}, which is no input of the template")


def _fetching(host: Host, decision: Decision, artifact: Json) -> Decision:
    """A pod that does nothing but be given the artifact."""
    template = {
        **{name: value for name, value in decision.template.items() if name != "resource"},
        "container": {"image": host.settings.supervisor_image, "command": ["/bin/busybox", "true"]},
        "inputs": {**decision.template["inputs"], "artifacts": [artifact]},
        "outputs": {"parameters": [{"name": _MANIFEST, "valueFrom": {"path": artifact.get("path")}}]},
    }
    return replace(decision, template=template, include_result=False)
