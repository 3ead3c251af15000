from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.diagnostics import RunError
from argo_yaml_provider.step.conditions import all_hold, first_that_holds, parse_conditions

JOB: dict[str, Any] = {
    "metadata": {"name": "job", "labels": {"team": "blue"}},
    "status": {"succeeded": 3, "phase": "Done", "ready": True, "none": None, "conditions": [{"type": "Complete"}]},
}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("status.succeeded > 2", True),
        ("status.succeeded > 3", False),
        ("status.succeeded < 4", True),
        ("status.phase > 2", False),
        ("status.failed > 0", False),
        ("status.phase == Done", True),
        ("status.phase = Done", True),
        ("status.phase == Done,status.succeeded == 3", True),
        ("status.phase == Done, status.succeeded == 4", False),
        ("status.phase in (Failed, Done)", True),
        ("status.phase notin (Failed, Done)", False),
        ("status.absent notin (Failed)", True),
        ("status.absent != x", True),
        ("status.absent == ", False),
        ("status.none == ", True),
        ("status.ready == true", True),
        ("status.conditions.0.type == Complete", True),
        ("status.conditions.1.type", False),
        ("metadata.labels.team", True),
        ("!metadata.labels.team", False),
        ("!status.absent", True),
        ("", True),
    ],
)
def test_conditions_hold_as_label_selectors_do(text: str, want: bool) -> None:
    assert all_hold(parse_conditions(text), JOB) is want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("status.phase in (Failed, Done)", "status.phase in (Done,Failed)"),
        ("status.succeeded > 1", "status.succeeded>1"),
        ("status.z == 1, status.phase == Done", "status.phase==Done"),
        ("status.phase", "status.phase"),
        ("!status.absent", "!status.absent"),
    ],
)
def test_any_failure_condition_is_enough_and_is_named_as_kubernetes_does(text: str, want: str) -> None:
    assert str(first_that_holds(parse_conditions(text), JOB)) == want


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("status.phase ==", ""),
        ("status.phase ~ x", "found '~', expected: in, notin, =, ==, !=, >, <"),
        ("status.phase in Failed", "found 'Failed', expected: '('"),
        ("status.phase in (Failed", "it ends too early"),
        ("status.n > many", "for '>' the value must be a whole number, and 'many' is none"),
        ('status.phase == "Done"', "'\"Done\"' is no label value: letters, digits, '-', '_' and '.', without quotes"),
        ("a b", "found 'b', expected: in, notin, =, ==, !=, >, <"),
    ],
)
def test_what_is_no_selector_is_refused(text: str, reason: str) -> None:
    if not reason:
        parse_conditions(text)
        return
    with pytest.raises(RunError) as caught:
        parse_conditions(text)
    assert caught.value.message == f"the condition {text!r} cannot be read: {reason}"
