"""Times as text, by Go's example layouts such as `2006-01-02 15:04`.

In: a layout and a time.  Out: a text. Also a layout's pieces, by which `layout_reader` goes the other way.
Must not know: functions. Go: time/format.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from argo_yaml_provider.expr.clock import MONTHS, WEEKDAYS, Fields, Time
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.limits import MAX_FORMAT

RFC3339 = "2006-01-02T15:04:05Z07:00"
RFC3339_NANO = "2006-01-02T15:04:05.999999999Z07:00"
GO_STRING = "2006-01-02 15:04:05.999999999 -0700 MST"
DATE_LAYOUTS = (
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    RFC3339,
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
)
"""What `date(text)` tries, in this order."""

_CHUNK = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|0[1-6]|002|15|1|2006|2|__2|_2(?!006)|3|4|5|PM|pm"
    r"|[-Z](?:070000|07:00:00|0700|07:00|07)|[.,](?:0+|9+)(?![0-9])"
)


@lru_cache(maxsize=256)
def pieces_of(layout: str) -> tuple[tuple[str, str], ...]:
    """The layout as (plain text, example) pairs; the last example is empty."""
    pieces, at = [], 0
    for match in _CHUNK.finditer(layout):
        pieces.append((layout[at : match.start()], match[0]))
        at = match.end()
    return (*pieces, (layout[at:], ""))


def format_time(time: Time, layout: str) -> str:
    if len(layout) > MAX_FORMAT:
        raise Panic(f"this layout has {len(layout)} characters; {MAX_FORMAT} are the most")
    fields = time.shown()
    return "".join(plain + _written(fields, example) for plain, example in pieces_of(layout))


_WRITERS: dict[str, Callable[[Fields], str]] = {
    "": lambda _: "",
    "2006": lambda f: f"{'-' if f.year < 0 else ''}{abs(f.year):04d}",
    "06": lambda f: f"{abs(f.year) % 100:02d}",
    "January": lambda f: MONTHS[f.month - 1],
    "Jan": lambda f: MONTHS[f.month - 1][:3],
    "1": lambda f: str(f.month),
    "01": lambda f: f"{f.month:02d}",
    "Monday": lambda f: WEEKDAYS[f.weekday],
    "Mon": lambda f: WEEKDAYS[f.weekday][:3],
    "2": lambda f: str(f.day),
    "_2": lambda f: f"{f.day:2d}",
    "02": lambda f: f"{f.day:02d}",
    "__2": lambda f: f"{f.year_day:3d}",
    "002": lambda f: f"{f.year_day:03d}",
    "15": lambda f: f"{f.hour:02d}",
    "3": lambda f: str(f.hour % 12 or 12),
    "03": lambda f: f"{f.hour % 12 or 12:02d}",
    "4": lambda f: str(f.minute),
    "04": lambda f: f"{f.minute:02d}",
    "5": lambda f: str(f.second),
    "05": lambda f: f"{f.second:02d}",
    "PM": lambda f: "PM" if f.hour >= 12 else "AM",
    "pm": lambda f: "pm" if f.hour >= 12 else "am",
    "MST": lambda f: f.zone or _offset(f.offset, "-0700"),
}


def _written(fields: Fields, example: str) -> str:
    writer = _WRITERS.get(example)
    if writer:
        return writer(fields)
    if example[0] in ".,":
        return _fraction(fields.nanosecond, example)
    return "Z" if example[0] == "Z" and fields.offset == 0 else _offset(fields.offset, example)


def _fraction(nanosecond: int, example: str) -> str:
    digits = f"{nanosecond:09d}"[: len(example) - 1].ljust(len(example) - 1, "0")
    if example[1] == "9":
        digits = digits.rstrip("0")
    return example[0] + digits if digits else ""


def _offset(offset: int, example: str) -> str:
    minutes, seconds = divmod(abs(offset), 60)
    colon = ":" if ":" in example else ""
    text = f"{'-' if offset < 0 else '+'}{minutes // 60:02d}"
    if len(example) > 3:
        text += f"{colon}{minutes % 60:02d}"
    if len(example) > 6:
        text += f"{colon}{seconds:02d}"
    return text
