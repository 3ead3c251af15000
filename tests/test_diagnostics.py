from __future__ import annotations

import pickle

from argo_yaml_provider.diagnostics import Diagnostic, Pos, RunError, SpecError


def problem(line: int, **changes: object) -> Diagnostic:
    pos = Pos(file="a.yaml", line=line, column=3, text="\tx: y", width=1)
    fields = {"pos": pos, "code": "bad-thing", "message": "it is wrong", "path": "spec.x", "help": "mend it"}
    return Diagnostic(**{**fields, **changes})  # type: ignore[arg-type]


def test_problem_is_shown_with_line_caret_path_and_help() -> None:
    assert str(problem(12)) == (
        "a.yaml:12:3: it is wrong [bad-thing]\n   |\n12 | \tx: y\n   | \t ^\n   = at spec.x\n   = help: mend it"
    )


def test_problem_without_a_line_is_shown_without_a_caret() -> None:
    pos = Pos(file="a.yaml", line=1, column=1)
    assert str(problem(1, pos=pos, path="")) == "a.yaml:1:1: it is wrong [bad-thing]\n   = help: mend it"


def test_problems_are_sorted_by_place() -> None:
    error = SpecError((problem(12), problem(3)))
    assert [one.pos.line for one in error.problems] == [3, 12]
    assert str(error) == f"{problem(3)}\n\n{problem(12)}"


def test_errors_travel_between_processes() -> None:
    error = SpecError((problem(1),))
    assert pickle.loads(pickle.dumps(error)).problems == error.problems
    assert str(pickle.loads(pickle.dumps(RunError("it broke", "mend it")))) == "it broke\n   = help: mend it"
