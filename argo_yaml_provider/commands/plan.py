"""`argo-yaml plan FILE`: the tree of a workflow as it will run.

In: a file.  Out: a tree for each workflow of it, or the plan itself as JSON; exit code 2 if the file is wrong.
Must not know: Airflow, Kubernetes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command(name="plan")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--templates",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A file or folder to look for templates in, besides the file and its folder.",
)
@click.option("--document", type=int, help="Only the document of this number, counted from 0.")
@click.option("--entrypoint", help="The template to begin with, in place of the workflow's own.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", help="A tree, or the plan as JSON lines.")
def command(file: Path, templates: tuple[Path, ...], document: int | None, entrypoint: str | None, output: str) -> None:
    """Show a workflow as it will run."""
    from argo_yaml_provider.diagnostics import SpecError
    from argo_yaml_provider.plan.compile import compile_file
    from argo_yaml_provider.plan.render import render_plan
    from argo_yaml_provider.plan.serialize import dumps

    try:
        plans = compile_file(file, library_paths=templates, document=document, entrypoint=entrypoint)
    except SpecError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    if output == "json":
        for plan in plans:
            click.echo(dumps(plan))
    else:
        click.echo("\n\n".join(render_plan(plan) for plan in plans))
