"""Parser events -> Documents, within limits.

In: a file's bytes.  Out: its Documents; or a SpecError that says where the text stops making sense.
Must not know: Argo's fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from argo_yaml_provider.diagnostics import Diagnostic, Pos, SpecError
from argo_yaml_provider.source.faults import explain_yaml_error
from argo_yaml_provider.source.nodes import Document, Lines, Node
from argo_yaml_provider.source.scalars import NotJson, key_text, read_scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a file is read before it is refused."""

    bytes: int = 10 * 2**20
    values: int = 300_000
    """Scalars, lists and mappings, aliases counted as often as they stand."""
    depth: int = 100


DEFAULT_LIMITS = Limits()


def read_file(path: str | FilePath, *, shown_as: str = "", limits: Limits = DEFAULT_LIMITS) -> tuple[Document, ...]:
    """The documents of a file."""
    file = shown_as or str(path)
    try:
        size = FilePath(path).stat().st_size
        if size > limits.bytes:
            raise _refused(file, "file-too-large", _too_large(size, limits), _SPLIT)
        raw = FilePath(path).read_bytes()
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        raise _refused(file, "unreadable-file", message, "check the path and its permissions") from None
    return read_text(_decode(raw, file), file=file, limits=limits)


def read_text(text: str, file: str = "<text>", *, limits: Limits = DEFAULT_LIMITS) -> tuple[Document, ...]:
    """The documents of a text; empty ones are left out."""
    if len(text) > limits.bytes:
        raise _refused(file, "file-too-large", _too_large(len(text), limits), _SPLIT)
    lines = Lines.of(file, text)
    roots = list(_Composer(lines=lines, limits=limits).roots(text))
    if not roots:
        raise _refused(
            file, "empty-file", "the file holds no document", "an Argo workflow begins with apiVersion: argoproj.io/v1alpha1"
        )
    return tuple(Document(lines=lines, index=index, root=root) for index, root in enumerate(roots))


_SPLIT = "split it, or generate its items at run time with withParam or withSequence"


def _too_large(size: int, limits: Limits) -> str:
    return f"the file has {size:,} bytes; at most {limits.bytes:,} are read"


def _refused(file: str, code: str, message: str, help_text: str, line: int = 1, column: int = 1) -> SpecError:
    pos = Pos(file=file, line=line, column=column)
    return SpecError((Diagnostic(pos=pos, code=code, message=message, help=help_text),))


def _decode(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = len(raw[raw.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", "replace")) + 1
        message = f"the file is not UTF-8: byte 0x{raw[error.start]:02x} is no character"
        raise _refused(file, "not-utf8", message, "save it as UTF-8", line, column) from None


@dataclass(slots=True, kw_only=True)
class _Open:
    """A list or mapping that has begun and not ended."""

    event: Any
    children: Any
    anchor: str | None
    key: Node | None = None
    size: int = 1
    merged: list[tuple[Node, Node]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _Composer:
    """Builds nodes from events, without recursion, so that no depth of nesting can hurt."""

    lines: Lines
    limits: Limits
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node | None] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    values: int = 0

    def roots(self, text: str) -> Iterator[Node]:
        """The root of every document that holds something; all problems together once the text has ended."""
        import yaml

        loader = getattr(yaml, "CLoader", yaml.Loader)
        try:
            for event in yaml.parse(text, Loader=loader):
                node = self._take(event, yaml)
                if node is not None and node.value is not None:
                    yield node
        except yaml.YAMLError as error:
            self.problems.append(explain_yaml_error(error, self.lines))
        if self.problems:
            raise SpecError(tuple(self.problems))

    def _take(self, event: Any, yaml: Any) -> Node | None:
        """One event; the root node once it is complete."""
        if isinstance(event, yaml.ScalarEvent):
            return self._place(self._scalar(event), event.anchor, values=1)
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._begin(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            return self._end(event)
        elif isinstance(event, yaml.AliasEvent):
            alias = self._alias(event)
            return self._place(alias, None, values=alias.size)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.anchors.clear()
        return None

    def _begin(self, event: Any, children: Any) -> None:
        mark = event.start_mark
        if len(self.stack) >= self.limits.depth:
            self._stop(mark, "too-deep", f"lists and mappings are nested more than {self.limits.depth} deep", "flatten them")
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Open(event=event, children=children, anchor=event.anchor))

    def _end(self, event: Any) -> Node | None:
        done = self.stack.pop()
        for key, source in done.merged:
            self._merge(done, key, source)
        start, end = done.event.start_mark, event.end_mark
        node = Node(done.children, start.line, start.column, end.line, end.column, done.size)
        return self._place(node, done.anchor, values=1)

    def _scalar(self, event: Any) -> Node:
        start, end = event.start_mark, event.end_mark
        text, style = event.value, event.style
        try:
            value = read_scalar(text, event.tag, plain=event.implicit[0])
        except NotJson as error:
            self._problem(start, "not-json", str(error), "put it in quotes, if text is meant")
            value = text
        return Node(value, start.line, start.column, end.line, end.column, 1, text, style in {"|", ">"}, style in {"'", '"'})

    def _alias(self, event: Any) -> Node:
        found = self.anchors.get(event.anchor)
        if found is None:
            inside = event.anchor in self.anchors
            message = (
                f'alias "*{event.anchor}" stands inside its own anchor'
                if inside
                else f'anchor "&{event.anchor}" is not defined'
            )
            self._stop(
                event.start_mark,
                "bad-alias",
                message,
                f"define &{event.anchor} above, or put quotes around text that begins with *",
            )
        assert found is not None
        return found

    def _place(self, node: Node, anchor: str | None, *, values: int) -> Node | None:
        """Put a finished node where it belongs: into the open list or mapping, or out as a root."""
        self.values += values
        if self.values > self.limits.values:
            self._too_many(node)
        if anchor:
            self.anchors[anchor] = node
        if not self.stack:
            self.values = 0
            return node
        parent = self.stack[-1]
        parent.size += node.size
        if isinstance(parent.children, list):
            parent.children.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            key, parent.key = parent.key, None
            self._pair(parent, key, node)
        return None

    def _too_many(self, node: Node) -> None:
        message = f"the document holds more than {self.limits.values:,} values, aliases counted as often as they stand"
        self._stop_at(self.lines.pos(node.line, node.column), "too-many-values", message, _SPLIT)

    def _pair(self, parent: _Open, key: Node, node: Node) -> None:
        if isinstance(key.value, (dict, list)):
            braces = isinstance(key.value, dict)
            message = f"a {'mapping' if braces else 'list'} cannot be a key"
            help_text = (
                'text that begins with {{ must stand in quotes: "{{…}}"' if braces else "write a plain name before the colon"
            )
            self.problems.append(Diagnostic(pos=self.lines.node(key), code="bad-key", message=message, help=help_text))
            return
        if key.value == "<<" and not key.quoted:
            parent.merged.append((key, node))
            return
        name = key_text(key.value, key.text)
        if name in parent.children:
            first = parent.children[name][0].line + 1
            message = f'key "{name}" is given twice, first in line {first}'
            help_text = "remove one of them: Argo's strict reading refuses it, and a loose one would keep only the last"
            self.problems.append(Diagnostic(pos=self.lines.node(key), code="duplicate-key", message=message, help=help_text))
            return
        parent.children[name] = (key, node)

    def _merge(self, parent: _Open, key: Node, source: Node) -> None:
        """`<<: *base`: keys that are not there yet."""
        sources = source.value if isinstance(source.value, list) else [source]
        for one in sources:
            if not isinstance(one.value, dict):
                message = "<< merges mappings only"
                self.problems.append(
                    Diagnostic(pos=self.lines.node(key), code="bad-merge", message=message, help="write <<: *name")
                )
                return
            for name, pair in one.value.items():
                parent.children.setdefault(name, pair)

    def _problem(self, mark: Any, code: str, message: str, help_text: str) -> None:
        self.problems.append(Diagnostic(pos=self.lines.pos(mark.line, mark.column), code=code, message=message, help=help_text))

    def _stop(self, mark: Any, code: str, message: str, help_text: str) -> None:
        self._stop_at(self.lines.pos(mark.line, mark.column), code, message, help_text)

    def _stop_at(self, pos: Pos, code: str, message: str, help_text: str) -> None:
        """Nothing that follows can be understood: report what there is."""
        raise SpecError((*self.problems, Diagnostic(pos=pos, code=code, message=message, help=help_text)))
