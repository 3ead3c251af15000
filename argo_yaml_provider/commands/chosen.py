"""The files that a command looks at: those named, and those in the folders named.

In: a click command's function, which is given `files` and `library`.  Out: the same, with PATH… and --templates.
Must not know: what is done with them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_FIRST = 1_000_000
Function = Callable[..., Any]


def of_files(function: Function) -> Function:
    """`files` are workflow files, `library` where templates are looked for besides each file's own folder."""

    @functools.wraps(function)
    def command(paths: tuple[Path, ...], templates: tuple[Path, ...], **options: Any) -> Any:
        library = (*templates, *(path for path in paths if path.is_dir()))
        return function(files=_files(paths), library=library, **options)

    given = click.option(
        "--templates",
        multiple=True,
        type=click.Path(exists=True, path_type=Path),
        help="A file or folder to look for templates in, besides those given and each file's own folder.",
    )
    return click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))(given(command))


def _files(paths: tuple[Path, ...]) -> list[Path]:
    from argo_yaml_provider.resolve.library import files_below

    named = {path for path in paths if path.is_file()}
    return [file for file in dict.fromkeys(files_below(paths)) if file in named or not _is_data(file)]


def _is_data(file: Path) -> bool:
    """Whether a JSON file that was only met in a folder is none of our business."""
    if file.suffix != ".json":
        return False
    try:
        with file.open("rb") as opened:
            return not re.search(rb'"apiVersion"\s*:\s*"argoproj\.io/', opened.read(_FIRST))
    except OSError:
        return False
