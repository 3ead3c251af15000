"""What Airflow must be told of before it reads a DAG of ours. Entry point `airflow.plugins`."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from argo_yaml_provider.airflow.timetables import CronWorkflowTimetable


class ArgoYamlPlugin(AirflowPlugin):
    """Registers what a serialized DAG may refer to."""

    name = "argo_yaml"
    timetables = [CronWorkflowTimetable]  # noqa: RUF012 - Airflow's own declaration
