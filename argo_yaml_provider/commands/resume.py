"""`argo-yaml resume`, or `airflow argo resume`: answer the suspended steps of a run of a deployed DAG.

In: a run, a step, values.  Out: the names of the steps; exit code 1 where none may go on.
Must not know: how a step waits.
"""

from __future__ import annotations

import getpass

import click

from argo_yaml_provider.commands.arguments import pairs
from argo_yaml_provider.commands.existing import changing, of_a_run, selecting
from argo_yaml_provider.flow.selectors import read_selector


@click.command(name="resume")
@of_a_run
@click.argument("node", required=False)
@click.option(
    "-p", "--parameter", "values", multiple=True, metavar="NAME=VALUE", callback=pairs, help="A value that the step asks for."
)
@selecting
def command(dag_id: str, run_id: str, node: str | None, values: dict[str, str], selector: str) -> None:
    """Let suspended steps of a run go on."""
    from argo_yaml_provider.airflow.resume import Person, resume_steps

    person = Person(getpass.getuser())
    for name in changing(
        lambda session: resume_steps(
            session, dag_id, run_id, node=node, values=values, person=person, selector=read_selector(selector)
        )
    ):
        click.echo(f"{name} goes on")
