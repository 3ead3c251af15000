"""What a file holds, as values with places.

In: nothing.  Out: `Node`, `Lines`, `Document`.
Must not know: YAML's syntax.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from argo_yaml_provider.diagnostics import Pos

Path = tuple[str | int, ...]
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_SHOWN = 160


class Node(NamedTuple):
    """One value; a tuple, because a file holds a hundred thousand of them. Lines and columns count from 0."""

    value: Any
    """A scalar's JSON value, a list of Nodes, or a dict of text to (key node, value node)."""
    line: int
    column: int
    end_line: int
    end_column: int
    size: int = 1
    """How many values it holds, aliases counted as often as they stand."""
    text: str = ""
    """A scalar as written, without quotes."""
    block: bool = False
    """Whether it is a `|` or `>` scalar, whose text begins on the line below."""
    quoted: bool = False

    @property
    def json(self) -> Any:
        """Plain JSON."""
        value = self.value
        if isinstance(value, dict):
            return {name: child.json for name, (_, child) in value.items()}
        if isinstance(value, list):
            return [child.json for child in value]
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The text of a file, line by line, for showing."""

    file: str
    lines: tuple[str, ...]

    @classmethod
    def of(cls, file: str, text: str) -> Lines:
        """Split as YAML does, so that line numbers agree."""
        return cls(file=file, lines=tuple(_LINE_END.split(text)))

    def pos(self, line: int, column: int, width: int = 1) -> Pos:
        """The place at a line and column, both from 0; a line too long to show is left out."""
        text = self.lines[line] if line < len(self.lines) else ""
        width = max(1, min(width, len(text) - column))
        shown = text if len(text) <= _SHOWN else ""
        return Pos(file=self.file, line=line + 1, column=column + 1, text=shown.rstrip(), width=width)

    def node(self, node: Node) -> Pos:
        """The place of a value, underlined as far as its first line goes."""
        one_line = node.end_line == node.line and not isinstance(node.value, (dict, list))
        return self.pos(node.line, node.column, node.end_column - node.column if one_line else 1)

    def part(self, node: Node, offset: int, length: int) -> Pos:
        """The place of `node.text[offset:offset + length]`; where escapes or folding hide it, the scalar's start."""
        line, column = self._literal(node, offset) if node.block else self._flat(node, offset)
        if line >= 0:
            return self.pos(line, column, max(1, length))
        return self._search(node, offset, length)

    def _literal(self, node: Node, offset: int) -> tuple[int, int]:
        """In a `|` scalar every line of the text is a line of the file, further right."""
        index = node.text.count("\n", 0, offset)
        start = node.text.rfind("\n", 0, offset) + 1
        content = node.text[start:].split("\n", 1)[0]
        line = node.line + 1 + index
        raw = self.lines[line] if line < len(self.lines) else ""
        indent = len(raw) - len(content)
        exact = indent > 0 and raw.endswith(content) and not raw[:indent].strip()
        return (line, indent + offset - start) if exact else (-1, 0)

    def _flat(self, node: Node, offset: int) -> tuple[int, int]:
        """On one line and without escapes, text and file run side by side."""
        start = node.column + node.quoted
        exact = self.lines[node.line].startswith(node.text, start) if node.line < len(self.lines) else False
        return (node.line, start + min(offset, len(node.text))) if exact else (-1, 0)

    def _search(self, node: Node, offset: int, length: int) -> Pos:
        """The n-th occurrence in the text is the n-th in the file."""
        wanted = node.text[offset : offset + max(1, length)].split("\n", 1)[0].strip()
        nth = node.text.count(wanted, 0, offset) if wanted else -1
        for line in range(node.line + node.block, min(node.end_line + 1, len(self.lines))) if wanted else ():
            raw = self.lines[line][: node.end_column] if line == node.end_line else self.lines[line]
            at = raw.find(wanted, 0 if line > node.line else node.column)
            while at >= 0:
                if not nth:
                    return self.pos(line, at, len(wanted))
                nth -= 1
                at = raw.find(wanted, at + len(wanted))
        return self.node(node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a file."""

    lines: Lines
    index: int
    """Counted from 0, empty ones left out."""
    root: Node

    @property
    def file(self) -> str:
        """The file's name, as it was given."""
        return self.lines.file

    @property
    def json(self) -> Any:
        """Plain JSON, as sigs.k8s.io/yaml gives it."""
        return self.root.json

    def find(self, path: Path) -> tuple[Node | None, Node, bool]:
        """(key, value, whether it is the very one) of the value at a path, or of the nearest that exists above it."""
        key, node = None, self.root
        for part in path:
            if isinstance(node.value, dict) and part in node.value:
                key, node = node.value[part]
            elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
                key, node = None, node.value[part]
            else:
                return key, node, False
        return key, node, True

    def at(self, path: Path, *, key: bool = False, offset: int = 0, length: int = 0) -> Pos:
        """The place of a value, of its key, or of a part of its text; see `Resource.at`."""
        key_node, node, found = self.find(path)
        if found and (offset or length):
            return self.lines.part(node, offset, length)
        if key_node is not None and (key or not found or isinstance(node.value, (dict, list))):
            return self.lines.node(key_node)
        return self.lines.node(node)
