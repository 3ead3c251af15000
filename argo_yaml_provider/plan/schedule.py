"""A cron schedule's text -> the moments at which it fires.

In: a text that `resolve.checks.cron` passed, a time zone.  Out: `Schedule`; `Schedule.after` gives the next moment.
Must not know: Airflow, CronWorkflows. Argo: robfig/cron v3, ParseStandard and Schedule.Next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = {
    name: number
    for number, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_DAYS = {name: number for number, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_BOUNDS: tuple[tuple[int, int, dict[str, int]], ...] = ((0, 59, {}), (0, 23, {}), (1, 31, {}), (1, 12, _MONTHS), (0, 6, _DAYS))
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_YEARS = 5
"""How far ahead a moment is looked for: a schedule such as February 30 has none."""
_ONE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """Five fields in a time zone: it fires in every minute whose reading of the clock there matches.

    So a time that the clock skips in spring does not fire that day, and one that it shows twice in autumn fires twice.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    """Whether the day of the month or of the week is `*`: then both must match, else one is enough."""
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime | None:
        """The first moment after this one, in UTC; None if there is none in years."""
        first = moment.astimezone(self.zone).date()
        # A clock that is set back over midnight shows the evening before once more.
        day = first - timedelta(days=1)
        while day.year <= first.year + _YEARS:
            if self._is_day(day):
                for hour in self.hours:
                    if found := self._in_hour(day, hour, moment):
                        return found
            day += timedelta(days=1)
        return None

    def _is_day(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        matches = (day.day in self.days, day.isoweekday() % 7 in self.weekdays)
        return all(matches) if self.any_day else any(matches)

    def _in_hour(self, day: date, hour: int, after: datetime) -> datetime | None:
        """The first moment of one hour of the clock that is after this one."""
        if self._instant(datetime.combine(day, time(hour, 59, fold=1))) <= after:
            return None
        found = [
            instant
            for fold in (0, 1)
            for minute in self.minutes
            for local in (datetime.combine(day, time(hour, minute, fold=fold)),)
            for instant in (self._instant(local),)
            if instant > after and instant.astimezone(self.zone).replace(tzinfo=None) == local.replace(fold=0)
        ]
        return min(found, default=None)

    def _instant(self, local: datetime) -> datetime:
        return local.replace(tzinfo=self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """`@every`: at the multiples of a number of seconds since 1970, so that nothing needs to be remembered."""

    seconds: int

    def after(self, moment: datetime) -> datetime:
        """The first moment after this one, in UTC."""
        return datetime.fromtimestamp((int(moment.timestamp()) // self.seconds + 1) * self.seconds, UTC)


Schedule = Cron | Every


def read_schedule(text: str, timezone: str = "") -> Schedule:
    """The schedule of a text; a zone of its own (`CRON_TZ=`) goes before `timezone`, and UTC stands behind both."""
    prefix = re.match(r"(?:CRON_TZ|TZ)=(\S*)\s*", text)
    body = text[prefix.end() if prefix else 0 :].strip()
    if body.startswith("@every"):
        parts = re.findall(r"([0-9.]+)([a-zµ]+)", body.removeprefix("@every"))
        return Every(seconds=max(1, int(sum(float(number) * _SECONDS[unit] for number, unit in parts))))
    words = _DESCRIPTORS.get(body, body).split()
    minutes, hours, days, months, weekdays = (_read_field(word, *bounds) for word, bounds in zip(words, _BOUNDS, strict=True))
    return Cron(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(weekdays),
        any_day=_is_star(words[2]) or _is_star(words[4]),
        zone=ZoneInfo((prefix[1] if prefix else timezone) or "UTC"),
    )


def first_after(schedules: tuple[Schedule, ...], moment: datetime) -> datetime | None:
    """The first moment after this one at which any of them fires."""
    return min((found for schedule in schedules if (found := schedule.after(moment))), default=None)


def last_between(schedules: tuple[Schedule, ...], start: datetime, end: datetime) -> datetime | None:
    """The last moment after `start`, and not after `end`, at which any of them fires."""
    for since in _nearer_first(start, end):
        found, after = None, first_after(schedules, since)
        while after and after <= end:
            found, after = after, first_after(schedules, after)
        if found:
            return found
    return None


def just_before(moment: datetime) -> datetime:
    """For asking what fires at this very moment, or after it."""
    return moment - _ONE


def _nearer_first(start: datetime, end: datetime) -> Iterator[datetime]:
    """Where to begin a search for the last moment: a week of minutes should not be walked through for its last one."""
    reach = timedelta(minutes=1)
    while end - reach > start:
        yield end - reach
        reach *= 8
    yield start


def _read_field(text: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if first in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first, names)
            end = _number(last, names) if dash else high if slash else start
        found.update(range(start, end + 1, int(step) if slash else 1))
    return found


def _number(text: str, names: dict[str, int]) -> int:
    known = names.get(text.lower())
    return int(text) if known is None else known


def _is_star(field: str) -> bool:
    """A step above one makes a star a list like any other."""
    return any(part in ("*", "?", "*/1", "?/1") for part in field.split(","))
