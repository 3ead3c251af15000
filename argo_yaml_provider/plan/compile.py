"""A file -> its Plans: read, load, resolve, build.

In: a path, or text.  Out: one Plan for each document that can run.
Must not know: Airflow, Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from argo_yaml_provider.plan.build import build_plan
from argo_yaml_provider.plan.nodes import Plan
from argo_yaml_provider.resolve.files import resolve_file, resolve_text


def compile_file(
    path: str | Path,
    *,
    library_paths: Iterable[str | Path] = (),
    document: int | None = None,
    entrypoint: str | None = None,
    shown_as: str = "",
) -> tuple[Plan, ...]:
    """The plans of a file, or of its document of that number (from 0); a SpecError with all its problems."""
    resolved = resolve_file(
        path, library_paths=library_paths, document=document, entrypoint=entrypoint or "", shown_as=shown_as
    )
    return tuple(build_plan(one, file=shown_as or str(path)) for one in resolved if one.entrypoint)


def compile_text(text: str, *, file: str = "<text>", entrypoint: str | None = None) -> tuple[Plan, ...]:
    """The plans of a text that has no folder."""
    resolved = resolve_text(text, file=file, entrypoint=entrypoint or "")
    return tuple(build_plan(one, file=file) for one in resolved if one.entrypoint)
