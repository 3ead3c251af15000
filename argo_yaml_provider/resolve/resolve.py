"""A resource and its library -> Resolved.

In: spec.Resource, Library.  Out: `Resolved`; what is wrong is added to the problems.
Must not know: tasks, pods.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from argo_yaml_provider.resolve.defaults import join_specs, with_pod_metadata, with_template_defaults
from argo_yaml_provider.resolve.references import (
    LOCAL,
    calls_of,
    holders_of,
    hooks_of,
    is_dynamic,
    key_of,
    may_become,
    spec_of,
    spec_path,
)
from argo_yaml_provider.resolve.resolved import Library, Resolved
from argo_yaml_provider.spec.problems import Problems, suggest
from argo_yaml_provider.spec.resource import Json, Path, Resource


def join(resource: Resource, library: Library, problems: Problems, *, entrypoint: str = "") -> Resolved | None:
    """The resource with all it refers to; None where it refers to a WorkflowTemplate that is not there."""
    owner, spec, path = resource, spec_of(resource), spec_path(resource)
    reference = spec.get("workflowTemplateRef")
    if reference:
        found = _workflow_template(resource, (*path, "workflowTemplateRef", "name"), reference, library, problems)
        if found is None:
            return None
        owner, spec, path = found, join_specs(spec, spec_of(found)), spec_path(found)
    joiner = _Joiner(library=library, problems=problems, spec=spec)
    for index, template in enumerate(spec.get("templates") or ()):
        joiner.add(f"{LOCAL}{template.get('name', '')}", template, owner, (*path, "templates", index))
    for _, holder in hooks_of(spec):
        joiner.call(LOCAL, holder)
    sure = frozenset(joiner.templates)
    joiner.guess()
    spec = {name: value for name, value in spec.items() if name != "templates"}
    if entrypoint:
        spec["entrypoint"] = entrypoint
    return Resolved(
        resource=resource,
        name=resource.name or resource.generate_name.removesuffix("-") or FilePath(resource.document.file).stem,
        workflow={**_head(resource), "spec": spec},
        templates=joiner.templates,
        origins=joiner.origins,
        entrypoint=f"{LOCAL}{spec['entrypoint']}" if spec.get("entrypoint") else "",
        on_exit=f"{LOCAL}{spec['onExit']}" if spec.get("onExit") else "",
        library=library,
        guessed=frozenset(joiner.templates) - sure,
    )


def _head(resource: Resource) -> Json:
    """apiVersion, kind and metadata of the Workflow that runs. Argo: ConvertCronWorkflowToWorkflow."""
    if resource.kind != "CronWorkflow":
        return resource.json
    given = (resource.json.get("spec") or {}).get("workflowMetadata") or {}
    labels = {"workflows.argoproj.io/cron-workflow": resource.name, **(given.get("labels") or {})}
    metadata = {"generateName": f"{resource.name}-", "labels": labels, "annotations": given.get("annotations") or {}}
    return {"apiVersion": resource.api_version, "kind": "Workflow", "metadata": metadata}


def _workflow_template(
    resource: Resource, path: Path, reference: Json, library: Library, problems: Problems
) -> Resource | None:
    kind, pool = (
        ("ClusterWorkflowTemplate", library.cluster)
        if reference.get("clusterScope")
        else ("WorkflowTemplate", library.namespaced)
    )
    name = reference.get("name", "")
    if name not in pool:
        message = f'{kind} "{name}" is not found'
        help_text = suggest(name, pool, label="found") + _WHERE
        problems.add(resource.document, path, "unknown-resource", message, help=help_text)
        return None
    return pool[name]


_WHERE = "; it is looked for in the file, its folder and --templates"


@dataclass(slots=True, kw_only=True)
class _Joiner:
    """Gathers templates from the workflow and from all that it refers to."""

    library: Library
    problems: Problems
    spec: Json
    templates: dict[str, Json] = field(default_factory=dict)
    origins: dict[str, tuple[Resource, Path]] = field(default_factory=dict)
    todo: deque[tuple[str, Json, Resource, Path]] = field(default_factory=deque)
    dynamic: list[str] = field(default_factory=list)
    """Keys that hold a tag."""

    def add(self, key: str, template: Json, owner: Resource, path: Path) -> None:
        """One template, and all that it calls elsewhere, however long that chain is."""
        self.todo.append((key, template, owner, path))
        if len(self.todo) > 1:
            return
        while self.todo:
            self._take(*self.todo[0])
            self.todo.popleft()

    def _take(self, key: str, template: Json, owner: Resource, path: Path) -> None:
        if key in self.templates:
            return
        metadata = None if "/inline/" in key else spec_of(owner).get("podMetadata")
        self.templates[key] = with_template_defaults(with_pod_metadata(template, metadata), self.spec.get("templateDefaults"))
        self.origins[key] = (owner, path)
        for where, call in calls_of(template):
            if call.get("inline") is not None:
                self.add(key_of(key, call), call["inline"], owner, (*path, *where, "inline"))
        for _, holder in holders_of(template):
            self.call(key, holder)

    def call(self, scope: str, holder: Json) -> None:
        """What a step, task or hook calls; a name with a tag may mean anything in reach."""
        key = key_of(scope, holder)
        where, name, template = key.split("/", 2)
        if key in self.templates or where == "local" or holder.get("inline") is not None:
            return
        pool = self._pool(where)
        if is_dynamic(key):
            self.dynamic.append(key)
        elif name in pool:
            self._add_from(where, pool[name], template)

    def guess(self) -> None:
        """All that the names with a tag can mean, and what that calls."""
        for key in self.dynamic:  # which grows
            where, name, _ = key.split("/", 2)
            pool = self._pool(where)
            for found in [pool[name]] if name in pool else pool.values() if is_dynamic(name) else ():
                self._add_matching(key, where, found)

    def _pool(self, where: str) -> dict[str, Resource]:
        return self.library.cluster if where == "cluster" else self.library.namespaced

    def _add_matching(self, key: str, where: str, owner: Resource) -> None:
        for template in (owner.json.get("spec") or {}).get("templates") or ():
            if may_become(key, f"{where}/{owner.name}/{template.get('name', '')}"):
                self._add_from(where, owner, template.get("name", ""))

    def _add_from(self, where: str, owner: Resource, name: str) -> None:
        for index, template in enumerate((owner.json.get("spec") or {}).get("templates") or ()):
            if template.get("name") == name:
                self.add(f"{where}/{owner.name}/{name}", template, owner, ("spec", "templates", index))
