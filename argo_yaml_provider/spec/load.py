"""Documents -> Resources: every field looked up in the table, every type checked, JSON normalised.

In: source.Document.  Out: `Resource`s and all problems of the file.
Must not know: what a name refers to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from argo_yaml_provider.diagnostics import Diagnostic, SpecError
from argo_yaml_provider.source import Document, Node
from argo_yaml_provider.source.nodes import Path
from argo_yaml_provider.spec.codes import way_out
from argo_yaml_provider.spec.fields import Field, Struct, Type, is_struct, struct_of
from argo_yaml_provider.spec.problems import Problems, Within, suggest
from argo_yaml_provider.spec.resource import Json, Resource
from argo_yaml_provider.spec.values import Wrong, describe, expected, read_value

KINDS = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow", "WorkflowEventBinding")
ARGO_VERSION = "argoproj.io/v1alpha1"
_ABSENT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a file holds, and what is wrong with it."""

    resources: tuple[Resource, ...]
    problems: tuple[Diagnostic, ...]
    broken: frozenset[int]
    """Indices of documents with lists or mappings out of place: checks that look further would only repeat it."""


def load_documents(documents: Iterable[Document]) -> tuple[Resource, ...]:
    """The resources of a file, or a SpecError with all that is wrong with them."""
    loaded = load_all(documents)
    if loaded.problems:
        raise SpecError(loaded.problems)
    return loaded.resources


def load_all(documents: Iterable[Document]) -> Loaded:
    """The resources of a file, with the problems beside them."""
    problems = Problems()
    resources, broken = [], set()
    for document in documents:
        reader = _Reader(document=document, problems=problems)
        resource = reader.resource()
        if resource is not None:
            resources.append(resource)
        if reader.broken:
            broken.add(document.index)
    return Loaded(resources=tuple(resources), problems=problems.all, broken=frozenset(broken))


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads one document."""

    document: Document
    problems: Problems
    broken: bool = False

    def resource(self) -> Resource | None:
        """The object, or None if it cannot be told what it is."""
        root = self.document.root
        if not isinstance(root.value, dict):
            message = f"the document is {describe(root)}, not an object"
            self._problem((), "not-an-object", message, help="an Argo workflow begins with apiVersion: argoproj.io/v1alpha1")
            return None
        version, kind = self._text("apiVersion"), self._text("kind")
        if version is None or kind is None:
            return None
        if not version.startswith("argoproj.io/"):
            return self._named(kind, version, root.json)
        if kind not in KINDS or version != ARGO_VERSION:
            self._unknown(kind, version)
            return None
        struct = struct_of(kind)
        if struct.refused:
            self._problem(("kind",), struct.refused, f"{kind} is not supported", help=way_out(struct.refused))
        value = self._struct(root, struct, ())
        return self._named(kind, version, value)

    def _text(self, name: str) -> str | None:
        pair = self.document.root.value.get(name)
        if pair is not None and isinstance(pair[1].value, str) and pair[1].value:
            return str(pair[1].value)
        sample = ARGO_VERSION if name == "apiVersion" else "Workflow"
        self._problem(
            (name,), "missing-field", f"{name} is missing: it says what the document is", help=f"write {name}: {sample}"
        )
        return None

    def _unknown(self, kind: str, version: str) -> None:
        if version != ARGO_VERSION:
            self._problem(
                ("apiVersion",), "unknown-kind", f'apiVersion "{version}" is not known', help=f"Argo's is {ARGO_VERSION}"
            )
        else:
            help_text = suggest(kind, KINDS, label="Argo's kinds")
            self._problem(("kind",), "unknown-kind", f'kind "{kind}" is not one of Argo\'s', help=help_text)

    def _named(self, kind: str, version: str, value: Json) -> Resource:
        metadata = value.get("metadata") if isinstance(value.get("metadata"), dict) else {}
        text = {name: str((metadata or {}).get(name) or "") for name in ("name", "generateName", "namespace")}
        return Resource(
            kind=kind, api_version=version, name=text["name"], generate_name=text["generateName"], namespace=text["namespace"],
            json=value, document=self.document,
        )  # fmt: skip

    def _problem(self, path: Path, code: str, message: str, *, help: str, within: Within = None) -> None:  # noqa: A002
        self.problems.add(self.document, path, code, message, help=help, within=within)

    def _read(self, node: Node, type_: Type, path: Path) -> Any:
        """A value of any type; `_ABSENT` where it is null or wrong."""
        if node.value is None and type_.name != "any":
            return _ABSENT
        if type_.name == "[]":
            return self._list(node, type_, path)
        if type_.name == "{}":
            return self._map(node, type_, path)
        if is_struct(type_):
            return self._struct(node, struct_of(type_.name), path)
        try:
            return read_value(type_.name, node)
        except Wrong as wrong:
            self._wrong(path, wrong, structure=isinstance(node.value, (dict, list)))
            return node.text if node.text and type_.name == "string" else _ABSENT

    def _wrong(self, path: Path, wrong: Wrong, *, structure: bool = True) -> None:
        self.broken = self.broken or structure
        self.problems.add(self.document, path, wrong.code, wrong.message, help=wrong.help, within=(wrong.offset, wrong.length))

    def _list(self, node: Node, type_: Type, path: Path) -> Any:
        assert type_.of
        if not isinstance(node.value, list):
            self._wrong(path, expected("a list", node, _list_help(node, type_.of)))
            return _ABSENT
        items = []
        for index, child in enumerate(node.value):
            value = self._read(child, type_.of, (*path, index))
            items.append(_zero(type_.of) if value is _ABSENT else value)
        return items

    def _map(self, node: Node, type_: Type, path: Path) -> Any:
        assert type_.of
        if not isinstance(node.value, dict):
            self._wrong(path, expected("a mapping", node))
            return _ABSENT
        read = {name: self._read(child, type_.of, (*path, name)) for name, (_, child) in node.value.items()}
        return {name: _zero(type_.of) if read[name] is _ABSENT else read[name] for name in sorted(read)}

    def _struct(self, node: Node, struct: Struct, path: Path) -> Any:
        if not isinstance(node.value, dict):
            help_text = _STEP_HELP if struct.name == "WorkflowStep" else ""
            self._wrong(path, expected(f"a mapping ({_article(struct.name)})", node, help_text))
            return {}
        for name in node.value:
            if name not in struct.fields:
                label = f"{struct.name} has"
                help_text = suggest(name, struct.fields, label=label)
                self._problem((*path, name), "unknown-field", f'unknown field "{name}"', help=help_text, within="key")
        value = {}
        for name, field in struct.fields.items():
            if name in node.value:
                child = self._field(node.value[name][1], field, (*path, name))
                if child is not _ABSENT:
                    value[name] = child
        return value

    def _field(self, node: Node, field: Field, path: Path) -> Any:
        if field.refused and not _means_nothing(node):
            self._problem(path, field.refused, f'"{field.name}" is not supported', help=way_out(field.refused), within="key")
        return self._read(node, field.type, path)


_LIST_HELP = "begin each entry with a dash: - name: …"
_STEP_HELP = "steps is a list of lists: write - - name: … for the first step of a group, and - name: … for the others"


def _list_help(node: Node, of: Type) -> str:
    if not isinstance(node.value, dict):
        return f"write [{node.text}], or one entry a line, each with a dash" if node.text else ""
    return _STEP_HELP if of.name == "WorkflowStep" else _LIST_HELP


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"


def _means_nothing(node: Node) -> bool:
    """A field that says no more than its absence would."""
    return node.value is None or node.value is False or node.value == [] or (node.value == "" and node.value is not None)


def _zero(type_: Type) -> Any:
    """What null is in a Go list or map."""
    if type_.name == "[]":
        return []
    if type_.name == "any":
        return None
    if type_.name == "{}" or is_struct(type_):
        return {}
    return {"bool": False, "int": 0, "number": 0, "IntOrString": 0}.get(type_.name, "")
