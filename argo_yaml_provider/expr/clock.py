"""Go's time.Duration, time.Location and time.Time.

In: nanoseconds.  Out: values an expression can add, compare and print.
Must not know: layouts (`layouts`, `layout_reader`), the methods an expression may call (`clock_methods`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from typing import ClassVar

from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.limits import MAX_FORMAT
from argo_yaml_provider.expr.values import GoFunction, GoObject, wrap

NANOSECOND, MICROSECOND, MILLISECOND, SECOND = 1, 1_000, 1_000_000, 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
UNITS = {
    "ns": NANOSECOND, "us": MICROSECOND, "\u00b5s": MICROSECOND, "\u03bcs": MICROSECOND, "ms": MILLISECOND,
    "s": SECOND, "m": MINUTE, "h": HOUR,
}  # fmt: skip
MAX = 2**63 - 1
DAY = 86_400
DAYS_OF_400_YEARS = 146_097
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


class _Named(GoObject):
    """An int with a name of its own, which is no number for expr-lang."""

    __slots__ = ("order",)
    kind = "int"
    names: ClassVar[tuple[str, ...]] = ()
    first: ClassVar[int] = 0

    def __init__(self, number: int) -> None:
        self.order = number

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.order == other.order

    def __hash__(self) -> int:
        return hash(self.order)

    def __str__(self) -> str:
        return self.names[self.order - self.first]


class Month(_Named):
    __slots__ = ()
    go_type = "time.Month"
    methods: ClassVar[dict[str, GoFunction]] = {}
    names = MONTHS
    first = 1


class Weekday(_Named):
    __slots__ = ()
    go_type = "time.Weekday"
    methods: ClassVar[dict[str, GoFunction]] = {}
    names = WEEKDAYS


class Duration(GoObject):
    """Nanoseconds, wrapping at 64 bits."""

    __slots__ = ("order",)
    go_type = "time.Duration"
    kind = "int64"
    methods: ClassVar[dict[str, GoFunction]] = {}

    def __init__(self, nanoseconds: int) -> None:
        self.order = wrap(nanoseconds)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.order == other.order

    def __hash__(self) -> int:
        return hash(self.order)

    def __str__(self) -> str:
        """`1h30m0s`, `1.5s`, `20ms`, `0s`."""
        number = abs(self.order)
        sign = "-" if self.order < 0 else ""
        if number < SECOND:
            return sign + _below_second(number)
        minutes, nanoseconds = divmod(number, MINUTE)
        hours, minutes = divmod(minutes, 60)
        seconds = _decimal(nanoseconds, SECOND) + "s"
        if hours:
            return f"{sign}{hours}h{minutes}m{seconds}"
        return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _below_second(number: int) -> str:
    for unit, name in ((MILLISECOND, "ms"), (MICROSECOND, "\u00b5s")):
        if number >= unit:
            return _decimal(number, unit) + name
    return f"{number}ns" if number else "0s"


def _decimal(number: int, unit: int) -> str:
    whole, rest = divmod(number, unit)
    fraction = f"{rest:0{len(str(unit)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{fraction}" if fraction else str(whole)


class Location(GoObject):
    """A time zone; `zone` is what Python calls it."""

    __slots__ = ("name", "zone")
    go_type = "*time.Location"
    kind = "ptr"
    methods: ClassVar[dict[str, GoFunction]] = {}

    def __init__(self, name: str, zone: tzinfo) -> None:
        self.name, self.zone = name, zone

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Location) and self.name == other.name and self.zone == other.zone

    def __hash__(self) -> int:
        return hash(self.name)

    def at(self, second: int) -> tuple[int, str]:
        """The offset in seconds and the abbreviation that hold at this second since 1970."""
        if self.zone is UTC:
            return 0, "UTC"
        when = datetime.fromtimestamp(within_python(second), tz=self.zone)
        offset = when.utcoffset() or timedelta()
        return offset.days * DAY + offset.seconds, when.tzname() or ""

    def zones(self) -> tuple[tuple[int, str], ...]:
        """The offsets and abbreviations that ever held here, the oldest first."""
        return _zones(self)


@lru_cache(maxsize=64)
def _zones(location: Location) -> tuple[tuple[int, str], ...]:
    quarter = 91 * DAY
    return tuple(dict.fromkeys(location.at(second) for second in range(-140 * 4 * quarter, 70 * 4 * quarter, quarter)))


def within_python(second: int) -> int:
    """A second of the years Python knows; the calendar, and so the zone's rule, repeats every 400 years."""
    least, most = -62_135_500_000, 253_402_200_000
    if least <= second <= most:
        return second
    return least + 100_000 if second < least else most - 100_000


UTC_LOCATION = Location("UTC", UTC)


def fixed_zone(name: str, offset: int) -> Location:
    if abs(offset) >= DAY:
        raise Panic("time zone offset hour out of range")
    return Location(name, timezone(timedelta(seconds=offset), name))


@cache
def load_location(name: str) -> Location:
    """The zone of the IANA database; "" is UTC."""
    from zoneinfo import ZoneInfo

    if name in ("", "UTC", "Local"):  # the controller runs in UTC
        return UTC_LOCATION
    try:
        return Location(name, ZoneInfo(name if len(name) <= 64 and name.isascii() else "/"))
    except (KeyError, ValueError, OSError):
        raise Panic(f"unknown time zone {name[:64]}") from None


@dataclass(frozen=True, slots=True)
class Fields:
    """A time as the clock on the wall and the calendar show it."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    nanosecond: int
    weekday: int
    year_day: int
    offset: int
    zone: str


class Time(GoObject):
    """Nanoseconds since 1970, seen from a location."""

    __slots__ = ("location", "order")
    go_type = "time.Time"
    methods: ClassVar[dict[str, GoFunction]] = {}

    def __init__(self, nanoseconds: int, location: Location = UTC_LOCATION) -> None:
        self.order, self.location = nanoseconds, location

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Time) and (self.order, self.location) == (other.order, other.location)

    def __hash__(self) -> int:
        return hash(self.order)

    def plus(self, duration: Duration) -> Time:
        return Time(self.order + duration.order, self.location)

    def since(self, other: Time) -> Duration:
        """The time between the two; as long as a Duration can be, if it is longer."""
        return Duration(max(-MAX - 1, min(MAX, self.order - other.order)))

    def shown(self) -> Fields:
        second, nanosecond = divmod(self.order, SECOND)
        offset, zone = self.location.at(second)
        days, clock = divmod(second + offset, DAY)
        year, month, day = civil(days)
        return Fields(
            year, month, day, clock // 3600, clock // 60 % 60, clock % 60, nanosecond,
            (days + 4) % 7, days - day_number(year, 1, 1) + 1, offset, zone,
        )  # fmt: skip


ZERO_TIME_SECOND = -62_135_596_800


def day_number(year: int, month: int, day: int) -> int:
    """Days since 1970 of a date; months and days beyond their ends count on."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    shifted = year - (month <= 2)
    era, of_era = divmod(shifted, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * DAYS_OF_400_YEARS + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def civil(days: int) -> tuple[int, int, int]:
    """The date that is this many days after 1970-01-01."""
    era, of_era = divmod(days + 719_468, DAYS_OF_400_YEARS)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def moment(date: tuple[int, int, int], clock: tuple[int, int, int, int], location: Location) -> Time:
    """Go's time.Date: the moment when a clock in this location shows this; where it shows it twice or never, as Go guesses."""
    hour, minute, second, nanosecond = clock
    unix = day_number(*date) * DAY + hour * 3600 + minute * 60 + second
    offset = _offset_at_wall(location, unix)
    return Time((unix - offset) * SECOND + nanosecond, location)


def _offset_at_wall(location: Location, unix: int) -> int:
    """Go's guess: the offset that holds at the moment it would be in UTC, corrected once."""
    offset = location.at(unix)[0]
    return location.at(unix - offset)[0] if offset else 0


def parse_duration(text: str) -> Duration:
    """`1h30m`, `-1.5s`, `100ms`; Go's time.ParseDuration."""
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return Duration(0)
    if not rest or len(rest) > MAX_FORMAT:
        raise Panic(f"time: invalid duration {_quoted(text)}")
    total = 0
    while rest:
        amount, rest = _amount(rest, text)
        total += amount
        if total > MAX + (text[0] == "-"):
            raise Panic(f"time: invalid duration {_quoted(text)}")
    return Duration(-total if text[0] == "-" else total)


def _amount(rest: str, text: str) -> tuple[int, str]:
    """One number with its unit, in nanoseconds."""
    end = 0
    while end < len(rest) and rest[end] in "0123456789.":
        end += 1
    whole, dot, fraction = rest[:end].partition(".")
    if not (whole or fraction) or "." in fraction or end > 40:
        raise Panic(f"time: invalid duration {_quoted(text)}")
    start = end
    while end < len(rest) and rest[end] not in "0123456789.":
        end += 1
    unit = rest[start:end]
    if not unit:
        raise Panic(f"time: missing unit in duration {_quoted(text)}")
    if unit not in UNITS:
        raise Panic(f"time: unknown unit {_quoted(unit)} in duration {_quoted(text)}")
    fractional = int(fraction or 0) * UNITS[unit] // 10 ** len(fraction) if dot else 0
    return int(whole or 0) * UNITS[unit] + fractional, rest[end:]


def _quoted(text: str) -> str:
    from argo_yaml_provider.expr.quote import quote

    return quote(text[:100])
