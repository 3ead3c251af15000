"""A file -> what can be run of it, with every problem of the file at once.

In: a path, or text.  Out: `Resolved`s in the order of the documents.
Must not know: tasks, pods.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from argo_yaml_provider.diagnostics import Diagnostic, Pos, SpecError
from argo_yaml_provider.resolve.bindings import KIND, Binding, check_binding, read_binding
from argo_yaml_provider.resolve.checks import check
from argo_yaml_provider.resolve.library import find_library, load_path
from argo_yaml_provider.resolve.resolve import join
from argo_yaml_provider.resolve.resolved import Library, Resolved
from argo_yaml_provider.source import read_text
from argo_yaml_provider.spec.load import Loaded, load_all
from argo_yaml_provider.spec.problems import Problems
from argo_yaml_provider.spec.resource import Resource

RUNNABLE = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")


def resolve_file(
    path: str | Path,
    *,
    library_paths: Iterable[str | Path] = (),
    document: int | None = None,
    entrypoint: str = "",
    shown_as: str = "",
) -> tuple[Resolved, ...]:
    """Every Argo document of a file, or the one of that number (from 0).

    A WorkflowTemplate without an entrypoint is resolved too, and has the entrypoint ''.
    """
    loaded = load_path(path, shown_as=shown_as)
    library = find_library(loaded, Path(path), [Path(one) for one in library_paths])
    return resolve_loaded(loaded, library, document=document, entrypoint=entrypoint)


def bindings_of(path: str | Path, *, shown_as: str = "") -> tuple[Binding, ...]:
    """The WorkflowEventBindings of a file that `resolve_file` has taken."""
    loaded = load_path(path, shown_as=shown_as)
    return tuple(read_binding(one) for one in loaded.resources if one.is_argo and one.kind == KIND)


def resolve_text(text: str, *, file: str = "<text>", entrypoint: str = "") -> tuple[Resolved, ...]:
    """The same of a text that has no folder."""
    loaded = load_all(read_text(text, file=file))
    return resolve_loaded(loaded, find_library(loaded, None), entrypoint=entrypoint)


def resolve_loaded(
    loaded: Loaded, library: Library, *, document: int | None = None, entrypoint: str = ""
) -> tuple[Resolved, ...]:
    """What a loaded file holds; raises with all its problems, or if nothing in it is Argo's.

    Where there is a Workflow, the entrypoint is meant for it, and not for templates beside it.
    """
    chosen = [one for one in loaded.resources if document is None or one.document.index == document]
    workflows = any(one.kind == "Workflow" for one in chosen)
    problems = Problems()
    problems.extend(_problems_of(loaded, document))
    resolved = []
    for resource in chosen:
        if resource.is_argo and resource.kind in RUNNABLE and resource.document.index not in loaded.broken:
            begins = entrypoint if resource.kind == "Workflow" or not workflows else ""
            one = join(resource, library, problems, entrypoint=begins)
            if one is not None:
                check(one, library, problems)
                resolved.append(one)
    bindings = [one for one in chosen if one.is_argo and one.kind == KIND and one.document.index not in loaded.broken]
    for binding in bindings:
        check_binding(binding, problems)
    if problems.all:
        raise SpecError(problems.all)
    if not resolved and not bindings:
        raise SpecError((_nothing_to_run(loaded, chosen, document),))
    return tuple(resolved)


def _problems_of(loaded: Loaded, document: int | None) -> Sequence[Diagnostic]:
    if document is None:
        return loaded.problems
    spans = [
        (one.document.root.line + 1, one.document.root.end_line + 1)
        for one in loaded.resources
        if one.document.index == document
    ]
    return [problem for problem in loaded.problems if any(first <= problem.pos.line <= last for first, last in spans)]


def _nothing_to_run(loaded: Loaded, chosen: Sequence[Resource], document: int | None) -> Diagnostic:
    """Why there is nothing: no such document, or only ConfigMaps and the like."""
    help_text = "an Argo workflow begins with apiVersion: argoproj.io/v1alpha1 and kind: Workflow"
    if chosen:
        kinds = ", ".join(dict.fromkeys(one.kind for one in chosen))
        pos = chosen[0].at(("kind",))
        return Diagnostic(
            pos=pos, code="no-workflow", message=f"nothing here is Argo's, only: {kinds}", path="kind", help=help_text
        )
    count = len(loaded.resources)
    file = loaded.resources[0].document.file if loaded.resources else ""
    message = f"there is no document {document}: the file holds {count}, counted from 0"
    return Diagnostic(pos=Pos(file=file, line=1, column=1), code="no-such-document", message=message, help="see --document")
