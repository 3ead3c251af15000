"""Every check of a resolved workflow, one function each.

In: `Resolved`.  Out: problems.
Must not know: tasks, pods. Argo: workflow/validate/validate.go.
"""

from __future__ import annotations

from argo_yaml_provider.resolve.resolved import Library, Resolved
from argo_yaml_provider.spec.problems import Problems


def check(resolved: Resolved, library: Library, problems: Problems) -> None:
    """All of them."""
