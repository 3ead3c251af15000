"""`argo-yaml terminate`, or `airflow argo terminate`: everything ends at once, without the exit handler.

In: a run.  Out: the names of the steps that were ended; exit code 1 where the run is over.
Must not know: how a run is stopped.
"""

from __future__ import annotations

import click

from argo_yaml_provider.commands.existing import changing, of_a_run


@click.command(name="terminate")
@of_a_run
def command(dag_id: str, run_id: str) -> None:
    """End a run at once, without its exit handler."""
    from argo_yaml_provider.airflow.shutdown import shut_down_run
    from argo_yaml_provider.flow.shutdown import TERMINATE

    for name in changing(lambda session: shut_down_run(session, dag_id, run_id, TERMINATE)):
        click.echo(f"{name} was ended")
    click.echo(f"{run_id} of {dag_id} is being terminated")
