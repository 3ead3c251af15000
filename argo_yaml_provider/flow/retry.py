"""What follows an attempt: another one, now or later, or the end.

In: the retryStrategy as it runs (tags replaced), the attempts so far, the time.  Out: a Verdict.
Must not know: pods, Airflow. Argo: workflow/controller/operator.go processNodeRetries.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from argo_yaml_provider.expr import clock
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.flow.outcome import Phase
from argo_yaml_provider.plan.nodes import Json
from argo_yaml_provider.plan.sequence import parse_int

Nanoseconds = int


class Next(StrEnum):
    """What to do."""

    START = "start"
    RUNNING = "running"
    WAIT = "wait"
    RETRY = "retry"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt; times in nanoseconds of any one clock."""

    phase: Phase
    message: str = ""
    exit_code: str | None = None
    started: Nanoseconds = 0
    finished: Nanoseconds | None = None
    daemoned: bool = False

    @property
    def seconds(self) -> float:
        """How long it ran; 0 as long as its end is not known."""
        return 0.0 if self.finished is None else (self.finished - self.started) / clock.SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do, and the phase and message of the retried node as it then stands."""

    next: Next
    phase: Phase = Phase.RUNNING
    message: str = ""
    wait: Nanoseconds | None = None
    """With WAIT: how long from the end of the last attempt."""
    deadline: Nanoseconds | None = None
    """With WAIT and RETRY: when `maxDuration` is over, which ends the next attempt as well."""


def decide(strategy: Json, tries: Sequence[Try], now: Nanoseconds, *, workflow_deadline: Nanoseconds | None = None) -> Verdict:
    """Apply the strategy; what it says wrong is an ExprError, which makes the node an Error."""
    if not tries:
        return Verdict(next=Next.START)
    last = tries[-1]
    if last.phase in (Phase.PENDING, Phase.RUNNING):
        return Verdict(next=Next.RUNNING)
    if last.phase not in (Phase.FAILED, Phase.ERROR):
        return Verdict(next=Next.STOP, phase=Phase.SUCCEEDED)
    if workflow_deadline is not None and now > workflow_deadline:
        return _stop(last, "retry exceeded workflow deadline")
    deadline = None
    if strategy.get("backoff"):
        deadline = _max_duration_end(strategy["backoff"], tries)
        verdict = _backoff(strategy, tries, now, deadline)
        if verdict:
            return verdict
    if last.phase not in _retried_phases(strategy, last):
        return _stop(last, last.message)
    limit = int32(strategy.get("limit"))
    if limit is not None and len(tries) > limit:
        return _stop(last, "No more retries left")
    if strategy.get("expression") and not _wanted(strategy["expression"], tries):
        return _stop(last, "retryStrategy.expression evaluated to false")
    return Verdict(next=Next.RETRY, deadline=deadline)


def last_retry(tries: Sequence[Try]) -> dict[str, str]:
    """What `retryStrategy.expression` may speak of: all of it text."""
    if not tries:
        return {}
    from argo_yaml_provider.expr.rendering import render_go

    last = tries[-1]
    return {
        "retries": str(len(tries) - 1),
        "lastRetry.exitCode": "-1" if last.exit_code is None else last.exit_code,
        "lastRetry.status": last.phase.value,
        "lastRetry.duration": render_go(last.seconds),
        "lastRetry.message": last.message,
    }


def parse_duration(text: str) -> Nanoseconds:
    """A Go duration, or a bare whole number of seconds. Argo: ParseStringToDuration."""
    try:
        return _int64(parse_int(text) * clock.SECOND)
    except ExprError:
        pass
    try:
        return clock.parse_duration(text).order
    except ExprError as error:
        raise ExprError(f"unable to parse {text} as a duration: {error.message}") from error


def whole(value: Any) -> int | None:
    """An IntOrString as an int. Argo: intstr.Int."""
    if value is None or (type(value) is int and -(2**31) <= value < 2**31):
        return value
    try:
        return parse_int(value if isinstance(value, str) else "")
    except ExprError:
        raise ExprError(f"value '{value}' cannot be resolved to an int") from None


def int32(value: Any) -> int | None:
    """An IntOrString as an int32, wrapped around where it is larger. Argo: intstr.Int32."""
    number = whole(value)
    return None if number is None else _wrapped(number, 32)


def humanize(nanoseconds: Nanoseconds) -> str:
    """`1 minute 30 seconds`: up to two units. Argo: util/humanize Duration."""
    size = abs(nanoseconds)
    text = next((text for least, text in _relative(size) if size < least), "a long while")
    if nanoseconds < clock.MINUTE:
        return text
    if nanoseconds < clock.HOUR:
        return f"{text} {nanoseconds // clock.SECOND % 60} seconds"
    if nanoseconds < _DAY:
        return f"{text} {nanoseconds // clock.MINUTE % 60} minutes"
    return f"{text} {nanoseconds // clock.HOUR % 24} hours"


_DAY = 24 * clock.HOUR
_UNITS = (
    (1, clock.SECOND, "second"), (1, clock.MINUTE, "minute"), (1, clock.HOUR, "hour"), (1, _DAY, "day"),
    (1, 7 * _DAY, "week"), (1, 30 * _DAY, "month"),
)  # fmt: skip
_YEAR = 360 * _DAY


def _relative(size: int) -> list[tuple[int, str]]:
    """go-humanize's table: below this length, that text."""
    table = [(clock.SECOND, "0 seconds")]
    ends = [unit for _, unit, _ in _UNITS[1:]] + [_YEAR]
    for (_, unit, name), end in zip(_UNITS, ends, strict=True):
        table += [(2 * unit, f"1 {name}"), (end, f"{size // unit} {name}s")]
    return [*table, (18 * 30 * _DAY, "1 year"), (2 * _YEAR, "2 years"), (37 * _YEAR, f"{size // _YEAR} years")]


def _stop(last: Try, message: str) -> Verdict:
    return Verdict(next=Next.STOP, phase=last.phase, message=message)


def _max_duration_end(backoff: Json, tries: Sequence[Try]) -> Nanoseconds | None:
    text = backoff.get("maxDuration")
    return tries[0].started + parse_duration(str(text)) if text else None


def _backoff(strategy: Json, tries: Sequence[Try], now: Nanoseconds, deadline: Nanoseconds | None) -> Verdict | None:
    """What backoff decides by itself; None to go on to policy, limit and expression.

    It comes before them, so a failure that is not retried at all waits first; and without `limit` it does not wait.
    """
    last = tries[-1]
    if deadline is not None and now > deadline:
        return _stop(last, "Max duration limit exceeded")
    wait = backoff_wait(strategy["backoff"], len(tries))
    end = (0 if last.finished is None else last.finished) + wait
    if deadline is not None and end > deadline:
        return _stop(last, "Backoff would exceed max duration limit")
    limit = strategy.get("limit")
    if now < end and limit is not None and len(tries) <= _lenient_int32(limit):
        return Verdict(next=Next.WAIT, message=f"Backoff for {humanize(wait)}", wait=wait, deadline=deadline)
    return None


def backoff_wait(backoff: Json, attempts: int) -> Nanoseconds:
    """`duration * factor ** (attempts - 1)`, at most `cap`."""
    if not backoff.get("duration"):
        raise ExprError("no base duration specified for retryStrategy")
    base = wait = parse_duration(str(backoff["duration"]))
    factor = int32(backoff.get("factor"))
    if factor is not None and factor > 0:
        power = _power(factor, attempts - 1)
        most = math.inf if not base else float(clock.MAX) / float(base)
        wait = clock.MAX if power > most else _int64(base * int(power)) if base else 0
    if backoff.get("cap"):
        wait = min(wait, parse_duration(str(backoff["cap"])))
    return wait


def _power(factor: int, exponent: int) -> float:
    try:
        return float(factor) ** exponent
    except OverflowError:
        return math.inf


def _retried_phases(strategy: Json, last: Try) -> tuple[Phase, ...]:
    """The phases that the policy retries; with an `expression` and no policy, that alone decides."""
    policy = strategy.get("retryPolicy") or ("Always" if strategy.get("expression") else "OnFailure")
    if policy == "OnTransientError":
        return (Phase.FAILED, Phase.ERROR) if is_transient(last.message) else ()
    if policy not in _POLICIES:
        raise ExprError(f"{policy} is not a valid RetryPolicy")
    return _POLICIES[policy]


_POLICIES: Mapping[str, tuple[Phase, ...]] = {
    "Always": (Phase.FAILED, Phase.ERROR),
    "OnFailure": (Phase.FAILED,),
    "OnError": (Phase.ERROR,),
}

_TRANSIENT = (
    "unexpected error when reading response body", "stream error when reading response body",
    "Connection closed by foreign host", "net/http: TLS handshake timeout", "i/o timeout", "connection timed out",
    "connection reset by peer", "http2: client connection lost", "http2: server sent GOAWAY and closed the connection",
    "request did not complete within requested timeout", "connect: connection refused", "invalid connection",
    "etcdserver: leader changed", "etcdserver: request timed out", "etcdserver: too many requests",
    "client rate limiter Wait returned an error", "upper: no more rows in",
)  # fmt: skip


def is_transient(message: str) -> bool:
    """Whether a node's message speaks of an error that passes. Argo: util/errors IsTransientErr, for a bare message."""
    return any(sign in message for sign in _TRANSIENT)


def _wanted(expression: str, tries: Sequence[Try]) -> bool:
    from argo_yaml_provider.expr.evaluator import evaluate_bool

    return evaluate_bool(expression, last_retry(tries))


def _lenient_int32(value: Any) -> int:
    """Kubernetes' IntValue: 0 for a text that is no number."""
    try:
        return int32(value) or 0
    except ExprError:
        return 0


def _int64(number: int) -> int:
    return _wrapped(number, 64)


def _wrapped(number: int, bits: int) -> int:
    half = 1 << (bits - 1)
    return (number + half) % (2 * half) - half
