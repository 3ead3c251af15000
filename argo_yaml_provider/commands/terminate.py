"""`argo-yaml terminate`, or `airflow argo terminate`: everything ends at once, without the exit handler.

In: a run.  Out: the names of the steps that were ended; exit code 1 where the run is over.
Must not know: how a run is stopped.
"""

from __future__ import annotations

import click

from argo_yaml_provider.commands.existing import of_a_run, shut_down


@click.command(name="terminate")
@of_a_run
def command(dag_id: str, run_id: str) -> None:
    """End a run at once, without its exit handler."""
    from argo_yaml_provider.flow.shutdown import TERMINATE

    shut_down(dag_id, run_id, TERMINATE, "terminated")
