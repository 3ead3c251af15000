"""`airflow argo resume DAG_ID RUN_ID [NODE]`: let suspended steps go on, as the form in Airflow's UI does.

In: a run of the Airflow that is configured here, values.  Out: the names of the steps; exit code 1 where none may go on.
Must not know: how a step waits.
"""

from __future__ import annotations

import contextlib
import getpass
import sys

import click

from argo_yaml_provider.diagnostics import RunError


def _pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    if wrong := [value for value in values if "=" not in value]:
        raise click.BadParameter(f"{wrong[0]!r} is not NAME=VALUE", ctx, param)
    return dict(value.partition("=")[::2] for value in values)


@click.command(name="resume")
@click.argument("dag_id")
@click.argument("run_id")
@click.argument("node", required=False)
@click.option(
    "-p", "--parameter", "values", multiple=True, metavar="NAME=VALUE", callback=_pairs, help="A value that the step asks for."
)
def command(dag_id: str, run_id: str, node: str | None, values: dict[str, str]) -> None:
    """Let suspended steps of a run go on."""
    with contextlib.redirect_stdout(sys.stderr):  # where Airflow's log lines go
        from airflow.utils.session import create_session

        from argo_yaml_provider.airflow.resume import Person, resume_steps

        try:
            with create_session() as session:
                resumed = resume_steps(session, dag_id, run_id, node=node, values=values, person=Person(getpass.getuser()))
        except RunError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(1)
    for name in resumed:
        click.echo(f"{name} goes on")
