"""`airflow argo …`: the same commands as `argo-yaml …`.

In: names and help.  Out: commands for Airflow's parser; each becomes a fresh process, for some bring their own Airflow.
Must not know: what a command does.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from typing import Any

from airflow.cli.cli_config import ActionCommand, Arg, CLICommand, GroupCommand


class Words(Arg):
    """All words that follow, options too: they are read by the command itself."""

    def __init__(self) -> None:
        super().__init__(flags=("words",), nargs=argparse.REMAINDER)  # type: ignore[no-untyped-call]

    def add_to_parser(self, parser: argparse.ArgumentParser) -> None:
        """As Airflow's own, on a parser to which no word looks like an option."""
        parser.prefix_chars = "\0"
        super().add_to_parser(parser)


def build_cli_commands(commands: Mapping[str, str]) -> list[CLICommand]:
    """The group `argo`, of the commands given with their lines of help."""
    named = sorted(commands.items())
    actions = tuple(ActionCommand(name=name, help=text, func=run_command, args=(Words(),)) for name, text in named)
    return [GroupCommand(name="argo", help="Argo workflows as DAGs", subcommands=actions)]


def run_command(args: Any) -> None:
    """Become `argo-yaml`."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "argo_yaml_provider", args.subcommand, *args.words])  # noqa: S606
