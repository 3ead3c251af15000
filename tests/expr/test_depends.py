from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.expr.depends import depends_logic, evaluate_depends, names_in, wrong_results
from argo_yaml_provider.expr.errors import ExprError

TASKS: dict[str, Any] = {
    "A": {"name": "A"},
    "a-b": {"name": "a-b", "continueOn": {"failed": True, "error": True}},
    "and": {"name": "and"},
}


def test_names_each_task_once_in_order() -> None:
    assert names_in("(B.Succeeded || A) && !a-b.Failed && B") == ("B", "A", "a-b")


def test_words_that_look_like_operators_are_names() -> None:
    assert names_in("A and true") == ("A", "and", "true")


@pytest.mark.parametrize(
    ("task", "dependencies", "logic"),
    [
        pytest.param({}, {}, "", id="nothing"),
        pytest.param({"depends": "A.Failed"}, {"A": "task"}, "A.Failed", id="a-result-stays-as-it-is"),
        pytest.param({"depends": "!A"}, {"A": "task"}, "!(A.Succeeded || A.Skipped || A.Daemoned)", id="a-bare-name"),
        pytest.param(
            {"dependencies": ["A", "a-b"]},
            {"A": "task", "a-b": "task"},
            "(A.Succeeded || A.Skipped || A.Daemoned)"
            " && (a-b.Succeeded || a-b.Skipped || a-b.Daemoned || a-b.Errored || a-b.Failed)",
            id="dependencies-with-continue-on",
        ),
        pytest.param(
            {"depends": "A.AnySucceeded || A.Failed"}, {"A": "items"}, "A.AnySucceeded || A.Failed", id="results-of-items-win"
        ),
        pytest.param(
            {"depends": "A && and"},
            {"A": "task", "and": "task"},
            "(A.Succeeded || A.Skipped || A.Daemoned) && (and.Succeeded || and.Skipped || and.Daemoned)",
            id="a-task-named-and",
        ),
    ],
)
def test_expands_what_a_task_depends_on(task: Any, dependencies: dict[str, str], logic: str) -> None:
    assert depends_logic(task, TASKS) == (dependencies, logic)


def test_a_name_that_is_no_task_is_an_error() -> None:
    with pytest.raises(ExprError) as caught:
        depends_logic({"depends": "A and B"}, {"A": TASKS["A"], "B": {}})
    assert caught.value.message == "target and does not exist"


def test_only_known_results_pass() -> None:
    assert wrong_results("A.Succeeded && A.Unknown") == (("A", "Unknown"),)


def result(*true: str) -> dict[str, bool]:
    names = ("Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed")
    return {name: name in true for name in names}


@pytest.mark.parametrize(
    ("logic", "want"),
    [
        ("A.Succeeded && a-b.Failed", True),
        ("A.Failed || !a-b.Failed", False),
        ("A.Succeeded ? a-b.Failed : A.Failed", True),
    ],
)
def test_evaluates_over_results(logic: str, want: bool) -> None:
    assert evaluate_depends(logic, {"A": result("Succeeded"), "a-b": result("Failed")}) is want


def test_a_task_may_be_named_like_a_function() -> None:
    results = {name: result("Succeeded") for name in ("sprig", "asInt", "len", "a-sprig")}
    assert evaluate_depends("sprig.Succeeded && asInt.Succeeded && len.Succeeded && a-sprig.Succeeded", results)


@pytest.mark.parametrize(
    "logic", ["A.Succeeded || A.Failed > A.Errored", "A.Succeeded || A.Nothing", "A.Succeeded || -A.Failed"]
)
def test_nonsense_is_refused_even_where_it_is_not_reached(logic: str) -> None:
    with pytest.raises(ExprError):
        evaluate_depends(logic, {"A": result("Succeeded")})


def test_what_cannot_be_evaluated_says_which_logic() -> None:
    with pytest.raises(ExprError, match=r"^unable to evaluate expression 'A.Succeeded &&': "):
        evaluate_depends("A.Succeeded &&", {"A": result("Succeeded")})
