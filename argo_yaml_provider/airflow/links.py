"""The link "Artifacts" that every step has in Airflow's UI.

In: a task instance's key.  Out: the address of its page (`pages`).
Must not know: what the step has stored.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

PREFIX = "/argo-artifacts"
"""Where the pages are, below the API server's own address."""


def _named(module: str, name: str) -> type:
    """Stands for an operator, which Airflow tells by its name alone; the operator itself takes a second to import."""
    return type(name, (), {"__module__": module})


class ArtifactsLink:
    """Airflow asks the plugin's link in its API server, whatever ran the step."""

    name = "Artifacts"
    operators = (_named("argo_yaml_provider.airflow.operators", "ArgoStepOperator"),)

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow's signature
        """The page of the task instance."""
        query = {"dag_id": ti_key.dag_id, "run_id": ti_key.run_id, "task_id": ti_key.task_id, "map_index": ti_key.map_index}
        return f"{_root()}{PREFIX}/?{urlencode(query)}"


def _root() -> str:
    """The path under which a reverse proxy shows the API server."""
    from urllib.parse import urlsplit

    from airflow.configuration import conf

    return urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
