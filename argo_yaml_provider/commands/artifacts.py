"""`airflow argo artifacts ls|get RUN [STEP]`, `… gc`: what the steps of a run have stored, its bytes, its end.

In: a run of the Airflow that is configured here.  Out: a table or JSON; files; exit code 1 where there is nothing to get.
Must not know: where artifacts lie, how they are brought.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from argo_yaml_provider.diagnostics import RunError

if TYPE_CHECKING:
    from argo_yaml_provider.airflow.artifacts import RunArtifacts

_RUN = "RUN is a run_id, DAG_ID/RUN_ID, or DAG_ID/@latest; STEP a step's or task's name."


@click.group(name="artifacts")
def command() -> None:
    """List what the steps of a run have stored, and get it."""


@command.command(name="ls", help=f"List what the steps of a run have stored. {_RUN}")
@click.argument("run")
@click.argument("step", required=False)
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def show(run: str, step: str | None, output: str) -> None:
    """Print one line for each artifact."""
    with _problems():
        found = _read(run, step)
    if output == "json":
        rows = [{"step": one.node, "name": one.name, **one.record} for one in found.stored]
        click.echo(json.dumps(rows, indent=1))
        return
    table = [("STEP", "NAME", "STORE", "KEY", "SIZE")]
    for one in found.stored:
        place = one.record["store"] + (f":{one.record['bucket']}" if one.record.get("bucket") else "")
        table.append((one.node, one.name, place, one.record["key"], _size(one.record["size"])))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@command.command(name="get", help=f"Bring what the steps of a run have stored, as it is stored, to a folder. {_RUN}")
@click.argument("run")
@click.argument("step", required=False)
@click.option("--name", "names", multiple=True, help="Only the artifact of this name; may be given more than once.")
@click.option(
    "-d",
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The folder; else this one.",
)
def get(run: str, step: str | None, names: tuple[str, ...], directory: Path) -> None:
    """Write each artifact to FOLDER/STEP/FILE."""
    import asyncio
    from dataclasses import replace

    with _problems():
        found = _read(run, step)
        if names:
            found = replace(found, stored=tuple(one for one in found.stored if one.name in names))
        if not found.stored:
            raise RunError(f"run {found.run_id} of {found.dag_id} has stored no such artifact", help="see `artifacts ls`")
        from argo_yaml_provider.airflow.artifacts import fetch

        fetched = asyncio.run(fetch(found, directory))
    for place in fetched:
        click.echo(str(place))


@command.command(name="gc")
@click.option("-n", "--namespace", default=None, help="Of the runs' pods; else the one that [argo_yaml] names.")
def collect(namespace: str | None) -> None:
    """Delete what deleted runs have left, where artifactGC says OnWorkflowDeletion."""
    import asyncio

    with _problems():
        from argo_yaml_provider.airflow.artifacts import collect_deleted
        from argo_yaml_provider.airflow.settings import read_pod_settings

        settings = read_pod_settings()
        lines: list[str] = []
        well = asyncio.run(collect_deleted(namespace or settings.namespace, settings, lines.append))
    click.echo("\n".join(lines) or "nothing to delete")
    sys.exit(0 if well else 1)


def _read(run: str, step: str | None) -> RunArtifacts:
    from airflow.utils.session import create_session

    from argo_yaml_provider.airflow.artifacts import artifacts_of, find_run

    with create_session() as session:
        return artifacts_of(session, *find_run(session, run), step)


@contextlib.contextmanager
def _problems() -> Iterator[None]:
    """Airflow's log lines go to standard error, where our own problems go too."""
    with contextlib.redirect_stdout(sys.stderr):
        try:
            yield
        except RunError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(1)


def _size(count: int) -> str:
    amount, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"
