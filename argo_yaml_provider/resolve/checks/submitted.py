"""Manifests that are Workflows and have no tags: they are known now, so what is wrong with them is told now.

In: `View`.  Out: problems.
Must not know: how such a workflow is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from argo_yaml_provider.diagnostics import Diagnostic, SpecError
from argo_yaml_provider.resolve.checks.metadata import MANIFESTS
from argo_yaml_provider.resolve.checks.view import View
from argo_yaml_provider.source import read_text
from argo_yaml_provider.spec.load import load_all


def check_submitted(view: View) -> None:
    """Each is resolved, as it will be when its step runs."""
    annotations = (view.resolved.workflow.get("metadata") or {}).get("annotations") or {}
    if annotations.get(MANIFESTS) == "cluster":
        return
    for key, template in view.templates():
        resource = template.get("resource") or {}
        text = resource.get("manifest") or ""
        if resource.get("action") not in {"create", "apply"} or "{{" in text or "argoproj.io/" not in text:
            continue
        for problem in _problems(view, text):
            message = f"the Workflow in the manifest is wrong: {problem.message}"
            within = (_offset(text, problem), 1)
            view.report(key, ("resource", "manifest"), "bad-manifest", message, help=problem.help, within=within)


def _problems(view: View, text: str) -> Iterator[Diagnostic]:
    """The first problem of each Workflow; a text that is no YAML is told of elsewhere."""
    from argo_yaml_provider.resolve.files import resolve_loaded

    try:
        loaded = load_all(read_text(text, file="manifest"))
    except SpecError:
        return
    loaded = replace(loaded, problems=tuple(one for one in loaded.problems if one.code != "unknown-field"))
    for resource in loaded.resources:
        if resource.kind == "Workflow" and resource.is_argo:
            try:
                resolve_loaded(loaded, view.library, document=resource.document.index)
            except SpecError as error:
                yield error.problems[0]


def _offset(text: str, problem: Diagnostic) -> int:
    """Where in the text the problem is, if it is in this text at all."""
    if problem.pos.file != "manifest":
        return 0
    lines = text.splitlines(keepends=True)
    return min(sum(map(len, lines[: problem.pos.line - 1])) + problem.pos.column - 1, max(len(text) - 1, 0))
