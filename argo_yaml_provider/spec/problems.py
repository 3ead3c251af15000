"""Collects what is wrong with an object, each with its place.

In: a place in a Document and words.  Out: Diagnostics.
Must not know: what is checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from argo_yaml_provider.diagnostics import Diagnostic
from argo_yaml_provider.source import Document
from argo_yaml_provider.source.nodes import Path

Within = Literal["key"] | tuple[int, int] | None
"""Where at a path: its key, or offset and length in its text; None is the value as a whole."""
_MOST_NAMES = 8
_LONGEST_NAME = 40
_MOST_COMPARED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Problems:
    """Everything found so far in one run over a file; the same thing is said once."""

    found: dict[tuple[object, ...], Diagnostic] = field(default_factory=dict)

    def add(
        self,
        document: Document,
        path: Path,
        code: str,
        message: str,
        *,
        help: str,  # noqa: A002 - the same word as in Diagnostic
        within: Within = None,
    ) -> None:
        """Note a problem at the value at a path, at its key, or at a part of its text."""
        offset, length = within if isinstance(within, tuple) else (0, 0)
        pos = document.at(path, key=within == "key", offset=offset, length=length)
        problem = Diagnostic(pos=pos, code=code, message=message, path=show_path(document, path), help=help)
        self.extend((problem,))

    def extend(self, problems: Iterable[Diagnostic]) -> None:
        """Take over problems found elsewhere."""
        for one in problems:
            self.found.setdefault((one.pos.file, one.pos.line, one.pos.column, one.code, one.message), one)

    @property
    def all(self) -> tuple[Diagnostic, ...]:
        """In the order in which they were found."""
        return tuple(self.found.values())


def show_path(document: Document, path: Path) -> str:
    """`spec.templates[main].dag.tasks[train]`: list elements by their name, where they have one."""
    shown = ""
    node = document.root
    for part in path:
        child = None
        if isinstance(node.value, dict) and part in node.value:
            child = node.value[part][1]
        elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
            child = node.value[part]
        if isinstance(part, int):
            shown += f"[{_name_of(child) or part}]"
        else:
            shown += f".{part}" if shown else part
        if child is None:
            break
        node = child
    return shown


def _name_of(node: object) -> str:
    value = getattr(node, "value", None)
    name = value["name"][1].value if isinstance(value, dict) and "name" in value else None
    return _shortened(name) if isinstance(name, str) else ""


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def suggest(wrong: str, known: Iterable[str], *, label: str) -> str:
    """`did you mean "train"? defined here: prep, score, train`; at most eight names, then "and N more"."""
    import difflib

    names = list(dict.fromkeys(known))
    if len(names) > _MOST_COMPARED:
        names = [name for name in names if name[:1].lower() == wrong[:1].lower()][:_MOST_COMPARED] or names[:_MOST_COMPARED]
    folded = {name.lower(): name for name in names}
    close = [folded[wrong.lower()]] if wrong.lower() in folded else difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    meant = f'did you mean "{close[0]}"? ' if close else ""
    if not names:
        return f"{meant}{label}: none"
    near = (
        sorted(names, key=lambda name: -difflib.SequenceMatcher(None, wrong, name).ratio())[:_MOST_NAMES]
        if len(names) > _MOST_NAMES
        else names
    )
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{meant}{label}: {', '.join(near)}{more}"
