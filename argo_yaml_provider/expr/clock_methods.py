"""The methods an expression can call on times, durations, months, weekdays and zones.

In: nothing.  Out: importing this module fills the classes' `methods`.
Must not know: syntax. Go: package time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from argo_yaml_provider.expr.clock import (
    HOUR,
    MAX,
    MICROSECOND,
    MILLISECOND,
    MINUTE,
    SECOND,
    UTC_LOCATION,
    ZERO_TIME_SECOND,
    Duration,
    Fields,
    Location,
    Month,
    Time,
    Weekday,
    day_number,
    moment,
    within_python,
)
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.layouts import GO_STRING, RFC3339_NANO, format_time
from argo_yaml_provider.expr.values import GoFunction, Int64, SizedInt

DURATION, TIME, LOCATION, MONTH, WEEKDAY = "time.Duration", "time.Time", "*time.Location", "time.Month", "time.Weekday"


def _methods(rows: dict[str, tuple[str, str, Callable[..., Any]]], flags: str = "method") -> dict[str, GoFunction]:
    """Rows of name: parameters, result, what it does with the owner and the arguments."""
    return {
        name: GoFunction(name, call, tuple(parameters.split(", ")) if parameters else (), result, flags=flags)
        for name, (parameters, result, call) in rows.items()
    }


def _field(read: Callable[[Fields], Any]) -> Callable[[Time], Any]:
    return lambda time: read(time.shown())


def _unix(unit: int) -> Callable[[Time], SizedInt]:
    return lambda time: Int64.of(time.order // unit)


def _amount(unit: int) -> Callable[[Duration], SizedInt]:
    return lambda duration: Int64(_toward_zero(duration.order, unit) // unit)


def _share(unit: int) -> Callable[[Duration], float]:
    def share(duration: Duration) -> float:
        whole = _toward_zero(duration.order, unit)
        return whole // unit + (duration.order - whole) / unit

    return share


def _toward_zero(number: int, unit: int) -> int:
    rest = abs(number) % unit
    return number - rest if number >= 0 else number + rest


def _add_date(time: Time, years: int, months: int, days: int) -> Time:
    fields = time.shown()
    date = (fields.year + years, fields.month + months, fields.day + days)
    return moment(date, (fields.hour, fields.minute, fields.second, fields.nanosecond), time.location)


def _iso_year(time: Time) -> int:
    """The year of ISOWeek, the first of its two results."""
    fields = time.shown()
    thursday = day_number(fields.year, fields.month, fields.day) - (fields.weekday + 6) % 7 + 3
    return (
        fields.year
        if day_number(fields.year, 1, 1) <= thursday < day_number(fields.year + 1, 1, 1)
        else (fields.year - 1 if thursday < day_number(fields.year, 1, 1) else fields.year + 1)
    )


def _is_dst(time: Time) -> bool:
    from datetime import datetime

    return bool(datetime.fromtimestamp(within_python(time.order // SECOND), tz=time.location.zone).dst())


def _truncated(time: Time, unit: Duration) -> Time:
    if unit.order <= 0:
        return time
    return Time(time.order - (time.order - ZERO_TIME_SECOND * SECOND) % unit.order, time.location)


def _rounded(time: Time, unit: Duration) -> Time:
    if unit.order <= 0:
        return time
    rest = (time.order - ZERO_TIME_SECOND * SECOND) % unit.order
    return Time(time.order - rest + (unit.order if rest * 2 >= unit.order else 0), time.location)


def _truncated_duration(duration: Duration, unit: Duration) -> Duration:
    return Duration(_toward_zero(duration.order, unit.order)) if unit.order > 0 else duration


def _rounded_duration(duration: Duration, unit: Duration) -> Duration:
    if unit.order <= 0:
        return duration
    rest = abs(duration.order) % unit.order
    rounded = abs(duration.order) - rest + (unit.order if rest * 2 >= unit.order else 0)
    return Duration(max(-MAX - 1, min(MAX, -rounded if duration.order < 0 else rounded)))


def _marshalled(time: Time) -> bytes:
    return f'"{format_time(time, RFC3339_NANO)}"'.encode()


def _go_string(time: Time) -> str:
    f = time.shown()
    clock = f"{f.hour}, {f.minute}, {f.second}, {f.nanosecond}"
    location = "time.UTC" if time.location is UTC_LOCATION else f'time.Location("{time.location}")'
    return f"time.Date({f.year}, time.{Month(f.month)}, {f.day}, {clock}, {location})"


def _in(time: Time, location: Location | None) -> Time:
    if location is None:
        raise Panic("time: missing Location in call to Time.In")
    return Time(time.order, location)


Time.methods.update(_methods({
    "Add": (DURATION, TIME, Time.plus),
    "AddDate": ("int, int, int", TIME, _add_date),
    "After": (TIME, "bool", lambda time, other: time.order > other.order),
    "Before": (TIME, "bool", lambda time, other: time.order < other.order),
    "Compare": (TIME, "int", lambda time, other: (time.order > other.order) - (time.order < other.order)),
    "Day": ("", "int", _field(lambda f: f.day)),
    "Equal": (TIME, "bool", lambda time, other: time.order == other.order),
    "Format": ("string", "string", format_time),
    "GoString": ("", "string", _go_string),
    "Hour": ("", "int", _field(lambda f: f.hour)),
    "ISOWeek": ("", "int", _iso_year),
    "In": (LOCATION, TIME, _in),
    "IsDST": ("", "bool", _is_dst),
    "IsZero": ("", "bool", lambda time: time.order == ZERO_TIME_SECOND * SECOND),
    "Local": ("", TIME, lambda time: Time(time.order, UTC_LOCATION)),
    "Location": ("", LOCATION, lambda time: time.location),
    "MarshalJSON": ("", "[]uint8", _marshalled),
    "MarshalText": ("", "[]uint8", lambda time: _marshalled(time)[1:-1]),
    "Minute": ("", "int", _field(lambda f: f.minute)),
    "Month": ("", MONTH, _field(lambda f: Month(f.month))),
    "Nanosecond": ("", "int", _field(lambda f: f.nanosecond)),
    "Round": (DURATION, TIME, _rounded),
    "Second": ("", "int", _field(lambda f: f.second)),
    "String": ("", "string", lambda time: format_time(time, GO_STRING)),
    "Sub": (TIME, DURATION, Time.since),
    "Truncate": (DURATION, TIME, _truncated),
    "UTC": ("", TIME, lambda time: Time(time.order, UTC_LOCATION)),
    "Unix": ("", "int64", _unix(SECOND)),
    "UnixMicro": ("", "int64", _unix(MICROSECOND)),
    "UnixMilli": ("", "int64", _unix(MILLISECOND)),
    "UnixNano": ("", "int64", _unix(1)),
    "Weekday": ("", WEEKDAY, _field(lambda f: Weekday(f.weekday))),
    "Year": ("", "int", _field(lambda f: f.year)),
    "YearDay": ("", "int", _field(lambda f: f.year_day)),
    "Zone": ("", "string", _field(lambda f: f.zone)),
}, "method slow"))  # fmt: skip
Duration.methods.update(_methods({
    "Abs": ("", DURATION, lambda duration: Duration(min(abs(duration.order), MAX))),
    "Hours": ("", "float64", _share(HOUR)),
    "Microseconds": ("", "int64", _amount(MICROSECOND)),
    "Milliseconds": ("", "int64", _amount(MILLISECOND)),
    "Minutes": ("", "float64", _share(MINUTE)),
    "Nanoseconds": ("", "int64", _amount(1)),
    "Round": (DURATION, DURATION, _rounded_duration),
    "Seconds": ("", "float64", _share(SECOND)),
    "String": ("", "string", str),
    "Truncate": (DURATION, DURATION, _truncated_duration),
}))  # fmt: skip
for named in (Month, Weekday, Location):
    named.methods.update(_methods({"String": ("", "string", str)}))
