"""The two texts of a value: what `{{=…}}` becomes, and what Go prints.

In: a value.  Out: text.
Must not know: where the text goes.
"""

from __future__ import annotations

import math
import re
from typing import Any

from argo_yaml_provider.expr import gojson
from argo_yaml_provider.expr.clock import Duration, Location, Month, Time, Weekday
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.limits import check_length
from argo_yaml_provider.expr.values import AnyMap, GoFunction, GoObject, SizedInt, go_type, is_nil

_NO_CHARACTER = re.compile("[\ud800-\udfff]")


def render_json_text(value: Any) -> str:
    """`json.Marshal(value)`, which Argo puts in the place of `{{=…}}` (a string without its quotes)."""
    try:
        text = gojson.dumps(plain(value), sort_keys=True)
    except RecursionError:
        raise Panic("the value is nested too deep") from None
    check_length(len(text))
    return text


def plain(value: Any) -> Any:
    """The value in JSON's own types; a Panic for what JSON has no word for."""
    if type(value) in (str, int, float, bool, type(None)):
        return value
    if isinstance(value, (AnyMap, GoFunction)):
        raise Panic(f"json: unsupported type: {go_type(value)}")
    if is_nil(value):
        return None
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        from base64 import b64encode

        return b64encode(value).decode()
    return int(value) if isinstance(value, SizedInt) else _plain_object(value)


def _plain_object(value: GoObject) -> Any:
    """A time, a duration, a zone, a certificate; anything else has a text of its own."""
    if isinstance(value, (Duration, Month, Weekday)):
        return value.order
    if isinstance(value, Time):
        return _json_time(value)
    return dict(value.fields) if isinstance(value, Location) or value.fields else str(value)


def _json_time(time: Time) -> str:
    from argo_yaml_provider.expr.layouts import RFC3339_NANO, format_time

    if not 0 <= time.shown().year <= 9999:
        raise Panic("json: error calling MarshalJSON for type time.Time: year outside of range [0,9999]")
    return format_time(time, RFC3339_NANO)


def render_go(value: Any) -> str:
    """Go's `%v`: `1e+06`, `[a b]`, `map[a:1]`, `<nil>`, `1m30s`."""
    text = go_text(value)
    return text if text.isascii() else _NO_CHARACTER.sub("\ufffd", text)


def go_text(value: Any) -> str:
    """The same within an expression, where bytes that are no characters are still what they were."""
    try:
        text = _shown(value)
    except RecursionError:
        raise Panic("the value is nested too deep") from None
    check_length(len(text))
    return text


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return render_float(value)
    if isinstance(value, (list, bytes)):
        return "[" + " ".join(map(_shown, value)) + "]"
    if isinstance(value, dict):
        return _map_shown(value)
    if isinstance(value, Time):
        from argo_yaml_provider.expr.layouts import GO_STRING, format_time

        return format_time(value, GO_STRING)
    if isinstance(value, GoFunction):
        return "0x0"
    return str(value)


def _map_shown(value: dict[Any, Any]) -> str:
    if not isinstance(value, AnyMap):
        return "map[" + " ".join(f"{key}:{_shown(value[key])}" for key in sorted(value)) + "]"
    items = sorted(value.items(), key=lambda item: _key_order(item[0][1]))
    return "map[" + " ".join(f"{_shown(key[1])}:{_shown(item)}" for key, item in items) + "]"


def _key_order(key: Any) -> tuple[int, Any]:
    """How fmt sorts the keys of a map[any]: by type first, in the order the linker happened to give them."""
    if key is None:
        return 0, 0
    if isinstance(key, str):
        return 1, key
    if isinstance(key, bool):
        return 4, key
    return (2 if isinstance(key, int) else 3, key) if isinstance(key, (int, float)) else (5, str(key))


def render_float(number: float) -> str:
    """strconv.FormatFloat(number, 'g', -1, 64): an exponent below 1e-4 and from 1e6 on, the shortest digits."""
    if math.isnan(number):
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "+Inf" if number > 0 else "-Inf"
    if number == 0:
        return "-0" if str(number)[0] == "-" else "0"
    mantissa, _, exponent = f"{number!r}".partition("e")
    digits, point = _digits(mantissa)
    power = int(exponent or 0) + point - 1
    if -4 <= power < 6:
        return gojson.plain_digits(number)
    sign = "-" if number < 0 else ""
    shown = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{sign}{shown}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _digits(mantissa: str) -> tuple[str, int]:
    """The significant digits, and where the point stands behind the first of them."""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    stripped = whole.lstrip("0")
    if stripped:
        return (stripped + fraction).rstrip("0"), len(stripped)
    significant = fraction.lstrip("0")
    return significant.rstrip("0"), len(significant) - len(fraction)
