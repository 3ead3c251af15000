"""In which order Argo looks at templates: a global output is known only after the step or task that gives it was looked at.

In: `View`.  Out: `Visits`, what is known at each place.
Must not know: tags. Argo: validate.go, Workflow, validateTemplate, addOutputsToScope.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from argo_yaml_provider.resolve.checks.dags import waits_for
from argo_yaml_provider.resolve.checks.known import called, known_tasks
from argo_yaml_provider.resolve.checks.view import View
from argo_yaml_provider.resolve.references import LOCAL
from argo_yaml_provider.spec.resource import Json, Path

OUTPUTS: Path = ("outputs",)
TARGET: Path = ("dag", "target")
FAILURES = "workflow.failures"
_PARAMETER = re.compile(r"\{\{[-a-zA-Z0-9]+(\.[-a-zA-Z0-9_]+)*\}\}")
_ARTIFACTS = "workflow.outputs.artifacts."


class Known(Collection[str]):
    """The names that were known at a moment."""

    def __init__(self, since: dict[str, int], moment: int) -> None:
        self._since, self._moment = since, moment

    def __contains__(self, name: object) -> bool:
        return self._since.get(str(name), self._moment + 1) <= self._moment

    def __iter__(self) -> Iterator[str]:
        return (name for name, since in self._since.items() if since <= self._moment)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Visits:
    """One walk over a workflow, as Argo makes it."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._since: dict[str, int] = {}
        self._sites: dict[tuple[str, Path], tuple[int, tuple[str, ...]]] = {}
        self._visited: set[str] = set()
        self._now = 0
        self._any_artifact: int | None = None
        self._walk()

    def at(self, key: str, path: Path) -> tuple[Known, tuple[str, ...]]:
        """The names that are known at a place of a template, and the prefixes below which any name may come.

        What Argo never looks at may speak of all.
        """
        moment, open_ = self._sites.get((key, path), (self._now, (_ARTIFACTS,) if self._any_artifact is not None else ()))
        any_artifact = self._any_artifact is not None and self._any_artifact <= moment
        return Known(self._since, moment), (*open_, _ARTIFACTS) if any_artifact else open_

    def _walk(self) -> None:
        view = self._view
        self._visit(view.resolved.entrypoint)
        if view.spec.get("onExit"):
            self._since[FAILURES] = self._now
            if any(map(_is_tag, self._artifacts())):
                self._any_artifact = self._now
            self._visit(view.resolved.on_exit)
        for key in view.resolved.templates:
            if key.startswith(LOCAL) and "/inline/" not in key:
                self._visit(key)

    def _artifacts(self) -> Iterator[Json]:
        for _, template in self._view.templates():
            yield from (template.get("outputs") or {}).get("artifacts") or ()

    def _visit(self, start: str) -> None:
        """A template and, before what speaks of them, all that it calls, however deep."""
        trail = [self._template(start)]
        while trail:
            below = next(trail[-1], None)
            if below is None:
                trail.pop()
            else:
                trail.append(self._template(below))

    def _template(self, key: str) -> Iterator[str]:
        """Gives the templates that are looked at on the way."""
        if key in self._visited or key not in self._view.resolved.templates:
            return
        self._visited.add(key)
        template, open_ = self._view.raw(key), set[str]()
        if template.get("dag") is not None:
            yield from self._dag(key, open_)
        else:
            yield from self._steps(key, open_)
        self._mark(key, (), open_)
        self._mark(key, OUTPUTS, open_)

    def _steps(self, key: str, open_: set[str]) -> Iterator[str]:
        for path, step in self._view.calls(key):
            target = called(self._view, key, step)
            yield target
            if has_exit_hook(step):
                self._publish(target, open_)
            self._mark(key, path, open_)
            self._publish(target, open_)

    def _dag(self, key: str, open_: set[str]) -> Iterator[str]:
        calls = list(self._view.calls(key))
        for task in in_order(known_tasks(self._view, key)):
            target = called(self._view, key, task)
            yield target
            self._publish(target, open_)
        self._mark(key, TARGET, open_)
        for path, _ in calls:
            self._mark(key, path, open_)

    def _mark(self, key: str, path: Path, open_: set[str]) -> None:
        self._sites[key, path] = self._now, tuple(sorted(open_))
        self._now += 1

    def _publish(self, target: str, open_: set[str]) -> None:
        if target not in self._view.resolved.templates:
            return
        outputs = self._view.raw(target).get("outputs") or {}
        for what in ("parameters", "artifacts"):
            for one in outputs.get(what) or ():
                prefix = f"workflow.outputs.{what}."
                if _is_tag(one):
                    open_.add(prefix)
                elif one.get("globalName"):
                    self._since.setdefault(f"{prefix}{one['globalName']}", self._now)


def has_exit_hook(step: Json) -> bool:
    """Whether a step has an exit handler."""
    return bool(step.get("onExit")) or "exit" in (step.get("hooks") or {})


def in_order(tasks: list[Json]) -> list[Json]:
    """Tasks after those they wait for, else as written."""
    named = {task.get("name", ""): task for task in tasks}
    left = {name: {one for one in waits_for(task) if one in named and one != name} for name, task in named.items()}
    following: dict[str, list[str]] = {}
    for name, waits in left.items():
        for one in waits:
            following.setdefault(one, []).append(name)
    queue = [name for name, waits in left.items() if not waits]
    for name in queue:  # which grows
        for one in following.get(name, ()):
            left[one].discard(name)
            if not left[one]:
                queue.append(one)
    return [named[name] for name in queue] + [named[name] for name in named if left[name]]


def _is_tag(output: Json) -> bool:
    return _PARAMETER.search(str(output.get("globalName") or "")) is not None
