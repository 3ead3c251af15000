"""A file -> its Plans: read, load, resolve, build.

In: a path, or text.  Out: one Plan for each document that can run.
Must not know: Airflow, Kubernetes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from argo_yaml_provider.plan.build import build_plan
from argo_yaml_provider.plan.nodes import Json, Plan
from argo_yaml_provider.resolve.files import resolve_file, resolve_loaded, resolve_text
from argo_yaml_provider.resolve.library import build_library
from argo_yaml_provider.source import read_text
from argo_yaml_provider.spec.load import load_all


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


def compile_manifest(text: str, document: int, *, library: Sequence[Json] = (), file: str = "manifest") -> Plan:
    """The plan of one document of a text that came up while a workflow runs; `library` is what it may refer to.

    A field that Argo does not know is passed over, as by an API server that has its CRDs.
    """
    loaded = load_all(read_text(text, file=file))
    loaded = replace(loaded, problems=tuple(one for one in loaded.problems if one.code != "unknown-field"))
    templates = [load_all(read_text(json.dumps(one), file=f"{one['kind']} {one['metadata']['name']}")) for one in library]
    (resolved,) = resolve_loaded(loaded, build_library([loaded, *templates]), document=document)
    return build_plan(resolved, file=file)
