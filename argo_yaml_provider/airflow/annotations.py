"""What the author of a workflow says of its DAG, by our own annotations.

In: Plan, the deployment's Settings.  Out: Settings, and keywords of `airflow.sdk.DAG`.
Must not know: schedules. `resolve.checks.annotations` has seen to what each may say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from argo_yaml_provider.airflow.settings import Settings
from argo_yaml_provider.plan.nodes import Json, Plan

ASSETS = "argo-yaml/assets"
DEADLINE = "argo-yaml/deadline"
DEADLINE_CALLBACK = "argo-yaml/deadline-callback"
MAX_ACTIVE_RUNS = "argo-yaml/max-active-runs"
OWNER = "argo-yaml/owner"
POOL = "argo-yaml/pool"
PUBLISHES = "argo-yaml/publishes"
"""Of a template's metadata, not of the object: the assets that a step of it updates when it succeeds."""
TAGS = "argo-yaml/tags"


def annotations_of(plan: Plan) -> dict[str, str]:
    """Those of the object: of a CronWorkflow its own, not its workflows'."""
    found: dict[str, str] = ((plan.cron or plan.workflow).get("metadata") or {}).get("annotations") or {}
    return found


def with_annotations(settings: Settings, plan: Plan) -> Settings:
    """The settings with the pool and the tags that the author wants; a pool must be there."""
    said = annotations_of(plan)
    tags = [tag for tag in _words(said.get(TAGS, "")) if tag not in settings.tags]
    return replace(settings, pool=said.get(POOL) or settings.pool, tags=(*settings.tags, *tags))


def owner_of(plan: Plan) -> dict[str, Any]:
    """`default_args` that name the owner of the DAG's tasks."""
    owner = annotations_of(plan).get(OWNER)
    return {"owner": owner} if owner else {}


def annotated_options(plan: Plan) -> dict[str, Any]:
    """Keywords of the DAG itself."""
    said = annotations_of(plan)
    options: dict[str, Any] = {}
    if MAX_ACTIVE_RUNS in said:
        options["max_active_runs"] = int(said[MAX_ACTIVE_RUNS])
    if ASSETS in said:
        options["schedule"] = [_asset(word) for word in _words(said[ASSETS])]
    if DEADLINE in said:
        from argo_yaml_provider.airflow.deadlines import alert

        options["deadline"] = alert(said[DEADLINE], said.get(DEADLINE_CALLBACK, ""))
    return options


def published_by(template: Json) -> list[Any]:
    """The assets that the template's artifacts, or whatever else it leaves, are to Airflow."""
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    return [_asset(word) for word in _words(annotations.get(PUBLISHES, "")) if "{{" not in word]


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _asset(text: str) -> Any:
    from airflow.sdk import Asset

    return Asset(uri=text) if "://" in text else Asset(name=text)
