"""A CronWorkflow's schedule.

In: `View`.  Out: problems.
Must not know: Airflow's timetables. Argo: validate.CronWorkflow; the schedules are robfig/cron's ParseStandard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from argo_yaml_provider.resolve.checks.syntax import LANGUAGE, bad_condition, bad_expression
from argo_yaml_provider.resolve.checks.view import View
from argo_yaml_provider.spec.problems import suggest

POLICIES = ("Allow", "Forbid", "Replace")
DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of the week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_HELP = 'write minute, hour, day, month and weekday: "30 6 * * 1-5", or @hourly, @daily, @every 1h30m'
_EVERY = re.compile(r"@every [+-]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+)")


def check_cron(view: View) -> None:
    """Schedules, time zone, policy, deadline."""
    if view.resolved.resource.kind != "CronWorkflow":
        return
    spec = view.resolved.resource.json.get("spec") or {}
    if not spec.get("schedules"):
        view.report_cron(("spec", "schedules"), "missing-field", "a CronWorkflow needs at least one schedule", help=_HELP)
    for index, schedule in enumerate(spec.get("schedules") or ()):
        for message, at, length in bad_schedule(schedule):
            view.report_cron(("spec", "schedules", index), "bad-schedule", message, help=_HELP, within=(at, length))
    zone = spec.get("timezone") or ""
    if zone and not is_zone(zone):
        message = f'"{zone}" is no time zone'
        view.report_cron(("spec", "timezone"), "bad-timezone", message, help="write a name such as Europe/Berlin or UTC")
    policy = spec.get("concurrencyPolicy") or ""
    if policy and policy not in POLICIES:
        help_text = suggest(policy, POLICIES, label="policies")
        view.report_cron(("spec", "concurrencyPolicy"), "bad-choice", f'"{policy}" is no concurrencyPolicy', help=help_text)
    if (spec.get("startingDeadlineSeconds") or 0) < 0:
        view.report_cron(
            ("spec", "startingDeadlineSeconds"), "bad-number", "a deadline cannot be negative", help="write seconds"
        )
    for message, at, length in bad_condition(spec.get("when") or ""):
        text = f"this condition cannot be read: {message}"
        help_text = 'write an expression: "{{= cronworkflow.failed < 3 }}"'
        view.report_cron(("spec", "when"), "bad-when", text, help=help_text, within=(at, length))
    stop = (spec.get("stopStrategy") or {}).get("expression")
    for message, at, length in bad_expression(stop) if stop else ():
        text = f"this expression cannot be read: {message}"
        view.report_cron(("spec", "stopStrategy", "expression"), "bad-expression", text, help=LANGUAGE, within=(at, length))


def is_zone(name: str) -> bool:
    """Whether the time zone database has it."""
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def bad_schedule(text: str) -> Iterator[tuple[str, int, int]]:
    """Message, offset and length of what is wrong first, if the text is no schedule."""
    prefix = re.match(r"(?:CRON_TZ|TZ)=(\S*)\s*", text)
    start = prefix.end() if prefix else 0
    if prefix and not is_zone(prefix[1]):
        yield f'"{prefix[1]}" is no time zone', prefix.start(1), len(prefix[1])
        return
    body = text[start:].strip()
    if body.startswith("@"):
        if body not in DESCRIPTORS and not _EVERY.fullmatch(body):
            yield f'"{body}" is no schedule', start, len(body)
        return
    words = list(re.finditer(r"\S+", text[start:]))
    if len(words) != len(_FIELDS):
        yield f"a schedule has five fields; this has {len(words)}", start, len(text) - start
        return
    for word, (name, low, high, names) in zip(words, _FIELDS, strict=True):
        at = start + word.start()
        for part in word[0].split(","):
            reason = _bad_part(part, low, high, names)
            if reason:
                yield f'"{part}" is no {name}: {reason}', at, len(part)
                return
            at += len(part) + 1


def _bad_part(part: str, low: int, high: int, names: dict[str, int]) -> str:
    """Why `5`, `1-5`, `*/15` or `mon` is none of them, or ''."""
    span, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
        return f'the step "{step}" is no number above 0'
    if span in {"*", "?"}:
        return ""
    ends = [names.get(end.lower(), end) for end in span.split("-")]
    if len(ends) > 2 or any(isinstance(end, str) and not (end.isascii() and end.isdigit()) for end in ends):
        return f"numbers from {low} to {high}, ranges, lists and steps are" + (f", and {', '.join(names)}" if names else "")
    numbers = [int(end) for end in ends]
    if min(numbers) < low or max(numbers) > high:
        return f"it goes from {low} to {high}"
    return "the range runs backwards" if numbers != sorted(numbers) else ""
