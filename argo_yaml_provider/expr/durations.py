"""Lengths of time as Go reads and writes them, in whole nanoseconds.

In: text such as `1h30m`, or nanoseconds.  Out: nanoseconds, or text.
Must not know: what waits. Go: time.ParseDuration, Duration.String.
"""

from __future__ import annotations

import re

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.quote import quote

SECOND = 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
LONGEST = 2**63 - 1
_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 1_000_000, "s": SECOND, "m": MINUTE, "h": HOUR}
_PART = re.compile(r"([0-9]*)(\.[0-9]*)?([^0-9.]*)", re.DOTALL)


def parse(text: str) -> int:
    """`time.ParseDuration(text)`."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    if not rest:
        raise ExprError(f"time: invalid duration {quote(text)}")
    total = at = 0
    while at < len(rest):
        match = _PART.match(rest, at)
        assert match
        total += _part(match, text)
        if total > LONGEST + (sign < 0):
            raise ExprError(f"time: invalid duration {quote(text)}")
        at = match.end()
    return sign * total


def _part(match: re.Match[str], text: str) -> int:
    """One number with its unit; a fraction loses what a float64 cannot hold, as in Go."""
    whole, fraction, unit = match[1], (match[2] or "")[1:], match[3]
    if not whole and not fraction:
        raise ExprError(f"time: invalid duration {quote(text)}")
    if not unit:
        raise ExprError(f"time: missing unit in duration {quote(text)}")
    if unit not in _UNITS:
        raise ExprError(f"time: unknown unit {quote(unit)} in duration {quote(text)}")
    if len(whole.lstrip("0")) > 19:
        raise ExprError(f"time: invalid duration {quote(text)}")
    digits = fraction[:18]
    part = int(digits) * (_UNITS[unit] / 10 ** len(digits)) if digits else 0
    return int(whole or "0") * _UNITS[unit] + int(part)


def render(nanoseconds: int) -> str:
    """`Duration.String()`: `1h30m0s`, `2.5s`, `100ms`, `0s`."""
    size = abs(nanoseconds)
    sign = "-" if nanoseconds < 0 else ""
    if not size:
        return "0s"
    for unit in ("ns", "µs", "ms"):
        if size < min(_UNITS[unit] * 1000, SECOND):
            return f"{sign}{_decimal(size, _UNITS[unit])}{unit}"
    hours, rest = divmod(size, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    text = f"{_decimal(rest, SECOND)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return sign + (f"{hours}h{text}" if hours else text)


def _decimal(size: int, unit: int) -> str:
    whole, rest = divmod(size, unit)
    fraction = str(rest).rjust(len(str(unit)) - 1, "0").rstrip("0") if rest else ""
    return f"{whole}.{fraction}" if fraction else str(whole)
