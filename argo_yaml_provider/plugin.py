"""What Airflow must be told of before it reads a DAG of ours. Entry point `airflow.plugins`."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from argo_yaml_provider.airflow.links import PREFIX, ArtifactsLink
from argo_yaml_provider.airflow.timetables import CronWorkflowTimetable


async def receive_events(scope: Any, receive: Any, send: Any) -> None:
    """The webhook; what it needs is imported by the first event."""
    from argo_yaml_provider.airflow.events import build_app

    await build_app()(scope, receive, send)


async def show_artifacts(scope: Any, receive: Any, send: Any) -> None:
    """The pages behind the link "Artifacts"; what they need is imported by the first reader."""
    from argo_yaml_provider.airflow.pages import build_app

    await build_app()(scope, receive, send)


class ArgoYamlPlugin(AirflowPlugin):
    """Registers what a serialized DAG may refer to."""

    name = "argo_yaml"
    fastapi_apps = [  # noqa: RUF012
        {"app": receive_events, "url_prefix": "/argo", "name": "argo events"},
        {"app": show_artifacts, "url_prefix": PREFIX, "name": "argo artifacts"},
    ]
    operator_extra_links = [ArtifactsLink()]  # noqa: RUF012
    timetables = [CronWorkflowTimetable]  # noqa: RUF012 - Airflow's own declaration
