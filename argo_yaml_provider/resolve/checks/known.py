"""Names of steps, tasks and templates, and who waits for whom, as far as the file tells.

In: `View`, a template's key.  Out: names, tasks.
Must not know: what they are checked for.
"""

from __future__ import annotations

from argo_yaml_provider.resolve.checks.view import View
from argo_yaml_provider.resolve.known import with_known_values, with_known_waiting
from argo_yaml_provider.resolve.references import is_dynamic, key_of
from argo_yaml_provider.spec.resource import Json


def name_of(view: View, key: str, call: Json) -> str:
    """The name of a step or task, as far as the file tells."""
    name = str(call.get("name") or "")
    return with_known_values(view.resolved, key, name) if "{{" in name else name


def known_tasks(view: View, key: str) -> list[Json]:
    """The tasks of a dag template, with whom they wait for as far as the file tells."""
    return (with_known_waiting(view.resolved, key, view.raw(key)).get("dag") or {}).get("tasks") or []


def called(view: View, key: str, call: Json) -> str:
    """The key of the template that a step, task or hook calls, as far as the file tells."""
    target = key_of(key, call)
    if not is_dynamic(target) or not call.get("template"):
        return target
    return key_of(key, {**call, "template": with_known_values(view.resolved, key, call["template"])})
