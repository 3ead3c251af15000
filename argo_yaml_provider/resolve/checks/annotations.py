"""Our own annotations of an object: what an author may say of its DAG.

In: `View`.  Out: problems.
Must not know: what Airflow makes of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from argo_yaml_provider.expr.clock import parse_duration
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.resolve.checks.view import View
from argo_yaml_provider.spec.problems import suggest

PREFIX = "argo-yaml/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What an annotation takes."""

    accepts: Callable[[str], bool] = bool
    help: str = "write some text"
    cron: bool | None = None
    """Whether it is for CronWorkflows only (True), or for all else only (False)."""
    beside: str = ""
    """Another one, without which it means nothing."""


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_list(text: str) -> bool:
    return all(part.strip() for part in text.split(","))


def _is_length(text: str) -> bool:
    """Of time, and not none: as Argo's, a number of seconds or Go's units."""
    try:
        return parse_duration(f"{text}s" if text.isdecimal() else text).order > 0
    except ExprError:
        return False


RULES: dict[str, Rule] = {
    "argo-yaml/assets": Rule(
        accepts=_is_list, help="write the names or URIs of assets, separated by commas: sales, s3://bucket/table", cron=False
    ),
    "argo-yaml/catchup": Rule(accepts=("true", "false").__contains__, help='write "true" or "false"', cron=True),
    "argo-yaml/dag-id": Rule(help="write the id of the DAG"),
    "argo-yaml/deadline": Rule(accepts=_is_length, help="write how long a run may take: 90, 30m, 1h30m"),
    "argo-yaml/deadline-callback": Rule(
        help="write a name that [argo_yaml] deadline_callbacks has", beside="argo-yaml/deadline"
    ),
    "argo-yaml/max-active-runs": Rule(
        accepts=lambda text: text.isascii() and text.isdigit() and int(text) > 0,
        help='write a number above 0, in quotes: "1"',
    ),
    "argo-yaml/owner": Rule(help="write who answers for it"),
    "argo-yaml/pool": Rule(help="write the name of one of Airflow's pools"),
    "argo-yaml/start-date": Rule(
        accepts=_is_date, help="write a day or a moment: 2026-01-31, or 2026-01-31T06:30:00Z", cron=True
    ),
    "argo-yaml/tags": Rule(accepts=_is_list, help="write tags separated by commas: team-a, nightly"),
}
ELSEWHERE = ("argo-yaml/execution", "argo-yaml/workflow-manifests", "argo-yaml/run")
"""What is checked where it is understood."""


def check_annotations(view: View) -> None:
    """Each is one that there is, at an object that it is for, and says what it may."""
    resource = view.resolved.resource
    annotations = (resource.json.get("metadata") or {}).get("annotations") or {}
    for name, value in annotations.items():
        if not name.startswith(PREFIX) or name in ELSEWHERE:
            continue
        path, rule = ("metadata", "annotations", name), RULES.get(name)
        if rule is None:
            help_text = suggest(name, sorted((*RULES, *ELSEWHERE[:-1])), label="there are")
            view.report_cron(path, "bad-annotation", f"there is no annotation {name}", help=help_text, within="key")
        elif rule.cron is not None and rule.cron is not (resource.kind == "CronWorkflow"):
            other = "the schedules of a CronWorkflow say when it runs" if not rule.cron else "it is for CronWorkflows"
            view.report_cron(path, "bad-annotation", f"{name} means nothing at a {resource.kind}", help=other, within="key")
        elif rule.beside and rule.beside not in annotations:
            message = f"{name} means nothing without {rule.beside}"
            view.report_cron(path, "bad-annotation", message, help=f"write {rule.beside} too", within="key")
        elif not rule.accepts(value):
            view.report_cron(path, "bad-annotation", f'"{value}" is nothing that {name} may say', help=rule.help)
