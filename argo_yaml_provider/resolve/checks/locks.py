"""Mutexes and semaphores.

In: `View`.  Out: problems.
Must not know: who holds a lock. Argo: workflow/sync/lock_name.go, where a step would break on these.
"""

from __future__ import annotations

from collections.abc import Iterator

from argo_yaml_provider.resolve.checks.view import View
from argo_yaml_provider.spec.resource import Json, Path

_HELP = "write configMapKeyRef: {name, key}, or database: {key}"


def check_locks(view: View) -> None:
    """A semaphore has its limit in one place."""
    for path, code, message in _wrong(view.spec.get("synchronization") or {}):
        view.report_spec(("spec", "synchronization", *path), code, message, help=_HELP)
    for key, template in view.templates():
        for path, code, message in _wrong(template.get("synchronization") or {}):
            view.report(key, ("synchronization", *path), code, message, help=_HELP)


def _wrong(written: Json) -> Iterator[tuple[Path, str, str]]:
    for index, semaphore in enumerate(written.get("semaphores") or ()):
        places = [name for name in ("configMapKeyRef", "database") if semaphore.get(name) is not None]
        if not places:
            yield ("semaphores", index), "missing-field", "the semaphore has no limit"
        elif len(places) > 1:
            yield ("semaphores", index, "database"), "two-sources", "the semaphore has two limits"
