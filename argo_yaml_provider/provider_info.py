"""Entry point `apache_airflow_provider`: what Airflow should know of this package. Imports nothing."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """The provider's metadata, shaped by Airflow's provider_info.schema.json."""
    return {
        "package-name": "airflow-provider-argo-yaml",
        "name": "Argo YAML",
        "description": "Run Argo Workflows YAML as Airflow DAGs, one Kubernetes pod per step.",
    }
