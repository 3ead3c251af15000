"""A workflow's node tree for people: a live tree in a terminal, a line for each change elsewhere, the outputs at the end.

In: results, as `flow.Flow.result()` gives them: name, phase, outputs, nodes.  Out: text.
Must not know: Airflow, Kubernetes, where the nodes come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.live import Live

Json = dict[str, Any]

MARKS = {
    "Succeeded": ("✔", "green"),
    "Failed": ("✖", "red"),
    "Error": ("⚠", "red"),
    "Running": ("●", "cyan"),
    "Pending": ("◷", "yellow"),
    "Skipped": ("○", "dim"),
    "Omitted": ("○", "dim"),
}
"""A sign and a colour for each phase; the signs are Argo's."""
_ENDED = ("Succeeded", "Failed", "Error", "Skipped", "Omitted")
_HIDDEN = "StepGroup"
_CUT = re.compile(r"[.\[(]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A node and what lies in it."""

    node: Json
    label: str
    below: list[Branch] = field(default_factory=list)


def build_tree(nodes: Sequence[Json]) -> list[Branch]:
    """The nodes as they lie in each other by their names; step groups are left out."""
    branches: dict[str, Branch] = {}
    tops: list[Branch] = []
    groups = {node["name"] for node in nodes if node["type"] == _HIDDEN}
    for node in sorted((node for node in nodes if node["type"] != _HIDDEN), key=lambda node: len(node["name"])):
        name = node["name"]
        parent = next((cut for cut in _cuts(name) if cut in branches), None)
        shown_after = next((cut for cut in _cuts(name) if cut in branches or cut in groups), "")
        label = name[len(shown_after) :].removeprefix(".") or name
        branch = branches[name] = Branch(node=node, label=label)
        (branches[parent].below if parent is not None else tops).append(branch)
    order = {node["name"]: number for number, node in enumerate(nodes)}
    for branch in branches.values():
        branch.below.sort(key=lambda one: (one.node.get("startedAt") or "~", order[one.node["name"]]))
    return tops


def _cuts(name: str) -> list[str]:
    """Every name that the node may lie in, the longest first."""
    return [name[: found.start()] for found in reversed(list(_CUT.finditer(name)))]


def describe(node: Json, now: datetime | None = None) -> str:
    """What stands behind a node's name: how long it took, and its message."""
    parts = [_duration(node, now), node.get("message") or ""]
    return "  ".join(part for part in parts if part)


def _duration(node: Json, now: datetime | None) -> str:
    started, finished = node.get("startedAt"), node.get("finishedAt")
    if not started or node.get("phase") in ("Skipped", "Omitted", "Pending"):
        return ""
    end = _moment(finished) if finished else now
    return "" if end is None else _length(max(0, round((end - _moment(started)).total_seconds())))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _length(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{seconds:02}s" if minutes else f"{seconds}s"


def render_outputs(result: Json) -> list[str]:
    """The workflow's outputs, one line each; of a longer value its first lines."""
    outputs = result.get("outputs") or {}
    parameters = [f"  {name} = {_shortened(value)}" for name, value in sorted((outputs.get("parameters") or {}).items())]
    artifacts = [f"  {name} (artifact)" for name in sorted(outputs.get("artifacts") or [])]
    return ["outputs:", *parameters, *artifacts] if parameters or artifacts else []


def _shortened(value: Any, limit: int = 2000) -> str:
    text = "(not produced)" if value is None else str(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


class PlainLines:
    """For a stream that is no terminal: one line when a node starts or ends."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._seen: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def show(self, results: Sequence[Json]) -> None:
        """Say what is new."""
        for result in results:
            for node in result.get("nodes", ()):
                self._tell(node)

    def _tell(self, node: Json) -> None:
        name, phase = node["name"], node.get("phase") or "Pending"
        if node["type"] == _HIDDEN or self._seen.get(name) == phase or phase == "Pending":
            return
        self._seen[name] = phase
        clock = datetime.now(UTC).strftime("%H:%M:%S")
        self._write(f"{clock} {phase:<9} {name}  {describe(node) if phase in _ENDED else ''}".rstrip())


class LiveTree:
    """For a terminal: all trees, redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._results: Sequence[Json] = ()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        from rich.live import Live

        self._live = Live(console=self._console, get_renderable=self._draw, refresh_per_second=4)
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.vertical_overflow = "visible"
            self._live.stop()

    def show(self, results: Sequence[Json]) -> None:
        """Draw these from now on."""
        self._results = results

    def _draw(self) -> Group:
        from rich.console import Group

        now = datetime.now(UTC)
        return Group(*(_rich_tree(branch, now) for result in self._results for branch in build_tree(result.get("nodes", ()))))


def _rich_tree(branch: Branch, now: datetime) -> Any:
    from rich.tree import Tree

    tree = Tree(_rich_label(branch, now), guide_style="dim")
    pending = [(tree, branch)]
    while pending:
        above, here = pending.pop()
        pending += [(above.add(_rich_label(below, now)), below) for below in here.below]
    return tree


def _rich_label(branch: Branch, now: datetime) -> Any:
    from rich.text import Text

    sign, colour = MARKS.get(branch.node.get("phase") or "Pending", ("◷", "yellow"))
    return Text.assemble((sign, colour), " ", branch.label, "  ", (describe(branch.node, now), "dim"))
