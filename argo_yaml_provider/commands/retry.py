"""`argo-yaml retry`, or `airflow argo retry`: run what failed once more, and all that comes after it.

In: a run that is over.  Out: the names of the nodes that run again; exit code 1 where none may.
Must not know: which nodes those are.
"""

from __future__ import annotations

import click

from argo_yaml_provider.commands.arguments import pairs
from argo_yaml_provider.commands.existing import changing, of_a_run, selecting
from argo_yaml_provider.flow.selectors import read_selector


@click.command(name="retry")
@of_a_run
@click.option("-p", "--parameter", "values", multiple=True, metavar="NAME=VALUE", callback=pairs, help="Another value.")
@click.option("--restart-successful", is_flag=True, help="Also nodes that succeeded, those of the selector.")
@selecting
def command(dag_id: str, run_id: str, values: dict[str, str], restart_successful: bool, selector: str) -> None:
    """Run the failed steps of a run once more."""
    from argo_yaml_provider.airflow.retry import retry_run

    if restart_successful != bool(selector):
        raise click.UsageError("--restart-successful and --node-field-selector belong together")
    for name in changing(
        lambda session: retry_run(
            session, dag_id, run_id, values=values, restarted=read_selector(selector) if restart_successful else None
        )
    ):
        click.echo(f"{name} runs again")
