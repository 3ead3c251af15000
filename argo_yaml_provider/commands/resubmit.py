"""`argo-yaml resubmit`, or `airflow argo resubmit`: a new run with the same parameters.

In: a run.  Out: the new run's id; exit code 1 where there is no such run.
Must not know: how a run is made.
"""

from __future__ import annotations

import getpass

import click

from argo_yaml_provider.commands.arguments import pairs
from argo_yaml_provider.commands.existing import changing, of_a_run


@click.command(name="resubmit")
@of_a_run
@click.option("-p", "--parameter", "values", multiple=True, metavar="NAME=VALUE", callback=pairs, help="Another value.")
def command(dag_id: str, run_id: str, values: dict[str, str]) -> None:
    """Start a run anew, with the same parameters."""
    from argo_yaml_provider.airflow.resubmit import resubmit_run

    made = changing(lambda session: resubmit_run(session, dag_id, run_id, values=values, person=getpass.getuser()))
    click.echo(f"{made} of {dag_id}")
