"""What the checks look at, and how they report.

In: `Resolved`, `Library`.  Out: `View`.
Must not know: what is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from argo_yaml_provider.resolve.references import LOCAL, calls_of, spec_path
from argo_yaml_provider.resolve.resolved import Library, Resolved
from argo_yaml_provider.spec.problems import Problems, Within
from argo_yaml_provider.spec.resource import Json, Path

LEAVES = ("container", "containerSet", "script", "resource", "data", "http", "plugin")
TYPES = (*LEAVES, "steps", "dag", "suspend")
PODS = ("container", "containerSet", "script", "resource", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One resolved workflow under examination."""

    resolved: Resolved
    library: Library
    problems: Problems
    raws: dict[str, Json] = field(default_factory=dict)
    spoiled: set[str] = field(default_factory=set)
    """Guessed templates in which something is wrong: that is for those who run them, not for this workflow."""

    @property
    def spec(self) -> Json:
        """The merged spec, without templates."""
        spec: Json = self.resolved.workflow.get("spec") or {}
        return spec

    @property
    def is_library(self) -> bool:
        """Whether the object is a template that a Workflow may complete."""
        return self.resolved.resource.kind in {"WorkflowTemplate", "ClusterWorkflowTemplate"}

    def templates(self) -> Iterator[tuple[str, Json]]:
        """Every template by its key, as its author wrote it."""
        for key in self.resolved.templates:
            yield key, self.raw(key)

    def raw(self, key: str) -> Json:
        """A template before defaults were merged into it."""
        if key not in self.raws:
            owner, path = self.resolved.origins[key]
            found: Any = owner.json
            for part in path:
                found = found[part]
            self.raws[key] = found
        return self.raws[key]

    def calls(self, key: str) -> Iterator[tuple[Path, Json]]:
        """The steps or tasks of a template."""
        return calls_of(self.raw(key))

    def report(self, key: str, path: Path, code: str, message: str, *, help: str, within: Within = None) -> None:  # noqa: A002
        """A problem inside a template; `within` is a part of the text there."""
        if key in self.resolved.guessed:
            self.spoiled.add(key)
            return
        owner, start = self.resolved.origins[key]
        self.problems.add(owner.document, (*start, *path), code, message, help=help, within=within)

    def report_spec(self, path: Path, code: str, message: str, *, help: str, within: Within = None) -> None:  # noqa: A002
        """A problem outside the templates: in the object itself, or in the WorkflowTemplate that it refers to."""
        resource = self.resolved.resource
        document, here = resource.document, path
        if path[0] == "spec":
            here = (*spec_path(resource), *path[1:])
            if not document.find(here)[2]:
                owners = [owner.document for owner, _ in self.resolved.origins.values() if owner is not resource]
                other = next((one for one in owners if one.find(path)[2]), None)
                document, here = (other, path) if other else (document, here)
        self.problems.add(document, here, code, message, help=help, within=within)

    def report_cron(self, path: Path, code: str, message: str, *, help: str, within: Within = None) -> None:  # noqa: A002
        """A problem of a CronWorkflow's own fields."""
        self.problems.add(self.resolved.resource.document, path, code, message, help=help, within=within)


def type_of(template: Json) -> str:
    """The first kind that a template has, or ''."""
    return next((name for name in TYPES if template.get(name) is not None), "")


def is_leaf(template: Json) -> bool:
    """Whether it runs something itself. Argo: Template.IsLeaf, where suspend is none."""
    return type_of(template) in LEAVES


def title(key: str) -> str:
    """A template's key as a user knows it."""
    where, owner, name = key.split("/", 2)
    return name if where == "local" else f"{owner}/{name}"


def texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text in a JSON value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from texts(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*path, index))


def check_owners(view: View) -> None:
    """Templates of other files bring the problems inside them; the WorkflowTemplate that is run brings all of its own."""
    own = view.resolved.resource.document.file
    for key, (owner, path) in view.resolved.origins.items():
        document = owner.document
        if document.file == own or document.file not in view.library.problems:
            continue
        node = document.root if key.startswith(LOCAL) else document.find(path)[1]
        inside = [one for one in view.library.problems[document.file] if node.line < one.pos.line <= node.end_line + 1]
        if inside and key in view.resolved.guessed:
            view.spoiled.add(key)
        else:
            view.problems.extend(inside)
