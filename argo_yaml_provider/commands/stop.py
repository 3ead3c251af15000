"""`argo-yaml stop`, or `airflow argo stop`: no new pods, running ones ended, then the exit handler.

In: a run.  Out: the names of the steps that were ended; exit code 1 where the run is over.
Must not know: how a run is stopped.
"""

from __future__ import annotations

import click

from argo_yaml_provider.commands.existing import of_a_run, shut_down


@click.command(name="stop")
@of_a_run
def command(dag_id: str, run_id: str) -> None:
    """Stop a run: no new pods, running ones ended, then its exit handler."""
    from argo_yaml_provider.flow.shutdown import STOP

    shut_down(dag_id, run_id, STOP, "stopped")
