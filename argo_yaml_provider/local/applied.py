"""Server-side apply takes back what its manager applied before and no longer names.

In: what each manager applied to each object.  Out: objects without the fields given up.
Must not know: the store. Conflicts between managers are not looked for: the last one wins, as with `--force-conflicts`.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.local.resources import Json


class Applied:
    """The last apply of each manager, by object."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], Json] = {}

    def note(self, uid: str, manager: str, patch: Json) -> None:
        self._last[(uid, manager)] = patch

    def drop(self, uid: str, manager: str, patch: Json, merged: Json) -> Json:
        """The merged object without what this manager has given up; remembers the new apply."""
        before = self._last.get((uid, manager), {})
        self.note(uid, manager, patch)
        result: Json = _without(merged, before, patch)
        return result


def _without(value: Any, before: Any, after: Any) -> Any:
    """Fields named before and not after are taken out; lists are left as they were merged."""
    if not (isinstance(value, dict) and isinstance(before, dict)):
        return value
    kept = after if isinstance(after, dict) else {}
    result = {}
    for name, inner in value.items():
        if name in before and name not in kept:
            continue
        result[name] = _without(inner, before.get(name), kept.get(name))
    return result
