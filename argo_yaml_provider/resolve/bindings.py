"""A WorkflowEventBinding: which events start a run of which template, with which arguments.

In: a Resource.  Out: `Binding`, and problems.
Must not know: how events arrive. Argo: server/event/dispatch/operation.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from argo_yaml_provider.resolve.checks.syntax import LANGUAGE, bad_expression
from argo_yaml_provider.spec.problems import Problems
from argo_yaml_provider.spec.resource import Json, Path, Resource

KIND = "WorkflowEventBinding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What is kept of it; every text but the names is an expression over the event."""

    name: str
    namespace: str
    """'' where the file names none."""
    selector: str
    kind: str = ""
    """Of the template; '' where nothing is submitted."""
    template: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    run: str = ""
    """`submit.metadata.name`: the name of the run, which is started once."""
    note: dict[str, str] = field(default_factory=dict)
    """`submit.metadata.labels` and `annotations`."""
    annotations: dict[str, str] = field(default_factory=dict)
    """The binding's own."""

    def to_json(self) -> Json:
        """A JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Binding:
        """What `to_json` wrote."""
        return cls(**value)


def read_binding(resource: Resource) -> Binding:
    """The binding of a resource that was checked."""
    spec: Json = resource.json.get("spec") or {}
    submit: Json = spec.get("submit") or {}
    reference: Json = submit.get("workflowTemplateRef") or {}
    metadata: Json = submit.get("metadata") or {}
    parameters = (submit.get("arguments") or {}).get("parameters") or ()
    return Binding(
        name=resource.name,
        namespace=resource.namespace,
        selector=(spec.get("event") or {}).get("selector") or "",
        kind="ClusterWorkflowTemplate" if reference.get("clusterScope") else "WorkflowTemplate",
        template=reference.get("name") or "",
        arguments={one.get("name") or "": (one.get("valueFrom") or {}).get("event") or "" for one in parameters},
        run=metadata.get("name") or metadata.get("generateName") or "",
        note={**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})},
        annotations=(resource.json.get("metadata") or {}).get("annotations") or {},
    )


def check_binding(resource: Resource, problems: Problems) -> None:
    """All of it: a selector, a template, arguments that are expressions."""
    spec: Json = resource.json.get("spec") or {}
    if not resource.name:
        problems.add(resource.document, ("metadata", "name"), "missing-field", "the binding has no name", help="write name: …")
    if not (spec.get("event") or {}).get("selector"):
        help_text = 'write selector: an expression over payload, metadata and discriminator; "true" takes every event'
        problems.add(
            resource.document, ("spec", "event", "selector"), "missing-field", "the binding has no selector", help=help_text
        )
    submit = spec.get("submit")
    if submit is not None and not (submit.get("workflowTemplateRef") or {}).get("name"):
        path: Path = ("spec", "submit", "workflowTemplateRef", "name")
        problems.add(
            resource.document, path, "missing-field", "the binding names no template", help="name a WorkflowTemplate to run"
        )
    for path, text in _expressions(spec):
        if not text:
            message = "an argument of a binding comes from the event"
            problems.add(resource.document, path, "missing-value", message, help="write valueFrom: {event: payload.…}")
        for message, offset, length in bad_expression(text) if text else ():
            said = f"this expression cannot be read: {message}"
            problems.add(resource.document, path, "bad-expression", said, help=LANGUAGE, within=(offset, length))


def _expressions(spec: Json) -> Iterator[tuple[Path, str]]:
    """Every text that is one, with its place."""
    if selector := (spec.get("event") or {}).get("selector"):
        yield ("spec", "event", "selector"), selector
    submit: Json = spec.get("submit") or {}
    for index, parameter in enumerate((submit.get("arguments") or {}).get("parameters") or ()):
        path: Path = ("spec", "submit", "arguments", "parameters", index)
        event = (parameter.get("valueFrom") or {}).get("event") or ""
        yield ((*path, "valueFrom", "event") if event else path), event
    metadata: Json = submit.get("metadata") or {}
    for name in ("name", "generateName"):
        if metadata.get(name):
            yield ("spec", "submit", "metadata", name), metadata[name]
    for where in ("labels", "annotations"):
        for name, text in (metadata.get(where) or {}).items():
            yield ("spec", "submit", "metadata", where, name), text
