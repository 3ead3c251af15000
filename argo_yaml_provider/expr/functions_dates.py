"""expr-lang's functions of times: `date`, `now`, `duration`, `timezone`.

In: values.  Out: times, durations, locations.
Must not know: syntax. expr-lang: builtin/builtin.go.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.expr import instant
from argo_yaml_provider.expr.clock import UTC_LOCATION, Duration, Location, Time, load_location, parse_duration
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.layout_reader import parse_time
from argo_yaml_provider.expr.layouts import DATE_LAYOUTS
from argo_yaml_provider.expr.operators import as_string


def now(location: Any = UTC_LOCATION) -> Time:
    if not isinstance(location, Location):
        raise Panic("invalid number of arguments (expected 0, got 1)")
    return Time(instant.now(), location)


def duration(text: Any) -> Duration:
    return parse_duration(as_string(text))


def timezone(name: Any) -> Location:
    return load_location(as_string(name))


def date(*given: Any) -> Time:
    """`date(text)`, `date(text, layout)`, `date(text, layout, zone name)`; a location may stand before them."""
    location, values = (given[0], given[1:]) if given and isinstance(given[0], Location) else (UTC_LOCATION, given)
    if not values:
        raise Panic("runtime error: index out of range [0] with length 0")
    text, *rest = map(as_string, values)
    if len(rest) == 1:
        return parse_time(rest[0], text, location)
    if len(rest) == 2:
        return parse_time(rest[0], text, load_location(rest[1]))
    for layout in DATE_LAYOUTS:
        try:
            return parse_time(layout, text, location)
        except Panic:
            continue
    raise Panic(f"invalid date {text}")
