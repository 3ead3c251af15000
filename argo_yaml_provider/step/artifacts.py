"""A step's artifacts, seen from outside of its pod: which repository holds them, and what became of those it gave.

In: a host and a decision; an ended pod and what was to be moved.  Out: the repository; artifacts as an outcome records them.
Argo: workflow/artifactrepositories/artifactrepositories.go, workflow/executor/executor.go (SaveArtifacts).
Must not know: Airflow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.flow.decision import Decision
from argo_yaml_provider.pods.artifacts import Moves, has_artifacts, recorded_of
from argo_yaml_provider.step.host import Host
from argo_yaml_provider.step.kube import ApiError, Kube
from argo_yaml_provider.step.outcome import STORE_PREFIX

Json = dict[str, Any]

CONFIG_MAP = "artifact-repositories"
DEFAULT_KEY = "workflows.argoproj.io/default-artifact-repository"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What became of a step's output artifacts."""

    artifacts: dict[str, Json] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """Why a step that has succeeded is an Error after all."""


async def repository_of(host: Host, decision: Decision) -> Json | None:
    """The repository of the namespace, else the deployment's; it stays the same for the whole run."""
    reference = decision.workflow.get("artifactRepositoryRef")
    if not has_artifacts(decision.template) and not reference:
        # Only whether logs are archived matters here, and nobody is to be asked for that twice a second.
        found = await _lately(host, None)
        return found or host.settings.artifact_repository
    return await repository_named(host, reference) or host.settings.artifact_repository


async def repository_named(host: Host, reference: Json | None) -> Json | None:
    """What the reference means, or without one the namespace's default, as the run's first step to ask has read it."""
    found: Json | None = await host.once(
        f"artifact-repository {reference}", lambda: read_repository(host.kube, host.facts.namespace, reference)
    )
    return found


async def _lately(host: Host, reference: Json | None) -> Json | None:
    try:
        return await host.kube.lately(
            (CONFIG_MAP, host.facts.namespace), lambda: read_repository(host.kube, host.facts.namespace, reference)
        )
    except RunError:
        return None


async def read_repository(kube: Kube, namespace: str, reference: Json | None) -> Json | None:
    """The entry that the reference names, else the ConfigMap's annotation; None: there is none, and none is asked for."""
    name = (reference or {}).get("configMap") or CONFIG_MAP
    where = f"artifact repository {namespace}/{name}"
    try:
        found = await kube.config_map(namespace, name)
    except ApiError as error:
        raise RunError(
            f"{where} cannot be read: {error.message}",
            help="let Airflow's service account get configmaps in that namespace",
        ) from error
    if found is None:
        if reference:
            raise RunError(f"there is no ConfigMap {name} in {namespace}")
        return None
    key = (reference or {}).get("key") or (found["metadata"].get("annotations") or {}).get(DEFAULT_KEY)
    if not key:
        if reference:
            raise RunError(f"{where} names no default", help=f"give artifactRepositoryRef a key, or annotate it {DEFAULT_KEY}")
        return None
    text = (found.get("data") or {}).get(key)
    if text is None:
        raise RunError(f"{where} has no key {key!r}; it has: {', '.join(sorted(found.get('data') or {})) or 'none'}")
    return _parsed(text, f"{where}, key {key!r}")


def _parsed(text: str, where: str) -> Json:
    import yaml

    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RunError(f"{where} is not YAML: {error}") from error
    if not isinstance(value, dict):
        raise RunError(f"{where} is not an object such as {{s3: {{bucket: …}}}}")
    # Only the deployment may lend a connection of its own.
    return {
        name: {key: one for key, one in entry.items() if key != "connection"} if isinstance(entry, dict) else entry
        for name, entry in value.items()
    }


def with_way_out(message: str, moves: Moves) -> str:
    """A container that could not be started, with the input artifact that was in the way, if one was."""
    if "StartError" not in message or not any(word in message for word in _IN_THE_WAY):
        return message
    for artifact in sorted((moved.artifact for moved in moves.inputs), key=lambda one: -len(one["path"])):
        path = PurePosixPath(artifact["path"])
        if any(f"{place}{quote}" in message for place in (path, *path.parents[:-1]) for quote in "'\""):
            return f"artifact {artifact['name']}: a file is where {path} needs a folder: give it another path: {message}"
    return message


_IN_THE_WAY = ("not a directory", "Not a directory", "File exists", "is a directory")


def stored_of(pod: Json, moves: Moves, said: dict[int, str]) -> Stored:
    """What became of the outputs, of each of which the storing containers have said something at their end."""
    artifacts, problems = {}, []
    for output in moves.outputs:
        artifact = output.moved.artifact
        word, _, rest = said.get(output.moved.index, "lost").partition(" ")
        if word == "saved":
            artifacts[artifact["name"]] = recorded_of(output, int(rest))
        elif word == "absent" and (artifact.get("optional") or output.log):
            continue
        elif word == "absent":
            problems.append(f"artifact {artifact['name']} failed to save: {artifact['path']} no such file or directory")
        elif word == "failed":
            problems.append(f"artifact {artifact['name']} failed to save: {rest}")
        else:
            problems.append(f"artifact {artifact['name']} failed to save: {_lost(pod)}")
    return Stored(artifacts=artifacts, problems=tuple(problems))


def _lost(pod: Json) -> str:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    stores = [status for status in statuses if status["name"].startswith(STORE_PREFIX)]
    ends = [(status["name"], status.get("state", {}).get("terminated")) for status in stores]
    for name, end in ends:
        if end and end.get("exitCode"):
            return f"{name}: {end.get('reason', '')} (exit code {end['exitCode']})"
    return "the container that stores it did not say what became of it"
