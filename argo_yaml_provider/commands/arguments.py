"""Arguments of a workflow as a command line gives them.

In: NAME=VALUE words, a file of them.  Out: text by name.
Must not know: which parameters there are.
"""

from __future__ import annotations

import json
from pathlib import Path

import click


def pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """NAME=VALUE words; a callback of click's."""
    found = dict(value.partition("=")[::2] for value in values)
    if wrong := [value for value in values if "=" not in value]:
        raise click.BadParameter(f"{wrong[0]!r} is not NAME=VALUE", ctx, param)
    return found


def read_parameters(path: Path | None) -> dict[str, str]:
    """A YAML mapping; what is no text counts as its JSON."""
    if path is None:
        return {}
    import yaml

    values = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - builds texts only
    if not isinstance(values, dict):
        raise click.UsageError(f"{path} must hold a mapping, name: value")
    return {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
