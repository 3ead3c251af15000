"""The command line: `argo-yaml COMMAND …`.

In: arguments.  Out: what a command prints, and its exit code.
Must not know: what a command needs. Each lives in `commands/NAME.py` as `command` and is imported only when it is called.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from argo_yaml_provider import __version__

COMMANDS = {
    "artifacts": "List what the steps of a run have stored, and get it.",
    "assess": "Tell of every workflow in a folder whether it translates.",
    "eval": "Work out expression vectors and print their values.",
    "lint": "Check workflows without running them.",
    "plan": "Show a workflow as it will run.",
    "standalone": "Start Airflow with its UI on a folder of workflows, and a Kubernetes to run them on.",
    "resubmit": "Start a run anew, with the same parameters.",
    "resume": "Let suspended steps of a run go on.",
    "retry": "Run the failed steps of a run once more.",
    "run": "Run workflows to their end and show how they go.",
    "stop": "Stop a run: no new pods, running ones ended, then its exit handler.",
    "submit": "Start a run of a template, CronWorkflow or file that is deployed.",
    "terminate": "End a run at once, without its exit handler.",
}
"""Every command with its line in `--help`: what the module's own help begins with, so that help imports no command."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All of them, in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return one; None lets click say that there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"argo_yaml_provider.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The table above, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="argo-yaml")
def main() -> None:
    """Argo Workflows YAML, run as Apache Airflow DAGs."""


def airflow_commands() -> list[Any]:
    """The same commands for `airflow argo …`; Airflow finds this by the provider's metadata."""
    from argo_yaml_provider.airflow.airflow_cli import build_cli_commands

    return list(build_cli_commands(COMMANDS))
