"""sprig's functions of times and durations.

In: values whose types are checked already.  Out: values.
Must not know: syntax. Library: github.com/Masterminds/sprig v3.3.
"""

from __future__ import annotations

import re
from typing import Any

from argo_yaml_provider.expr import clock_methods, instant
from argo_yaml_provider.expr.clock import (
    HOUR,
    MINUTE,
    SECOND,
    UTC_LOCATION,
    ZERO_TIME_SECOND,
    Duration,
    Location,
    Time,
    load_location,
    parse_duration,
)
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.layout_reader import parse_time
from argo_yaml_provider.expr.layouts import format_time
from argo_yaml_provider.expr.values import Int32, Int64, wrap

_DAY = 24 * HOUR
_LARGE = (("y", 365 * _DAY), ("mo", 30 * _DAY), ("d", _DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND))
assert clock_methods


def now() -> Time:
    return Time(instant.now())


def _time(value: Any, *types: type) -> Time:
    """A time, or seconds since 1970 in an int of one of these types; now, if it is anything else."""
    if isinstance(value, Time):
        return value
    return Time(int(value) * SECOND) if type(value) in types else now()


def date(layout: str, value: Any) -> str:
    return date_in_zone(layout, value, "UTC")


def html_date(value: Any) -> str:
    return date("2006-01-02", value)


def html_date_in_zone(value: Any, zone: str) -> str:
    return date_in_zone("2006-01-02", value, zone)


def date_in_zone(layout: str, value: Any, zone: str) -> str:
    """In UTC if nobody knows the zone."""
    return format_time(Time(_time(value, int, Int64, Int32).order, _zone(zone)), layout)


def _zone(name: str) -> Location:
    try:
        return load_location(name)
    except Panic:
        return UTC_LOCATION


def date_modify(change: str, value: Time) -> Time:
    """The time as it was if the change is no duration."""
    try:
        return must_date_modify(change, value)
    except Panic:
        return value


def must_date_modify(change: str, value: Time) -> Time:
    return value.plus(parse_duration(change))


def ago(value: Any) -> str:
    """How long it is since then, in whole seconds."""
    return str(Duration.methods["Round"].call(now().since(_time(value, int, Int64)), Duration(SECOND)))


def duration(seconds: Any) -> str:
    """A number of seconds, as a text or an int64, as `1m35s`."""
    number = 0
    if type(seconds) is str:
        number = int(seconds) if re.fullmatch(r"[+-]?[0-9]{1,25}", seconds, re.ASCII) else 0
        number = max(-(2**63), min(2**63 - 1, number))
    elif isinstance(seconds, Int64):
        number = int(seconds)
    return str(Duration(wrap(number * SECOND)))


def duration_round(value: Any) -> str:
    """The largest unit alone: `2h`, `3d`, `1mo`."""
    number = abs(_nanoseconds(value))
    return next((f"{number // unit}{name}" for name, unit in _LARGE if number > unit), "0s")


def _nanoseconds(value: Any) -> int:
    if type(value) is str:
        try:
            return parse_duration(value).order
        except Panic:
            return 0
    if isinstance(value, Int64):
        return int(value)
    return now().since(value).order if isinstance(value, Time) else 0


def to_date(layout: str, text: str) -> Time:
    """The zero time if the text does not fit."""
    try:
        return parse_time(layout, text)
    except Panic:
        return Time(ZERO_TIME_SECOND * SECOND)


def unix_epoch(value: Time) -> str:
    return str(value.order // SECOND)
