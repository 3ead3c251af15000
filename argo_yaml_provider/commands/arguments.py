"""Arguments of a workflow as a command line gives them.

In: NAME=VALUE words, a file of them.  Out: text by name.
Must not know: which parameters there are.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Function = Callable[..., Any]


def pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """NAME=VALUE words; a callback of click's."""
    found = dict(value.partition("=")[::2] for value in values)
    if wrong := [value for value in values if "=" not in value]:
        raise click.BadParameter(f"{wrong[0]!r} is not NAME=VALUE", ctx, param)
    return found


def with_arguments(function: Function) -> Function:
    """The options that give a workflow its arguments: `parameters`, where a word counts before the file."""

    @functools.wraps(function)
    def command(given: dict[str, str], parameter_file: Path | None, **options: Any) -> Any:
        return function(parameters={**_read_parameters(parameter_file), **given}, **options)

    file = click.option(
        "-f",
        "--parameter-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Arguments as YAML: name: value.",
    )
    word = click.option(
        "-p", "--parameter", "given", multiple=True, metavar="NAME=VALUE", callback=pairs, help="An argument of the workflow."
    )
    return word(file(command))


def _read_parameters(path: Path | None) -> dict[str, str]:
    """A YAML mapping; what is no text counts as its JSON."""
    if path is None:
        return {}
    import yaml

    values = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - builds texts only
    if not isinstance(values, dict):
        raise click.UsageError(f"{path} must hold a mapping, name: value")
    return {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
