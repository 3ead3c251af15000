from __future__ import annotations

from typing import Any

import pytest

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.flow.retry import Next, Try, Verdict, decide, humanize, int32, last_retry, parse_duration
from tests.flow.test_flow import phases, played

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND


def failed(*, ago: float = 0, took: float = 1, phase: Phase = Phase.FAILED, message: str = "", code: str | None = "1") -> Try:
    finished = NOW - int(ago * SECOND)
    return Try(phase=phase, message=message, exit_code=code, started=finished - int(took * SECOND), finished=finished)


def wait(seconds: int, message: str, deadline: int | None = None) -> Verdict:
    return Verdict(next=Next.WAIT, message=message, wait=seconds * SECOND, deadline=deadline)


def stop(message: str, phase: Phase = Phase.FAILED) -> Verdict:
    return Verdict(next=Next.STOP, phase=phase, message=message)


RETRY = Verdict(next=Next.RETRY)
BACKOFF: dict[str, Any] = {"duration": "10s", "factor": 2}


@pytest.mark.parametrize(
    ("strategy", "tries", "want"),
    [
        pytest.param({}, [], Verdict(next=Next.START), id="nothing-tried-yet"),
        pytest.param({}, [Try(phase=Phase.RUNNING)], Verdict(next=Next.RUNNING), id="still-running"),
        pytest.param({}, [failed(phase=Phase.SUCCEEDED)], stop("", Phase.SUCCEEDED), id="succeeded"),
        pytest.param({}, [failed()] * 50, RETRY, id="no-limit-is-no-end"),
        pytest.param({"limit": 1}, [failed()], RETRY, id="one-more"),
        pytest.param({"limit": "1"}, [failed()] * 2, stop("No more retries left"), id="limit-reached"),
        pytest.param({"limit": -1}, [failed()], stop("No more retries left"), id="below-0"),
        pytest.param({"limit": 1}, [failed(phase=Phase.ERROR, message="m")], stop("m", Phase.ERROR), id="no-error"),
        pytest.param({"limit": 1, "retryPolicy": "OnError"}, [failed(message="m")], stop("m"), id="only-errors"),
        pytest.param({"limit": 1, "retryPolicy": "Always"}, [failed(phase=Phase.ERROR)], RETRY, id="all-are-retried"),
        pytest.param(
            {"retryPolicy": "OnTransientError"}, [failed(message="dial tcp: i/o timeout")], RETRY, id="a-transient-error"
        ),
        pytest.param({"retryPolicy": "OnTransientError"}, [failed(message="m")], stop("m"), id="not-a-transient-error"),
        pytest.param(
            {"limit": 5, "expression": "lastRetry.exitCode == '1'"},
            [failed(phase=Phase.ERROR)],
            RETRY,
            id="an-expression-alone",
        ),
        pytest.param(
            {"limit": 5, "expression": "asInt(retries) > 3"},
            [failed()],
            stop("retryStrategy.expression evaluated to false"),
            id="an-expression-that-is-false",
        ),
        pytest.param({"limit": 1, "backoff": BACKOFF}, [failed()], wait(10, "Backoff for 10 seconds"), id="backoff"),
        pytest.param({"limit": 1, "backoff": BACKOFF}, [failed(ago=10)], RETRY, id="backoff-is-over"),
        pytest.param({"limit": 9, "backoff": BACKOFF}, [failed()] * 4, wait(80, "Backoff for 1 minute 20 seconds"), id="x2"),
        pytest.param({"backoff": BACKOFF}, [failed()], RETRY, id="without-a-limit-backoff-does-not-wait"),
        pytest.param(
            {"limit": 9, "backoff": {**BACKOFF, "cap": "15"}}, [failed()] * 4, wait(15, "Backoff for 15 seconds"), id="cap"
        ),
        pytest.param(
            {"limit": 1, "retryPolicy": "OnError", "backoff": BACKOFF},
            [failed()],
            wait(10, "Backoff for 10 seconds"),
            id="what-is-not-retried-waits-all-the-same",
        ),
        pytest.param(
            {"limit": 9, "backoff": {**BACKOFF, "maxDuration": "1m"}},
            [failed(ago=100)],
            stop("Max duration limit exceeded"),
            id="max-duration-is-over",
        ),
        pytest.param(
            {"limit": 9, "backoff": {**BACKOFF, "maxDuration": "12s"}},
            [failed(took=5)],
            stop("Backoff would exceed max duration limit"),
            id="max-duration-would-be-over",
        ),
        pytest.param(
            {"limit": 9, "backoff": {**BACKOFF, "maxDuration": "60s"}},
            [failed(took=5)],
            wait(10, "Backoff for 10 seconds", NOW + 55 * SECOND),
            id="max-duration-limits-the-next-attempt",
        ),
    ],
)
def test_decides_as_argo_does(strategy: dict[str, Any], tries: list[Try], want: Verdict) -> None:
    assert decide(strategy, tries, NOW) == want


def test_a_workflow_that_is_out_of_time_retries_nothing() -> None:
    assert decide({}, [failed()], NOW, workflow_deadline=NOW - 1) == stop("retry exceeded workflow deadline")


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ({"backoff": {"factor": 2}}, "no base duration specified for retryStrategy"),
        ({"backoff": {"duration": "1d"}}, 'unable to parse 1d as a duration: time: unknown unit "d" in duration "1d"'),
        ({"limit": "{{x}}"}, "value '{{x}}' cannot be resolved to an int"),
        ({"retryPolicy": "Never"}, "Never is not a valid RetryPolicy"),
    ],
)
def test_says_what_is_wrong_with_a_strategy(strategy: dict[str, Any], message: str) -> None:
    with pytest.raises(ExprError) as caught:
        decide(strategy, [failed()], NOW)
    assert caught.value.message == message


def test_an_enormous_factor_waits_as_long_as_go_can_say() -> None:
    strategy = {"limit": 10_000, "backoff": {"duration": "1s", "factor": 2_000_000_000}}
    assert decide(strategy, [failed()] * 5000, NOW).wait == 2**63 - 1


def test_last_retry_is_all_text() -> None:
    assert last_retry([failed(), failed(took=2.5, message="m", code=None)]) == {
        "retries": "1",
        "lastRetry.exitCode": "-1",
        "lastRetry.status": "Failed",
        "lastRetry.duration": "2.5",
        "lastRetry.message": "m",
    }


@pytest.mark.parametrize(("text", "want"), [("5", 5), ("-5", -5), ("+5", 5), ("1h30m", 5400), ("1.5m", 90), ("0", 0)])
def test_durations(text: str, want: int) -> None:
    assert parse_duration(text) == want * SECOND


@pytest.mark.parametrize(("value", "want"), [(None, None), (3, 3), ("7", 7), ("2147483648", -2147483648)])
def test_limits(value: Any, want: int | None) -> None:
    assert int32(value) == want


@pytest.mark.parametrize(
    ("seconds", "want"),
    [
        (0.5, "0 seconds"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute 0 seconds"),
        (150, "2 minutes 30 seconds"),
        (5400, "1 hour 30 minutes"),
        (86_400, "1 day 0 hours"),
        (3 * 86_400 + 3600, "3 days 1 hours"),
        (15 * 86_400, "2 weeks 0 hours"),
        (400 * 86_400, "1 year 0 hours"),
    ],
)
def test_speaks_of_durations_in_words(seconds: float, want: str) -> None:
    assert humanize(int(seconds * SECOND)) == want


WRONG_OUTPUTS = """
  onExit: leaf
  templates:
  - name: WRAPPED
    retryStrategy: RETRY
    steps: [[{name: a, template: leaf}]]
    outputs: {parameters: [{name: o, valueFrom: {expression: steps.a.outputs.result.x}}]}
"""
AROUND = "  - {name: main, steps: [[{name: w, template: inner, continueOn: {error: true}}], [{name: after, template: leaf}]]}\n"


@pytest.mark.parametrize(
    ("retry", "alone", "inside"),
    [
        pytest.param("{limit: 1}", ("", "Error"), (".onExit", "Failed"), id="not-tried-again"),
        pytest.param("{limit: 1, retryPolicy: Always}", (".onExit", "Error"), (".onExit", "Succeeded"), id="tried-again"),
    ],
)
def test_wrong_outputs_break_what_is_around_a_retried_template_that_does_not_retry_errors(
    retry: str, alone: tuple[str, str], inside: tuple[str, str]
) -> None:
    found = []
    for spec in (WRONG_OUTPUTS.replace("WRAPPED", "main"), WRONG_OUTPUTS.replace("WRAPPED", "inner") + AROUND):
        run = played(spec.replace("RETRY", retry))
        found.append((next((name for name in phases(run) if name == ".onExit"), ""), run.flow.verdict().phase.value))
    assert found == [alone, inside]
