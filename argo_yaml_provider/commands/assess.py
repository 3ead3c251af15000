"""`argo-yaml assess FOLDER…`: of each workflow, what translates, what is refused and where, and what changes nothing here.

In: files and folders.  Out: a table, JSON or SARIF; exit code 0 if every workflow translates, 2 if not.
Must not know: Airflow, Kubernetes.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argo_yaml_provider.commands.chosen import of_files
from argo_yaml_provider.commands.lint import TRANSLATES, UNSUPPORTED, WRONG, problem_json, status_of
from argo_yaml_provider.diagnostics import Diagnostic, Pos, SpecError

if TYPE_CHECKING:
    from argo_yaml_provider.plan.nodes import Plan
    from argo_yaml_provider.spec.inert import Inert
    from argo_yaml_provider.spec.load import Loaded
    from argo_yaml_provider.spec.resource import Resource

_LEVELS = {WRONG: "error", UNSUPPORTED: "warning"}
CHANGES_NOTHING = "changes-nothing"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What becomes of one object of a file; of a file that cannot be read, one with no kind."""

    pos: Pos
    kind: str = ""
    name: str = ""
    status: str
    tasks: int = 0
    """Airflow tasks of the DAG, those of its child DAGs too; 0 where there is no entrypoint, and so no DAG."""
    problems: tuple[Diagnostic, ...] = ()
    inert: tuple[Inert, ...] = ()

    def to_json(self) -> Json:
        """For `--output json`."""
        return {
            "file": self.pos.file,
            "line": self.pos.line,
            "kind": self.kind,
            "name": self.name,
            "status": self.status,
            "tasks": self.tasks,
            "problems": [problem_json(one) for one in self.problems],
            "changesNothing": [
                {"line": one.pos.line, "column": one.pos.column, "path": one.path, "reason": one.reason} for one in self.inert
            ],
        }


@click.command(name="assess")
@of_files
@click.option(
    "--output",
    type=click.Choice(["table", "json", "sarif"]),
    default="table",
    help="table, a JSON list with an object per workflow, or SARIF 2.1.0 for code hosts and editors.",
)
def command(files: list[Path], library: tuple[Path, ...], output: str) -> None:
    """Tell of every workflow in a folder whether it translates."""
    found = [one for file in files for one in assess_file(file, library)]
    if output == "table":
        click.echo("\n".join(_table(found)))
    else:
        click.echo(json.dumps([one.to_json() for one in found] if output == "json" else _sarif(found), indent=1))
    sys.exit(2 if any(one.status in _LEVELS for one in found) else 0)


def assess_file(file: Path, library: tuple[Path, ...] = ()) -> list[Assessment]:
    """Every object of Argo's in a file, each compiled alone as `run --document` would."""
    from argo_yaml_provider.resolve.library import load_path

    try:
        loaded = load_path(file)
    except SpecError as error:
        return [Assessment(pos=error.problems[0].pos, status=WRONG, problems=error.problems)]
    ours = [one for one in loaded.resources if one.is_argo]
    return [*(_assess(file, one, library) for one in ours), *_nameless(loaded, ours)]


def _assess(file: Path, resource: Resource, library: tuple[Path, ...]) -> Assessment:
    from argo_yaml_provider.plan.compile import compile_file
    from argo_yaml_provider.spec.inert import inert_fields

    plans: tuple[Plan, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    try:
        plans = compile_file(file, library_paths=library, document=resource.document.index)
    except SpecError as error:
        problems = error.problems
    return Assessment(
        pos=resource.at(("kind",)),
        kind=resource.kind,
        name=resource.name or resource.generate_name,
        status=status_of(problems) if problems else TRANSLATES,
        tasks=sum(map(_count, plans)),
        problems=problems,
        inert=inert_fields(resource),
    )


def _count(plan: Plan) -> int:
    return len(plan.tasks) + sum(_count(child) for child in plan.children.values())


def _nameless(loaded: Loaded, ours: Sequence[Resource]) -> Iterator[Assessment]:
    """What is wrong with documents of which cannot be told what they are."""
    spans = [(one.document.root.line + 1, one.document.root.end_line + 1) for one in ours]
    others = [one for one in loaded.problems if not any(first <= one.pos.line <= last for first, last in spans)]
    if others:
        yield Assessment(pos=others[0].pos, status=WRONG, problems=tuple(others))


def _table(found: Sequence[Assessment]) -> Iterator[str]:
    """A line for each workflow, and below it what stands in its way."""
    names = [f"{one.kind}/{one.name}" if one.kind else "?" for one in found]
    width = max(map(len, names), default=0)
    for one, name in zip(found, names, strict=True):
        tasks = f"{one.tasks} tasks" if one.tasks else ""
        yield f"{one.status:14}  {name:{width}}  {tasks:>10}  {one.pos.file}:{one.pos.line}"
        for problem in one.problems:
            yield f"{'':14}  {problem.pos}: {problem.message} [{problem.code}]"
            yield from [f"{'':16}{problem.help}"] * bool(problem.help)
        for field in one.inert:
            yield f"{'':14}  {field.pos}: {field.path} changes nothing: {field.reason}"
    counts = Counter(one.status for one in found)
    yield f"{len(found)} workflows and templates: {', '.join(f'{count} {status}' for status, count in sorted(counts.items()))}"


def _sarif(found: Sequence[Assessment]) -> Json:
    from argo_yaml_provider.commands.sarif import Finding, sarif
    from argo_yaml_provider.spec.codes import CODES
    from argo_yaml_provider.spec.codes import UNSUPPORTED as WAYS_OUT

    rules = {**CODES, **{code: f"not supported; {way_out}" for code, way_out in WAYS_OUT.items()}}
    rules[CHANGES_NOTHING] = "the field changes nothing here"
    findings = []
    for one in found:
        for problem in one.problems:
            level = _LEVELS[status_of((problem,))]
            text = f"{problem.message}: {problem.help}" if problem.help else problem.message
            findings.append(Finding(pos=problem.pos, rule=problem.code, level=level, message=text))
        for field in one.inert:
            text = f"{field.path} changes nothing here: {field.reason}"
            findings.append(Finding(pos=field.pos, rule=CHANGES_NOTHING, level="note", message=text))
    return sarif(findings, rules)
