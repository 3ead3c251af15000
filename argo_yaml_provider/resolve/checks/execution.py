"""The annotation that says who runs the steps of a workflow, or of one template.

In: `View`.  Out: problems.
Must not know: what these hosts are.
"""

from __future__ import annotations

from argo_yaml_provider.resolve.checks.view import View
from argo_yaml_provider.spec.problems import suggest
from argo_yaml_provider.spec.resource import Json

EXECUTION = "argo-yaml/execution"
HOSTS = ("auto", "executor", "triggerer", "worker")


def check_execution(view: View) -> None:
    """Of the object, and of every template: its own annotations, or those of its pods."""
    said = _said(view.resolved.resource.json.get("metadata"))
    if said not in (None, *HOSTS):
        view.report_cron(("metadata", "annotations", EXECUTION), "bad-annotation", _wrong(said), help=_help(said))
    for key, template in view.templates():
        for path, holder in (((), template), (("metadata",), template.get("metadata"))):
            said = _said(holder)
            if said not in (None, *HOSTS):
                view.report(key, (*path, "annotations", EXECUTION), "bad-annotation", _wrong(said), help=_help(said))


def _said(holder: Json | None) -> str | None:
    found: str | None = ((holder or {}).get("annotations") or {}).get(EXECUTION)
    return found


def _wrong(said: str | None) -> str:
    return f'"{said}" is nothing that {EXECUTION} may say'


def _help(said: str | None) -> str:
    return suggest(said or "", HOSTS, label="hosts")
