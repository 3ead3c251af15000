"""Semaphores whose limit nobody has set: what asks for one is an Error before it begins.

In: `synchronization` with its tags replaced.  Out: the names of its semaphores; why one cannot be had.
Must not know: who holds a lock. Argo: workflow/sync/semaphore.go.
"""

from __future__ import annotations

from argo_yaml_provider.flow.facts import RunFacts, Source
from argo_yaml_provider.plan.nodes import Json


def semaphores_of(synchronization: Json, namespace: str) -> list[tuple[str, str]]:
    """Namespace and key of each: `ConfigMap/NAME/KEY`, or `Database/KEY` of one that Argo keeps in a database."""
    return [(one.get("namespace") or namespace, _key(one)) for one in synchronization.get("semaphores") or ()]


def _key(written: Json) -> str:
    if written.get("database") is not None:
        return f"Database/{written['database'].get('key')}"
    ref = written.get("configMapKeyRef") or {}
    return f"ConfigMap/{ref.get('name')}/{ref.get('key')}"


def without_limit(synchronization: Json | None, facts: RunFacts, source: Source) -> str:
    """Why one of its semaphores cannot be had; '' if all can."""
    for namespace, key in semaphores_of(synchronization or {}, facts.namespace):
        if not source.has_limit(namespace, key, facts.restarted_at):
            return f"failed to initialize semaphore {namespace}/{key} with limit: {_remedy(namespace, key)}"
    return ""


def _remedy(namespace: str, key: str) -> str:
    kind, name, *field = key.split("/")
    if kind == "ConfigMap":
        return f"set {'/'.join(field)} in the ConfigMap {name} of namespace {namespace} to a number"
    return f'set [argo_yaml] semaphores = {{"{namespace}/{"/".join((name, *field))}": 2}} in airflow.cfg'
