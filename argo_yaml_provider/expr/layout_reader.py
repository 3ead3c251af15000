"""Text to times, by Go's example layouts such as `2006-01-02 15:04`.

In: a layout and a text.  Out: a time; a Panic says which part of the text does not fit.
Must not know: functions. Go: time/format.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from argo_yaml_provider.expr.clock import (
    MONTHS,
    SECOND,
    UTC_LOCATION,
    WEEKDAYS,
    Location,
    Time,
    day_number,
    fixed_zone,
    moment,
)
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.layouts import pieces_of
from argo_yaml_provider.expr.limits import MAX_FORMAT
from argo_yaml_provider.expr.quote import quote

MAX_SHOWN = 100
"""Characters of a text that a message shows."""


class _Mismatch(Exception):
    """The text does not fit here; the argument is what Go says instead of "cannot parse", if it does."""


@dataclass(slots=True)
class _Parsed:
    """What has been read so far, and the text that is left."""

    rest: str
    year: int = 0
    month: int = -1
    day: int = -1
    year_day: int = -1
    hour: int = 0
    minute: int = 0
    second: int = 0
    nanosecond: int = 0
    afternoon: bool | None = None
    zone: Location | None = None
    offset: int | None = None
    zone_name: str = ""
    ahead: str = field(default="")
    """The example that comes next in the layout."""


def parse_time(layout: str, text: str, location: Location = UTC_LOCATION) -> Time:
    """The moment a text names; without a zone in it, in this location."""
    if len(text) > MAX_FORMAT or len(layout) > MAX_FORMAT:
        raise _complaint(text, layout[:MAX_SHOWN], f"it is longer than {MAX_FORMAT} characters")
    parsed = _Parsed(rest=text)
    pieces = pieces_of(layout)
    for index, (plain, example) in enumerate(pieces):
        held = parsed.rest
        parsed.ahead = pieces[index + 1][1] if index + 1 < len(pieces) and not pieces[index + 1][0] else ""
        try:
            parsed.rest = _skipped(parsed.rest, plain)
        except _Mismatch:
            raise _complaint(text, layout, f"cannot parse {quote(held[:MAX_SHOWN])} as {quote(plain)}") from None
        held = parsed.rest
        try:
            _read(parsed, example)
        except _Mismatch as error:
            reason = error.args[0] if error.args else f"cannot parse {quote(held[:MAX_SHOWN])} as {quote(example)}"
            raise _complaint(text, layout, reason) from None
    if parsed.rest:
        raise _complaint(text, layout, f"extra text: {quote(parsed.rest[:MAX_SHOWN])}")
    try:
        return _assembled(parsed, location)
    except _Mismatch as error:
        raise _complaint(text, layout, error.args[0]) from None


def _complaint(whole: str, layout: str, reason: str) -> Panic:
    text = whole if len(whole) <= MAX_SHOWN else whole[:MAX_SHOWN] + "…"
    if reason.startswith(("cannot", "extra")):
        middle = f" as {quote(layout)}: " if reason.startswith("cannot") else ": "
        return Panic(f"parsing time {quote(text)}{middle}{reason}")
    return Panic(f"parsing time {quote(text)}: {reason}")


def _skipped(text: str, plain: str) -> str:
    """The text behind this plain part of the layout; one space stands for any number."""
    while plain:
        if plain[0] == " ":
            if text and text[0] != " ":
                raise _Mismatch
            plain, text = plain.lstrip(" "), text.lstrip(" ")
            continue
        if not text or text[0] != plain[0]:
            raise _Mismatch
        plain, text = plain[1:], text[1:]
    return text


def _digits(parsed: _Parsed, least: int, most: int) -> int:
    """A number of so many digits, taken from the text."""
    count = 0
    while count < most and parsed.rest[count : count + 1].isdigit() and parsed.rest[count].isascii():
        count += 1
    if count < least:
        raise _Mismatch
    number, parsed.rest = int(parsed.rest[:count]), parsed.rest[count:]
    return number


def _name(parsed: _Parsed, names: tuple[str, ...], length: int | None) -> int:
    for index, full in enumerate(names):
        name = full[:length]
        if parsed.rest[: len(name)].lower() == name.lower():
            parsed.rest = parsed.rest[len(name) :]
            return index
    raise _Mismatch


def _ranged(value: int, low: int, high: int, what: str) -> int:
    if not low <= value <= high:
        raise _Mismatch(f"{what} out of range")
    return value


def _read(parsed: _Parsed, example: str) -> None:
    """Take from the text what this example stands for."""
    if not example:
        return
    if example in _SETTERS:
        _SETTERS[example](parsed)
    elif example[0] in ".,":
        _read_fraction(parsed, example)
    else:
        _read_offset(parsed, example)


def _read_year(parsed: _Parsed) -> None:
    parsed.year = _digits(parsed, 4, 4)


def _read_short_year(parsed: _Parsed) -> None:
    year = _digits(parsed, 2, 2)
    parsed.year = year + (1900 if year >= 69 else 2000)


def _month_number(least: int) -> Callable[[_Parsed], None]:
    def read(parsed: _Parsed) -> None:
        parsed.month = _ranged(_digits(parsed, least, 2), 1, 12, "month")

    return read


def _month_name(length: int | None) -> Callable[[_Parsed], None]:
    def read(parsed: _Parsed) -> None:
        parsed.month = _name(parsed, MONTHS, length) + 1

    return read


def _weekday_name(length: int | None) -> Callable[[_Parsed], None]:
    return lambda parsed: (_name(parsed, WEEKDAYS, length), None)[1]


def _day_number(least: int, spaces: int = 0) -> Callable[[_Parsed], None]:
    def read(parsed: _Parsed) -> None:
        _drop_spaces(parsed, spaces)
        parsed.day = _digits(parsed, least, 2)

    return read


def _year_day(least: int, spaces: int = 0) -> Callable[[_Parsed], None]:
    def read(parsed: _Parsed) -> None:
        _drop_spaces(parsed, spaces)
        parsed.year_day = _digits(parsed, least, 3)

    return read


def _drop_spaces(parsed: _Parsed, most: int) -> None:
    for _ in range(most):
        parsed.rest = parsed.rest.removeprefix(" ")


def _hour(least: int, most: int) -> Callable[[_Parsed], None]:
    def read(parsed: _Parsed) -> None:
        parsed.hour = _ranged(_digits(parsed, least, 2), 0, most, "hour")

    return read


def _minute(least: int) -> Callable[[_Parsed], None]:
    def read(parsed: _Parsed) -> None:
        parsed.minute = _ranged(_digits(parsed, least, 2), 0, 59, "minute")

    return read


def _second(least: int) -> Callable[[_Parsed], None]:
    def read(parsed: _Parsed) -> None:
        """A fraction may follow even if the layout has none."""
        parsed.second = _ranged(_digits(parsed, least, 2), 0, 59, "second")
        if parsed.rest[:1] in (".", ",") and parsed.rest[1:2].isdigit() and parsed.ahead[:1] not in (".", ","):
            parsed.nanosecond = _nanoseconds(parsed)

    return read


def _half_day(words: tuple[str, str]) -> Callable[[_Parsed], None]:
    def read(parsed: _Parsed) -> None:
        if parsed.rest[:2] not in words:
            raise _Mismatch
        parsed.afternoon = parsed.rest[:2] == words[1]
        parsed.rest = parsed.rest[2:]

    return read


def _read_zone_name(parsed: _Parsed) -> None:
    if parsed.rest.startswith("UTC"):
        parsed.zone, length = UTC_LOCATION, 3
    else:
        length = _zone_name_length(parsed.rest)
        parsed.zone_name = parsed.rest[:length]
    parsed.rest = parsed.rest[length:]


def _zone_name_length(text: str) -> int:
    """How long the zone's abbreviation is: three letters, or four or five that end in T."""
    if text[:4] in ("ChST", "MeST", "WITA"):
        return 4
    if text.startswith("GMT"):
        return 3 + _signed_hours_length(text[3:])
    if text[:1] in ("+", "-") and _signed_hours_length(text):
        return _signed_hours_length(text)
    upper = len(text) - len(text[:6].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) - max(len(text) - 6, 0)
    if upper == 3 or (upper in (4, 5) and text[upper - 1] == "T"):
        return upper
    raise _Mismatch


def _signed_hours_length(text: str) -> int:
    match = re.match(r"[+-][0-9]{1,9}", text)
    return len(match[0]) if match and int(match[0][1:]) <= 23 else 0


_SETTERS: dict[str, Callable[[_Parsed], None]] = {
    "2006": _read_year,
    "06": _read_short_year,
    "January": _month_name(None),
    "Jan": _month_name(3),
    "1": _month_number(1),
    "01": _month_number(2),
    "Monday": _weekday_name(None),
    "Mon": _weekday_name(3),
    "2": _day_number(1),
    "_2": _day_number(1, 1),
    "02": _day_number(2),
    "__2": _year_day(1, 2),
    "002": _year_day(3),
    "15": _hour(1, 23),
    "3": _hour(1, 12),
    "03": _hour(2, 12),
    "4": _minute(1),
    "04": _minute(2),
    "5": _second(1),
    "05": _second(2),
    "PM": _half_day(("AM", "PM")),
    "pm": _half_day(("am", "pm")),
    "MST": _read_zone_name,
}


def _read_fraction(parsed: _Parsed, example: str) -> None:
    given = re.match(r"[.,]([0-9]*)", parsed.rest)
    if example[1] == "9":
        if given and given[1]:
            parsed.nanosecond = _nanoseconds(parsed)
        return
    if not given or len(given[1]) < len(example) - 1:
        raise _Mismatch
    held, parsed.rest = parsed.rest[len(example) :], parsed.rest[: len(example)]
    parsed.nanosecond = _nanoseconds(parsed)
    parsed.rest = held


def _nanoseconds(parsed: _Parsed) -> int:
    match = re.match(r"[.,]([0-9]+)", parsed.rest)
    assert match
    parsed.rest = parsed.rest[match.end() :]
    return int(match[1][:9].ljust(9, "0"))


_OFFSETS = {
    "07:00": r"([+-])(\d\d):(\d\d)",
    "07": r"([+-])(\d\d)",
    "07:00:00": r"([+-])(\d\d):(\d\d):(\d\d)",
    "070000": r"([+-])(\d\d)(\d\d)(\d\d)",
    "0700": r"([+-])(\d\d)(\d\d)",
}


def _read_offset(parsed: _Parsed, example: str) -> None:
    if example[0] == "Z" and parsed.rest.startswith("Z"):
        parsed.zone, parsed.rest = UTC_LOCATION, parsed.rest[1:]
        return
    match = re.match(_OFFSETS[example[1:]], parsed.rest, re.ASCII)
    if not match:
        raise _Mismatch
    parts = [int(part) for part in match.groups()[1:]] + [0, 0]
    _ranged(parts[0], 0, 24, "time zone offset hour")
    _ranged(parts[1], 0, 60, "time zone offset minute")
    _ranged(parts[2], 0, 60, "time zone offset second")
    parsed.offset = (parts[0] * 3600 + parts[1] * 60 + parts[2]) * (-1 if match[1] == "-" else 1)
    parsed.rest = parsed.rest[match.end() :]


def _assembled(parsed: _Parsed, location: Location) -> Time:
    hour = parsed.hour
    if parsed.afternoon is not None:
        hour = hour % 12 + 12 * parsed.afternoon if parsed.afternoon or hour == 12 else hour
    date = _date(parsed)
    clock = (hour, parsed.minute, parsed.second, parsed.nanosecond)
    if parsed.zone is not None:
        return moment(date, clock, parsed.zone)
    if parsed.offset is not None:
        return _with_offset(moment(date, clock, UTC_LOCATION), parsed.offset, parsed.zone_name, location)
    if parsed.zone_name:
        return _with_zone_name(moment(date, clock, UTC_LOCATION), parsed.zone_name, location)
    return moment(date, clock, location)


def _date(parsed: _Parsed) -> tuple[int, int, int]:
    leap = parsed.year % 4 == 0 and (parsed.year % 100 != 0 or parsed.year % 400 == 0)
    if parsed.year_day >= 0:
        _ranged(parsed.year_day, 1, 365 + leap, "day-of-year")
        return _date_of_year_day(parsed)
    year, month, day = parsed.year, max(parsed.month, 1), 1 if parsed.day < 0 else parsed.day
    _ranged(day, 1, day_number(year, month + 1, 1) - day_number(year, month, 1), "day")
    return year, month, day


def _date_of_year_day(parsed: _Parsed) -> tuple[int, int, int]:
    starts = [day_number(parsed.year, month, 1) - day_number(parsed.year, 1, 1) for month in range(1, 13)]
    month = sum(start < parsed.year_day for start in starts)
    day = parsed.year_day - starts[month - 1]
    if parsed.month not in (-1, month):
        raise _Mismatch("day-of-year does not match month")
    if parsed.day not in (-1, day):
        raise _Mismatch("day-of-year does not match day")
    return parsed.year, month, day


def _with_offset(time: Time, offset: int, name: str, location: Location) -> Time:
    """The zone of the location if the offset is the one it has then; else a zone of its own."""
    order = time.order - offset * SECOND
    held, abbreviation = location.at(order // SECOND)
    if held == offset and name in ("", abbreviation):
        return Time(order, location)
    return Time(order, fixed_zone(name, offset))


def _with_zone_name(time: Time, name: str, location: Location) -> Time:
    """An abbreviation the location knows, or one that means nothing and has no offset."""
    known = [offset for offset, abbreviation in location.zones() if abbreviation == name]
    second = time.order // SECOND
    offset = next((each for each in known if location.at(second - each)[1] == name), known[0] if known else None)
    if offset is not None:
        return Time(time.order - offset * SECOND, location)
    hours = int(name[3:]) if name.startswith("GMT") and len(name) > 3 else 0
    return Time(time.order, fixed_zone(name, hours * 3600))
