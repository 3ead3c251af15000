"""The tables of expr-lang's own functions and of Argo's.

In: nothing.  Out: `BUILTINS`, and `argo_functions`, which stand in the environment.
Must not know: syntax. expr-lang: builtin/builtin.go; Argo: util/expr/env/env.go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from argo_yaml_provider.expr import functions_dates as dates
from argo_yaml_provider.expr import functions_json as json
from argo_yaml_provider.expr import functions_lists as lists
from argo_yaml_provider.expr import functions_numbers as numbers
from argo_yaml_provider.expr import functions_strings as strings
from argo_yaml_provider.expr import signatures
from argo_yaml_provider.expr.natures import Nature
from argo_yaml_provider.expr.rendering import go_text
from argo_yaml_provider.expr.signatures import Builtin, aggregate, overloads, takes, takes_all
from argo_yaml_provider.expr.values import GoFunction

_LIST = "[]interface {}"
_Check = Callable[[str, Sequence[Nature]], Nature]


def _plain(call: Callable[..., Any], check: _Check) -> Builtin:
    return Builtin(call, check)


def _free(call: Callable[..., Any], check: _Check) -> Builtin:
    """A function that does not read all of its arguments, and so costs next to nothing."""
    return Builtin(call, check, free=True)


def _slow(call: Callable[..., Any], check: _Check) -> Builtin:
    """A function each call of which costs a lot, however little it is given."""
    return Builtin(call, check, slow=True)


def _paid(call: Callable[..., Any], check: _Check) -> Builtin:
    """A function that is given the budget, because what it makes can be large."""
    return Builtin(call, check, needs_budget=True)


BUILTINS: dict[str, Builtin] = {
    # anything
    "len": _free(lists.length, takes("list map string", "int")),
    "type": _free(lists.type_name, overloads("interface {} -> string")),
    "string": _plain(go_text, overloads("interface {} -> string")),
    # numbers
    "abs": _plain(numbers.absolute, takes("number", "same")),
    "ceil": _plain(numbers.ceil, takes("number", "float64")),
    "floor": _plain(numbers.floor, takes("number", "float64")),
    "round": _plain(numbers.half_away, takes("number", "float64")),
    "int": _plain(numbers.to_int, takes("number string", "int")),
    "float": _plain(numbers.to_float, takes("number string", "float64")),
    "max": _plain(numbers.maximum, aggregate),
    "min": _plain(numbers.minimum, aggregate),
    "mean": _plain(numbers.mean, aggregate),
    "median": _plain(numbers.median, aggregate),
    "bitand": _plain(numbers.bit_and, overloads("int, int -> int")),
    "bitor": _plain(numbers.bit_or, overloads("int, int -> int")),
    "bitxor": _plain(numbers.bit_xor, overloads("int, int -> int")),
    "bitnand": _plain(numbers.bit_clear, overloads("int, int -> int")),
    "bitshl": _plain(numbers.shift_left, overloads("int, int -> int")),
    "bitshr": _plain(numbers.shift_right, overloads("int, int -> int")),
    "bitushr": _plain(numbers.shift_right_unsigned, overloads("int, int -> int")),
    "bitnot": _plain(numbers.bit_not, overloads("int -> int")),
    # text
    "trim": _plain(strings.trim, overloads("string -> string", "string, string -> string")),
    "trimPrefix": _plain(strings.trim_prefix, overloads("string, string -> string", "string -> string")),
    "trimSuffix": _plain(strings.trim_suffix, overloads("string, string -> string", "string -> string")),
    "upper": _plain(strings.upper, overloads("string -> string")),
    "lower": _plain(strings.lower, overloads("string -> string")),
    "split": _paid(strings.split, overloads("string, string -> []string", "string, string, int -> []string")),
    "splitAfter": _paid(strings.split_after, overloads("string, string -> []string", "string, string, int -> []string")),
    "replace": _plain(strings.replace, overloads("string, string, string, int -> string", "string, string, string -> string")),
    "repeat": _paid(strings.repeat, overloads("string, int -> string")),
    "join": _plain(
        strings.join,
        overloads(
            "[]string, string -> string",
            f"{_LIST}, string -> string",
            f"{_LIST} -> string",
            "[]string, string -> string",
            "[]string -> string",
        ),
    ),
    "indexOf": _plain(strings.index_of, overloads("string, string -> int")),
    "lastIndexOf": _plain(strings.last_index_of, overloads("string, string -> int")),
    "hasPrefix": _plain(strings.has_prefix, overloads("string, string -> bool")),
    "hasSuffix": _plain(strings.has_suffix, overloads("string, string -> bool")),
    "toJSON": _plain(json.to_json_indented, overloads("interface {} -> string")),
    "fromJSON": _plain(json.from_json, overloads("string -> interface {}")),
    "toBase64": _plain(strings.to_base64, overloads("string -> string")),
    "fromBase64": _plain(strings.from_base64, overloads("string -> string")),
    # times
    "now": _plain(dates.now, signatures.moment),
    "date": _slow(dates.date, signatures.date),
    "duration": _plain(dates.duration, overloads("string -> time.Duration")),
    "timezone": _plain(dates.timezone, overloads("string -> *time.Location")),
    # lists and maps
    "first": _free(lists.first, takes("list", "element")),
    "last": _free(lists.last, takes("list", "element")),
    "take": _free(lists.take, takes("list", "same", "int int32 int64")),
    "keys": _plain(lists.keys, takes("map", _LIST)),
    "values": _plain(lists.values, takes("map", _LIST)),
    "toPairs": _plain(lists.to_pairs, takes("map", _LIST)),
    "fromPairs": _plain(lists.from_pairs, takes("list", "map[interface {}]interface {}")),
    "reverse": _paid(lists.reverse, takes("list", _LIST)),
    "uniq": _paid(lists.uniq, takes("list", _LIST)),
    "concat": _paid(lists.concat, takes_all("list", _LIST)),
    "flatten": _paid(lists.flatten, takes("list", _LIST)),
    "sort": _paid(
        lists.sort,
        overloads(
            f"{_LIST}, string -> {_LIST}",
            f"[]int, string -> {_LIST}",
            f"[]string, string -> {_LIST}",
            f"{_LIST} -> {_LIST}",
            f"[]string -> {_LIST}",
            f"[]int -> {_LIST}",
        ),
    ),
}
GET = lists.get
"""`get(container, key)`: the checker treats it like `container[key]`."""

_ARGO: dict[str, Any] = {
    "asInt": GoFunction("asInt", numbers.to_int, ("interface {}",)),
    "asFloat": GoFunction("asFloat", numbers.to_float, ("interface {}",)),
    "toJson": GoFunction("toJson", json.to_json, ("interface {}",), "string"),
    "jsonpath": GoFunction("jsonpath", json.jsonpath, ("string", "string"), flags="budget"),
}


def argo_functions(names: Collection[str] | None = None) -> dict[str, Any]:
    """Argo's functions, or those of these names; `sprig` is a map of functions, loaded when it is named."""
    found = {name: function for name, function in _ARGO.items() if names is None or name in names}
    if names is None or "sprig" in names:
        from argo_yaml_provider.expr.sprig import SPRIG

        found["sprig"] = SPRIG
    return found
