"""A workflow with everything it refers to: templates, defaults, scopes joined. Still no Airflow words.

In: nothing.  Out: `Resolved`, `Library`, and how template keys are written.
Must not know: tasks, pods.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from argo_yaml_provider.diagnostics import Diagnostic, Pos
from argo_yaml_provider.spec.resource import Json, Path, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """What can be referred to: found in the file, its folder and the `--templates` paths, the nearest first."""

    namespaced: dict[str, Resource] = field(default_factory=dict)
    """WorkflowTemplates by name."""
    cluster: dict[str, Resource] = field(default_factory=dict)
    """ClusterWorkflowTemplates by name."""
    problems: dict[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    """What is wrong in a file, by its name; it counts only where a template is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """One runnable object.

    A template's key is `SCOPE/RESOURCE/NAME`: `local//main`, `namespaced/lib/score`,
    `cluster/lib/score`; that of an inline template `KEY-OF-ITS-PARENT` with `inline/` before the name and `/STEP` behind it,
    such as `local//inline/main/a`.
    """

    resource: Resource
    """The document that is run."""
    name: str
    """metadata.name, or generateName without its dash, or the file's stem."""
    workflow: Json
    """apiVersion, kind, metadata and the merged spec (workflowTemplateRef applied), without `templates`."""
    templates: dict[str, Json]
    """Every template of the workflow, and all that can be reached from them, by key, with templateDefaults and the owner's
    podMetadata merged."""
    origins: dict[str, tuple[Resource, Path]]
    """Where each template was written: its owner, and its path in it, such as ("spec", "templates", 0)."""
    entrypoint: str
    """Key of the entrypoint's template; '' for a library without one."""
    on_exit: str = ""
    """Key of spec.onExit's template, or ''."""
    library: Library = field(default_factory=Library)
    """Where its references were looked up."""

    guessed: frozenset[str] = frozenset()
    """Keys of the templates that only a name with a tag may lead to: what is wrong in them refuses nothing."""

    def forget(self, wrong: set[str]) -> None:
        """Leave out guessed templates, and those of them that call one."""
        from argo_yaml_provider.resolve.references import holders_of, key_of

        gone: set[str] = set()
        while wrong:
            gone |= wrong
            left = self.guessed - gone
            wrong = {key for key in left if any(key_of(key, one) in gone for _, one in holders_of(self.templates[key]))}
        for key in gone:
            del self.templates[key], self.origins[key]

    def reference(self, scope: str, holder: Json) -> str | None:
        """The key of the template that a step, task or hook (`holder`) inside the template `scope` calls.

        None: its name holds a tag and is known only at run time (substitute, then ask again), or there is no such template.
        """
        from argo_yaml_provider.resolve.references import key_of

        key = key_of(scope, holder)
        return key if key in self.templates else None

    def at(self, key: str, path: Path = (), *, offset: int = 0, length: int = 0) -> Pos:
        """The place of a part of the template `key`."""
        owner, start = self.origins[key]
        return owner.at((*start, *path), offset=offset, length=length)
