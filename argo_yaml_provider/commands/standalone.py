"""`argo-yaml standalone`: Airflow with its UI, for a folder of workflows.

In: options.  Out: a running Airflow, until Ctrl-C.
Must not know: how it is started.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from argo_yaml_provider.diagnostics import RunError

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def default_home() -> Path:
    """Where database and logs stay between two starts."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "argo-yaml" / "standalone"


@click.command(context_settings={"show_default": True})
@click.option("--dags", type=_FOLDER, default=Path("dags"), help="Folder of workflow files and Python DAGs.")
@click.option("--templates", type=_FOLDER, multiple=True, help="Folder of templates that workflows refer to.")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), default=default_home, help="Database and logs.")
@click.option("--host", default="127.0.0.1", help="Address of the UI. Whoever reaches it is administrator.")
@click.option("--port", default=8080, help="Port of the UI.")
@click.option("--kubeconfig", type=_FILE, help="Run pods on this cluster instead of the embedded Kubernetes.")
@click.option("--context", help="Context of the kubeconfig.")
@click.option("--namespace", default="default", help="Namespace of the pods.")
def command(**given: Any) -> None:
    """Start Airflow with its UI on a folder of workflows, and a Kubernetes to run them on."""
    from argo_yaml_provider.airflow.standalone import Options, run_standalone

    try:
        sys.exit(run_standalone(Options(**_absolute(given)), lambda line: click.echo(line, err=True)))
    except RunError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _absolute(given: dict[str, Any]) -> dict[str, Any]:
    """Components run wherever they like, so no path may depend on this process's folder."""
    paths = {name: value.resolve() for name, value in given.items() if isinstance(value, Path)}
    return {**given, **paths, "templates": tuple(path.resolve() for path in given["templates"])}
