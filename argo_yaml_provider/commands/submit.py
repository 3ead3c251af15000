"""`airflow argo submit`: start a run in the Airflow that is configured here.

In: a file, or KIND/NAME; arguments.  Out: the run; with `--wait` its end, exit code 0 succeeded, 1 failed.
Must not know: how a run is started.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argo_yaml_provider.commands.arguments import with_arguments
from argo_yaml_provider.diagnostics import RunError, SpecError

if TYPE_CHECKING:
    from argo_yaml_provider.airflow.submit import Submitted

_LOOK_EVERY = 1.0


@click.command(name="submit")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "origin", metavar="KIND/NAME", help="workflowtemplate/NAME, clusterworkflowtemplate/NAME, cronwf/NAME.")
@with_arguments
@click.option("--wait", is_flag=True, help="Until the run is over.")
@click.option("--output", type=click.Choice(["name", "json"]), default="name", help="json: the run, with --wait its nodes too.")
def command(file: Path | None, origin: str | None, parameters: dict[str, str], wait: bool, output: str) -> None:
    """Start a run of a template, CronWorkflow or file that is deployed."""
    if (file is None) == (origin is None):
        raise click.UsageError("name a FILE, or KIND/NAME by --from")
    try:
        with contextlib.redirect_stdout(sys.stderr):  # where Airflow's log lines go
            submitted = _submit(file, origin, parameters)
            result = _wait(submitted) if wait else {}
    except (RunError, SpecError) as error:
        click.echo(f"error: {error}" if isinstance(error, RunError) else str(error), err=True)
        sys.exit(1 if isinstance(error, RunError) else 2)
    where = {"dag_id": submitted.dag_id, "run_id": submitted.run_id}
    phase = result.get("phase", "Pending")
    if output == "json":
        click.echo(json.dumps({"name": submitted.name, "phase": phase, **result, **where}))
    else:
        click.echo(f"{submitted.name}: {phase}" if wait else f"{submitted.name} (run {submitted.run_id} of {submitted.dag_id})")
    sys.exit(0 if phase in ("Succeeded", "Pending") else 1)


def _submit(file: Path | None, origin: str | None, parameters: dict[str, str]) -> Submitted:
    from airflow.utils.session import create_session

    from argo_yaml_provider.airflow import submit

    if origin is not None:
        kind, name = submit.kind_and_name(origin)
        with create_session() as session:
            deployed = submit.deployed_as(session, kind, name)
            return submit.submit(session, deployed, parameters, person=getpass.getuser())
    from argo_yaml_provider.airflow.settings import read_settings
    from argo_yaml_provider.plan.compile import compile_file

    assert file is not None
    plans = compile_file(file, library_paths=read_settings().templates)
    if len(plans) != 1:
        raise RunError(f"{file} holds {len(plans)} workflows", help="name one by --from KIND/NAME")
    with create_session() as session:
        deployed = submit.deployed_file(session, plans[0])
        return submit.submit(session, deployed, parameters, person=getpass.getuser())


def _wait(submitted: Submitted) -> dict[str, Any]:
    """What became of the run, once it is over."""
    from airflow.utils.session import create_session

    from argo_yaml_provider.airflow.runs import FINISHED, RunReader

    reader = RunReader()
    while True:
        with create_session() as session:
            if reader.state(session, submitted.dag_id, submitted.run_id) in FINISHED:
                return reader.flow(session, submitted.dag_id, submitted.run_id).result()
        time.sleep(_LOOK_EVERY)
