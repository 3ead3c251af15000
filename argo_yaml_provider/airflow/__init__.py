"""The Airflow half: Plan -> DAG. With `plugin.py`, the only code that imports Airflow.

Read it in this order: settings, envelope, facts, dags, operators, load; then hosts/, where steps are run.
The public names below are looked up when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argo_yaml_provider.airflow.load import load_dags as load_dags
    from argo_yaml_provider.airflow.load import load_file as load_file
    from argo_yaml_provider.airflow.load import show_error as show_error

_HOMES = {"load_dags": "load", "load_file": "load", "show_error": "load", "ArgoDag": "authors", "ArgoTaskGroup": "authors"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
