"""`argo-yaml lint PATH…`: say of every file whether it translates, and if not, exactly why.

In: files and folders.  Out: a line for each file, or its problems; exit code 0 if all is well, 2 if not.
Must not know: Airflow, Kubernetes.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from argo_yaml_provider.commands.chosen import of_files
from argo_yaml_provider.diagnostics import Diagnostic, SpecError

TRANSLATES, UNSUPPORTED, WRONG, FOREIGN = "translates", "unsupported", "wrong", "foreign"
_SUMMARY = (
    (TRANSLATES, "translate"),
    (UNSUPPORTED, "not supported"),
    (WRONG, "wrong"),
    (FOREIGN, "without anything of Argo's"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one file."""

    file: str
    status: str
    problems: tuple[Diagnostic, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For `--output json`."""
        return {"file": self.file, "status": self.status, "problems": [problem_json(one) for one in self.problems]}


@click.command(name="lint")
@of_files
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", help="text, or a JSON list with an object per file."
)
@click.option("--quiet", "-q", is_flag=True, help="Say nothing of files that translate.")
def command(files: list[Path], library: tuple[Path, ...], output: str, *, quiet: bool) -> None:
    """Check workflows without running them."""
    verdicts = [judge(file, library) for file in files]
    if output == "json":
        click.echo(json.dumps([verdict.to_json() for verdict in verdicts], indent=1))
    else:
        _print(verdicts, quiet=quiet)
    sys.exit(2 if any(verdict.status in {UNSUPPORTED, WRONG} for verdict in verdicts) or not verdicts else 0)


def judge(file: Path, library: tuple[Path, ...] = ()) -> Verdict:
    """Compile a file as `run` would, and see."""
    from argo_yaml_provider.plan.compile import compile_file

    try:
        compile_file(file, library_paths=library)
    except SpecError as error:
        return Verdict(file=str(file), status=status_of(error.problems), problems=error.problems)
    return Verdict(file=str(file), status=TRANSLATES)


def status_of(problems: tuple[Diagnostic, ...]) -> str:
    """What the problems make of a file: not supported only if nothing else is wrong with it."""
    codes = {problem.code for problem in problems}
    if codes == {"no-workflow"}:
        return FOREIGN
    return UNSUPPORTED if all(code.startswith("unsupported-") for code in codes) else WRONG


def _print(verdicts: list[Verdict], *, quiet: bool) -> None:
    for verdict in verdicts:
        if verdict.status == TRANSLATES:
            if not quiet:
                click.echo(f"{verdict.file}: translates\n")
        elif verdict.status == FOREIGN:
            click.echo(f"{verdict.file}: {verdict.problems[0].message}\n")
        else:
            click.echo("\n\n".join(str(problem) for problem in verdict.problems) + "\n")
    counts = Counter(verdict.status for verdict in verdicts)
    parts = [f"{counts[status]} {words}" for status, words in _SUMMARY if counts[status]]
    click.echo(
        f"{len(verdicts)} file{'s' * (len(verdicts) != 1)}: {', '.join(parts)}" if verdicts else "no YAML or JSON file found"
    )


def problem_json(problem: Diagnostic) -> dict[str, Any]:
    """A problem for programs."""
    pos = asdict(problem.pos)
    place = {name: pos[name] for name in ("file", "line", "column")}
    return {**place, "code": problem.code, "message": problem.message, "path": problem.path, "help": problem.help}
