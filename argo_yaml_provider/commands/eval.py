"""`argo-yaml eval VECTORS.json`: work out recorded questions about Argo's expressions, tags, loops and retries.

In: a JSON list of vectors, each with an `id` and a `kind`.  Out: `{id: {"value": …} or {"error": …}}` as JSON.
Must not know: what was recorded as the answer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from argo_yaml_provider.commands.vectors import KINDS
from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.errors import ExprError


@click.command(name="eval")
@click.argument("vectors", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def command(vectors: Path) -> None:
    """Work out expression vectors and print their values."""
    answers = {str(vector.get("id")): answer(vector) for vector in _read(vectors)}
    click.echo(json.dumps(answers, indent=1))


def answer(vector: dict[str, Any]) -> dict[str, Any]:
    """The value of one vector, or the error in words; whatever the vector holds, never an exception."""
    work = KINDS.get(str(vector.get("kind")))
    if work is None:
        return {"error": f"no such kind of vector: {vector.get('kind')!r}; there are {', '.join(KINDS)}"}
    try:
        value = work(vector)
        json.dumps(value)
    except ExprError as error:
        return {"error": error.message}
    except RecursionError:
        return {"error": "this is nested too deep"}
    except Exception as error:  # noqa: BLE001 - one broken vector must not cost the answers to the others
        return {"error": f"this vector is not understood: {type(error).__name__}: {error}"}
    return {"value": value}


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8").strip()
        vectors = gojson.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise click.ClickException(f"{path} is not JSON: {error}") from error
    if not isinstance(vectors, list) or not all(isinstance(vector, dict) for vector in vectors):
        raise click.ClickException(f"{path} must hold a list of objects, each with an id and a kind")
    for vector, written in zip(vectors, gojson.elements(text), strict=True):
        _keep_items_as_written(vector, written)
    return vectors


def _keep_items_as_written(vector: dict[str, Any], written: str) -> None:
    """Argo keeps a loop's items as JSON text: 2.50 stays 2.50."""
    task = vector.get("task")
    if isinstance(task, dict) and isinstance(task.get("withItems"), list):
        items = gojson.members(gojson.members(written)["task"])["withItems"]
        task["withItems"] = [gojson.Raw(item) for item in gojson.elements(items)]
