"""What the commands share that do something to a run of a deployed DAG.

In: a click command's function, which is given a session.  Out: the same, with DAG_ID and RUN_ID; exit code 1 for a RunError.
Must not know: what is done.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from argo_yaml_provider.diagnostics import RunError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Made = TypeVar("Made")
Function = Callable[..., Any]


def of_a_run(function: Function) -> Function:
    """The arguments that name a run."""
    return click.argument("dag_id")(click.argument("run_id")(function))


def selecting(function: Function) -> Function:
    """The option that names nodes as Argo's does."""
    help_text = "Nodes, by displayName, templateName, phase, name, id or inputs.parameters.NAME.value."
    return click.option("--node-field-selector", "selector", metavar="FIELD=VALUE,…", default="", help=help_text)(function)


def shut_down(dag_id: str, run_id: str, strategy: str, said: str) -> None:
    """Ends a run by Argo's Stop or Terminate, and tells what was ended."""
    from argo_yaml_provider.airflow.shutdown import shut_down_run

    for name in changing(lambda session: shut_down_run(session, dag_id, run_id, strategy)):
        click.echo(f"{name} was ended")
    click.echo(f"{run_id} of {dag_id} is being {said}")


def changing(change: Callable[[Session], Made]) -> Made:
    """What the change gives, made in one transaction; ends the command where it may not be."""
    with contextlib.redirect_stdout(sys.stderr):  # where Airflow's log lines go
        from airflow.utils.session import create_session

        try:
            with create_session() as session:
                return change(session)
        except RunError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(1)
