"""How we say what is wrong: a position, a diagnostic, and the two errors.

In: nothing.  Out: `Pos`, `Diagnostic`, `SpecError` (your file is wrong), `RunError` (this step, this pod went wrong).
Must not know: YAML, Argo, Airflow.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pos:
    """A place in a file: 1-based line and column, and the text of that line."""

    file: str
    line: int
    column: int
    text: str = ""
    width: int = 1
    """How many characters the caret underlines."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem, with the place it is at and the way out of it."""

    pos: Pos
    code: str
    """Stable, in kebab-case; the README lists them."""
    message: str
    path: str = ""
    """Where in the document, such as `spec.templates[main].dag.tasks[train].template`."""
    help: str = ""

    def __str__(self) -> str:
        return render_diagnostic(self)


def render_diagnostic(problem: Diagnostic) -> str:
    """The house form: a greppable first line, the source line with a caret, the path, the help."""
    lines = [f"{problem.pos}: {problem.message} [{problem.code}]"]
    if problem.pos.text:
        number = str(problem.pos.line)
        gutter = " " * len(number)
        before = problem.pos.text[: problem.pos.column - 1].ljust(problem.pos.column - 1)
        caret = "".join("\t" if char == "\t" else " " for char in before) + "^" * max(1, problem.pos.width)
        lines += [f"{gutter} |", f"{number} | {problem.pos.text}", f"{gutter} | {caret}"]
        notes = [f"{gutter} = "]
    else:
        notes = ["   = "]
    if problem.path:
        lines.append(f"{notes[0]}at {problem.path}")
    if problem.help:
        lines.append(f"{notes[0]}help: {problem.help}")
    return "\n".join(lines)


class SpecError(Exception):
    """The file is wrong: all its problems at once, sorted by position."""

    def __init__(self, problems: tuple[Diagnostic, ...]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.pos.file, p.pos.line, p.pos.column, p.code)))
        super().__init__("\n\n".join(str(p) for p in self.problems))

    def __reduce__(self) -> tuple[type[SpecError], tuple[tuple[Diagnostic, ...]]]:
        return type(self), (self.problems,)


class RunError(Exception):
    """This step or this pod went wrong, in words for the person who runs it."""

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002 - the same word as in Diagnostic
        self.message, self.help = message, help
        super().__init__(f"{message}\n   = help: {help}" if help else message)

    def __reduce__(self) -> tuple[type[RunError], tuple[str, str]]:
        return type(self), (self.message, self.help)
