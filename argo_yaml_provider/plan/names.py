"""Names for Airflow: ids of tasks and groups, made of Argo's step names.

In: the path of step names that leads to a call.  Out: ids that are legal, unique in the plan, and the same at every build.
Must not know: templates, edges.
"""

from __future__ import annotations

import hashlib
import re

ROOT = "root"
VERDICT = "verdict"
START = "workflow.start"
LONGEST = 200
"""Characters of an id, so that a suffix stays within Airflow's 250."""

_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]+")


class Names:
    """The ids that one plan has given out so far."""

    def __init__(self) -> None:
        self._taken = {ROOT, START, VERDICT}

    def task(self, path: tuple[str, ...]) -> str:
        """A task's id: `outer.inner.step`."""
        return self._free(".".join(map(slug, path)), path, "task")

    def group(self, path: tuple[str, ...]) -> str:
        """A group's id, which may hold no dot: `outer__inner`."""
        return self._free("__".join(map(slug, path)), path, "group")

    def beside(self, owner: str, suffix: str) -> str:
        """The id of a task that serves another call: `step.items`."""
        return self._free(f"{owner}.{suffix}", (owner, suffix), "beside")

    def _free(self, wanted: str, path: tuple[str, ...], what: str) -> str:
        """The wanted id, or, where it is taken or too long, one with six digits hashed from the path."""
        found = wanted
        if wanted in self._taken or len(wanted) > LONGEST:
            digest = hashlib.sha256("\0".join((what, *path)).encode()).hexdigest()[:6]
            found = f"{wanted[: LONGEST - 7]}-{digest}"
        self._taken.add(found)
        return found


def slug(name: str) -> str:
    """A name in the letters that Airflow allows everywhere."""
    return _ILLEGAL.sub("-", name).strip("-") or "step"
