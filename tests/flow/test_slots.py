"""Whether a slot of a schedule is run, as Argo's cron operator decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.slots import History, Slot, judge_slot

NOW = datetime.now(UTC)


def judged(history: History, **spec: Any) -> Slot:
    metadata = {"name": "nightly", "labels": {"team": "data"}}
    return judge_slot({"kind": "CronWorkflow", "metadata": metadata, "spec": spec}, "argo", history)


@pytest.mark.parametrize(
    ("policy", "active", "want"),
    [
        pytest.param("", ("a",), Slot(), id="allowed-by-default"),
        pytest.param("Allow", ("a",), Slot(), id="allow"),
        pytest.param("Forbid", (), Slot(), id="forbid-without-a-run"),
        pytest.param("Forbid", ("a", "b"), Slot(skipped="concurrencyPolicy Forbid, and a still runs"), id="forbid"),
        pytest.param("Replace", (), Slot(), id="replace-without-a-run"),
        pytest.param("Replace", ("a", "b"), Slot(replaced=("a", "b")), id="replace"),
    ],
)
def test_the_policy_decides_where_earlier_runs_go_on(policy: str, active: tuple[str, ...], want: Slot) -> None:
    assert judged(History(active=active), concurrencyPolicy=policy) == want


RECENT = "{{= cronworkflow.lastScheduledTime == nil || (now() - cronworkflow.lastScheduledTime).Seconds() > 360 }}"


@pytest.mark.parametrize(
    ("when", "history", "want"),
    [
        pytest.param(RECENT, History(), True, id="no-last-slot-is-nil"),
        pytest.param(RECENT, History(last=NOW + timedelta(days=1)), False, id="last-slot-too-near"),
        pytest.param(RECENT, History(last=NOW - timedelta(hours=1)), True, id="last-slot-far"),
        pytest.param("{{= cronworkflow.failed < 2 }}", History(ended=(False, True)), True, id="counts"),
        pytest.param("{{= cronworkflow.failed < 2 }}", History(ended=(False, False)), False, id="counts-more"),
        pytest.param("'{{cronworkflow.name}}' == 'nightly'", History(), True, id="name"),
        pytest.param("'{{cronworkflow.namespace}}' == 'argo'", History(), True, id="namespace"),
        pytest.param("{{= cronworkflow.labels.team == 'data' }}", History(), True, id="labels"),
        pytest.param("{{= cronworkflow.annotations.team == 'data' }}", History(), True, id="annotations-are-labels"),
    ],
)
def test_when_sees_what_became_of_earlier_runs(when: str, history: History, want: bool) -> None:
    assert (judged(history, when=when).skipped == "") is want


def test_a_number_is_no_text_that_a_plain_tag_could_hold() -> None:
    with pytest.raises(ExprError) as caught:
        judged(History(), when="{{cronworkflow.failed}} < 3")
    assert caught.value.message == "run policy error: failed to resolve {{cronworkflow.failed}} to string"


@pytest.mark.parametrize(
    ("expression", "ended", "want"),
    [
        pytest.param("cronworkflow.failed >= 2", (False,), False, id="not-yet"),
        pytest.param("cronworkflow.failed >= 2", (False, True, False), True, id="now"),
        pytest.param("cronworkflow.failed == 1 && cronworkflow.succeeded == 0", (False, True, True), True, id="it-stays"),
        pytest.param("cronworkflow.succeeded == 0", (True,), True, id="true-before-any-run"),
        pytest.param("cronworkflow.labels.team == 'data'", (), True, id="labels"),
    ],
)
def test_a_schedule_that_has_stopped_stays_so(expression: str, ended: tuple[bool, ...], want: bool) -> None:
    assert (judged(History(ended=ended), stopStrategy={"expression": expression}).skipped != "") is want


def test_a_stop_expression_that_is_no_condition_is_told() -> None:
    with pytest.raises(ExprError) as caught:
        judged(History(), stopStrategy={"expression": "cronworkflow.failed"})
    assert caught.value.message == (
        "failed to check CronWorkflow 'nightly' stopping condition: failed to evaluate stop expression: "
        "unable to cast expression result '0' to bool"
    )
