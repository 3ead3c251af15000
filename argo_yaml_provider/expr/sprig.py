"""The table of sprig's functions: what an expression finds under `sprig`.

In: nothing.  Out: `SPRIG`.
Must not know: syntax. Library: github.com/Masterminds/sprig v3.3, GenericFuncMap; Argo: util/expr/env/env.go, which takes
env and expandenv out.

A row is: parameters -> result, as Go declares them; the function; flags. `*` is Go's `any`, `dict` its map[string]any.
Flags: see `GoFunction`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from argo_yaml_provider.expr import casing, functions_strings, paths, regexes, semver
from argo_yaml_provider.expr import functions_json as json
from argo_yaml_provider.expr import sprig_crypto as crypto
from argo_yaml_provider.expr import sprig_dates as dates
from argo_yaml_provider.expr import sprig_lists as lists
from argo_yaml_provider.expr import sprig_numbers as numbers
from argo_yaml_provider.expr import sprig_strings as strings
from argo_yaml_provider.expr.layout_reader import parse_time
from argo_yaml_provider.expr.operators import deep_equal
from argo_yaml_provider.expr.rendering import render_json_text
from argo_yaml_provider.expr.values import GoFunction

Row = tuple[str, Callable[..., Any]] | tuple[str, Callable[..., Any], str]

_DATES: dict[str, Row] = {
    "ago": ("* -> string", dates.ago, "slow"),
    "date": ("string, * -> string", dates.date, "slow"),
    "date_in_zone": ("string, *, string -> string", dates.date_in_zone, "slow"),
    "date_modify": ("string, time.Time -> time.Time", dates.date_modify, "slow"),
    "dateInZone": ("string, *, string -> string", dates.date_in_zone, "slow"),
    "dateModify": ("string, time.Time -> time.Time", dates.date_modify, "slow"),
    "duration": ("* -> string", dates.duration, "slow"),
    "durationRound": ("* -> string", dates.duration_round, "slow"),
    "htmlDate": ("* -> string", dates.html_date, "slow"),
    "htmlDateInZone": ("*, string -> string", dates.html_date_in_zone, "slow"),
    "must_date_modify": ("string, time.Time -> time.Time", dates.must_date_modify, "slow"),
    "mustDateModify": ("string, time.Time -> time.Time", dates.must_date_modify, "slow"),
    "mustToDate": ("string, string -> time.Time", parse_time, "slow"),
    "now": ("-> time.Time", dates.now, "slow"),
    "toDate": ("string, string -> time.Time", dates.to_date, "slow"),
    "unixEpoch": ("time.Time -> string", dates.unix_epoch, "slow"),
}
_STRINGS: dict[str, Row] = {
    "hello": ("-> string", lambda: "Hello!"),
    "abbrev": ("int, string -> string", strings.abbrev),
    "abbrevboth": ("int, int, string -> string", strings.abbrev_both),
    "trunc": ("int, string -> string", strings.trunc),
    "trim": ("string -> string", functions_strings.trim),
    "upper": ("string -> string", functions_strings.upper),
    "lower": ("string -> string", functions_strings.lower),
    "title": ("string -> string", casing.title, "heavy"),
    "untitle": ("string -> string", casing.uncapitalize, "heavy"),
    "substr": ("int, int, string -> string", strings.substring),
    "repeat": ("int, string -> string", strings.repeat, "budget"),
    "trimall": ("string, string -> string", lambda chars, text: text.strip(chars)),
    "trimAll": ("string, string -> string", lambda chars, text: text.strip(chars)),
    "trimSuffix": ("string, string -> string", lambda suffix, text: text.removesuffix(suffix)),
    "trimPrefix": ("string, string -> string", lambda prefix, text: text.removeprefix(prefix)),
    "nospace": ("string -> string", strings.no_space, "heavy"),
    "initials": ("string -> string", strings.initials, "heavy"),
    "randAlphaNum": ("int -> string", crypto.rand_alpha_num, "budget"),
    "randAlpha": ("int -> string", crypto.rand_alpha, "budget"),
    "randAscii": ("int -> string", crypto.rand_ascii, "budget"),
    "randNumeric": ("int -> string", crypto.rand_numeric, "budget"),
    "swapcase": ("string -> string", casing.swap_case, "heavy"),
    "shuffle": ("string -> string", crypto.shuffle, "budget heavy"),
    "snakecase": ("string -> string", casing.snake_case, "heavy"),
    "camelcase": ("string -> string", casing.pascal_case, "heavy"),
    "kebabcase": ("string -> string", casing.kebab_case, "heavy"),
    "wrap": ("int, string -> string", strings.wrap, "heavy"),
    "wrapWith": ("int, string, string -> string", strings.wrap_with, "heavy"),
    "contains": ("string, string -> bool", lambda part, text: part in text),
    "hasPrefix": ("string, string -> bool", lambda prefix, text: text.startswith(prefix)),
    "hasSuffix": ("string, string -> bool", lambda suffix, text: text.endswith(suffix)),
    "quote": ("...* -> string", strings.quoted, "heavy"),
    "squote": ("...* -> string", strings.single_quoted),
    "cat": ("...* -> string", strings.cat),
    "indent": ("int, string -> string", strings.indent),
    "nindent": ("int, string -> string", strings.nindent),
    "replace": ("string, string, string -> string", strings.replace),
    "plural": ("string, string, int -> string", strings.plural),
    "sha1sum": ("string -> string", strings.sha1),
    "sha256sum": ("string -> string", strings.sha256),
    "sha512sum": ("string -> string", strings.sha512),
    "adler32sum": ("string -> string", strings.adler32),
    "toString": ("* -> string", strings.text_of),
    "split": ("string, string -> map[string]string", strings.split, "budget"),
    "splitList": ("string, string -> []string", strings.split_list, "budget"),
    "splitn": ("string, int, string -> map[string]string", strings.split_n, "budget"),
    "toStrings": ("* -> []string", strings.texts_of),
    "join": ("string, * -> string", strings.join),
    "sortAlpha": ("* -> []string", strings.sort_alpha),
    "b64enc": ("string -> string", functions_strings.to_base64),
    "b64dec": ("string -> string", strings.b64_decode),
    "b32enc": ("string -> string", strings.b32_encode, "heavy"),
    "b32dec": ("string -> string", strings.b32_decode, "heavy"),
    "fail": ("string -> string", strings.fail),
    "getHostByName": ("string -> string", strings.host_by_name),
}
_NUMBERS: dict[str, Row] = {
    "atoi": ("string -> int", numbers.atoi),
    "int64": ("* -> int64", numbers.to_int64),
    "int": ("* -> int", numbers.to_int),
    "float64": ("* -> float64", numbers.to_float),
    "seq": ("...int -> string", numbers.seq, "budget"),
    "toDecimal": ("* -> int64", numbers.octal),
    "until": ("int -> []int", numbers.until, "budget"),
    "untilStep": ("int, int, int -> []int", numbers.until_step, "budget"),
    "add1": ("* -> int64", numbers.increment),
    "add": ("...* -> int64", numbers.add),
    "sub": ("*, * -> int64", numbers.subtract),
    "div": ("*, * -> int64", numbers.divide),
    "mod": ("*, * -> int64", numbers.modulo),
    "mul": ("*, ...* -> int64", numbers.multiply),
    "randInt": ("int, int -> int", crypto.rand_int),
    "add1f": ("* -> float64", numbers.increment_exact),
    "addf": ("...* -> float64", numbers.add_exact),
    "subf": ("*, ...* -> float64", numbers.subtract_exact),
    "divf": ("*, ...* -> float64", numbers.divide_exact),
    "mulf": ("*, ...* -> float64", numbers.multiply_exact),
    "biggest": ("*, ...* -> int64", numbers.maximum),
    "max": ("*, ...* -> int64", numbers.maximum),
    "min": ("*, ...* -> int64", numbers.minimum),
    "maxf": ("*, ...* -> float64", numbers.maximum_float),
    "minf": ("*, ...* -> float64", numbers.minimum_float),
    "ceil": ("* -> float64", numbers.ceil),
    "floor": ("* -> float64", numbers.floor),
    "round": ("*, int, ...float64 -> float64", numbers.half_up),
}
_DEFAULTS: dict[str, Row] = {
    "default": ("*, ...* -> *", lists.default, "free"),
    "empty": ("* -> bool", lists.empty, "free"),
    "coalesce": ("...* -> *", lists.coalesce, "free"),
    "all": ("...* -> bool", lists.every),
    "any": ("...* -> bool", lists.some),
    "ternary": ("*, *, bool -> *", lists.ternary, "free"),
    "fromJson": ("string -> *", lists.from_json),
    "toJson": ("* -> string", lists.to_json),
    "toPrettyJson": ("* -> string", lists.to_pretty_json),
    "toRawJson": ("* -> string", lists.to_raw_json),
    "mustFromJson": ("string -> *", json.from_json),
    "mustToJson": ("* -> string", render_json_text),
    "mustToPrettyJson": ("* -> string", json.to_json_indented),
    "mustToRawJson": ("* -> string", lists.to_raw_json),
    "deepCopy": ("* -> *", lists.deep_copy, "budget"),
    "mustDeepCopy": ("* -> *", lists.deep_copy, "budget"),
    "typeOf": ("* -> string", lists.type_of, "free"),
    "typeIs": ("string, * -> bool", lists.type_is),
    "typeIsLike": ("string, * -> bool", lists.type_is_like),
    "kindOf": ("* -> string", lists.kind_of, "free"),
    "kindIs": ("string, * -> bool", lists.kind_is),
    "deepEqual": ("*, * -> bool", deep_equal),
}
_LISTS: dict[str, Row] = {
    "tuple": ("...* -> []*", lists.make_list, "free"),
    "list": ("...* -> []*", lists.make_list, "free"),
    "append": ("*, * -> []*", lists.append, "budget"),
    "push": ("*, * -> []*", lists.append, "budget"),
    "mustAppend": ("*, * -> []*", lists.append, "budget"),
    "mustPush": ("*, * -> []*", lists.append, "budget"),
    "prepend": ("*, * -> []*", lists.prepend, "budget"),
    "mustPrepend": ("*, * -> []*", lists.prepend, "budget"),
    "first": ("* -> *", lists.first, "free"),
    "mustFirst": ("* -> *", lists.first, "free"),
    "rest": ("* -> []*", lists.rest, "budget"),
    "mustRest": ("* -> []*", lists.rest, "budget"),
    "last": ("* -> *", lists.last, "free"),
    "mustLast": ("* -> *", lists.last, "free"),
    "initial": ("* -> []*", lists.initial, "budget"),
    "mustInitial": ("* -> []*", lists.initial, "budget"),
    "reverse": ("* -> []*", lists.reverse, "budget"),
    "mustReverse": ("* -> []*", lists.reverse, "budget"),
    "compact": ("* -> []*", lists.compact, "budget"),
    "mustCompact": ("* -> []*", lists.compact, "budget"),
    "uniq": ("* -> []*", lists.uniq, "budget"),
    "mustUniq": ("* -> []*", lists.uniq, "budget"),
    "without": ("*, ...* -> []*", lists.without, "budget"),
    "mustWithout": ("*, ...* -> []*", lists.without, "budget"),
    "has": ("*, * -> bool", lists.has, "budget"),
    "mustHas": ("*, * -> bool", lists.has, "budget"),
    "slice": ("*, ...* -> *", lists.part),
    "mustSlice": ("*, ...* -> *", lists.part),
    "concat": ("...* -> *", lists.concat, "budget"),
    "chunk": ("int, * -> [][]*", lists.chunk, "budget"),
    "mustChunk": ("int, * -> [][]*", lists.chunk, "budget"),
}
_DICTS: dict[str, Row] = {
    "dict": ("...* -> dict", lists.make_dict, "free"),
    "get": ("dict, string -> *", lists.get, "free"),
    "set": ("dict, string, * -> dict", lists.put),
    "unset": ("dict, string -> dict", lists.unset),
    "hasKey": ("dict, string -> bool", lists.has_key, "free"),
    "pluck": ("string, ...dict -> []*", lists.pluck),
    "keys": ("...dict -> []string", lists.keys),
    "pick": ("dict, ...string -> dict", lists.pick),
    "omit": ("dict, ...string -> dict", lists.omit),
    "merge": ("dict, ...dict -> *", lists.merge),
    "mergeOverwrite": ("dict, ...dict -> *", lists.merge_overwrite),
    "mustMerge": ("dict, ...dict -> *", lists.merge),
    "mustMergeOverwrite": ("dict, ...dict -> *", lists.merge_overwrite),
    "values": ("dict -> []*", lists.values),
    "dig": ("...* -> *", lists.dig),
}
_PATHS: dict[str, Row] = {
    "base": ("string -> string", paths.base),
    "dir": ("string -> string", paths.directory),
    "clean": ("string -> string", paths.clean),
    "ext": ("string -> string", paths.extension),
    "isAbs": ("string -> bool", paths.is_absolute),
    "osBase": ("string -> string", paths.base),
    "osClean": ("string -> string", paths.clean),
    "osDir": ("string -> string", paths.directory),
    "osExt": ("string -> string", paths.extension),
    "osIsAbs": ("string -> bool", paths.is_absolute),
    "urlParse": ("string -> dict", strings.url_parse, "heavy slow"),
    "urlJoin": ("dict -> string", strings.url_join),
    "semver": ("string -> *semver.Version", semver.parse_version, "heavy slow"),
    "semverCompare": ("string, string -> bool", lambda constraint, version: semver.satisfies(version, constraint), "slower"),
}
_REGEXES: dict[str, Row] = {
    "regexMatch": ("string, string -> bool", strings.regex_match),
    "mustRegexMatch": ("string, string -> bool", strings.must_regex_match),
    "regexFindAll": ("string, string, int -> []string", strings.regex_find_all, "budget heavy"),
    "mustRegexFindAll": ("string, string, int -> []string", strings.regex_find_all, "budget heavy"),
    "regexFind": ("string, string -> string", strings.regex_find),
    "mustRegexFind": ("string, string -> string", strings.regex_find),
    "regexReplaceAll": ("string, string, string -> string", strings.regex_replace_all, "heavy"),
    "mustRegexReplaceAll": ("string, string, string -> string", strings.regex_replace_all, "heavy"),
    "regexReplaceAllLiteral": ("string, string, string -> string", strings.regex_replace_all_literal, "heavy"),
    "mustRegexReplaceAllLiteral": ("string, string, string -> string", strings.regex_replace_all_literal, "heavy"),
    "regexSplit": ("string, string, int -> []string", strings.regex_split, "budget heavy"),
    "mustRegexSplit": ("string, string, int -> []string", strings.regex_split, "budget heavy"),
    "regexQuoteMeta": ("string -> string", regexes.quoted),
}
_CRYPTO: dict[str, Row] = {
    "bcrypt": ("string -> string", crypto.bcrypt, "costly"),
    "htpasswd": ("string, string -> string", crypto.htpasswd, "costly"),
    "genPrivateKey": ("string -> string", crypto.private_key, "costly"),
    "derivePassword": ("uint32, string, string, string, string -> string", crypto.derive_password, "costly"),
    "buildCustomCert": ("string, string -> cert", crypto.custom_cert, "costly"),
    "genCA": ("string, int -> cert", crypto.gen_ca, "costly"),
    "genCAWithKey": ("string, int, string -> cert", crypto.gen_ca_with_key, "costly"),
    "genSelfSignedCert": ("string, []*, []*, int -> cert", crypto.gen_self_signed, "costly"),
    "genSelfSignedCertWithKey": ("string, []*, []*, int, string -> cert", crypto.gen_self_signed_with_key, "costly"),
    "genSignedCert": ("string, []*, []*, int, cert -> cert", crypto.gen_signed, "costly"),
    "genSignedCertWithKey": ("string, []*, []*, int, cert, string -> cert", crypto.gen_signed_with_key, "costly"),
    "encryptAES": ("string, string -> string", crypto.encrypt_aes),
    "decryptAES": ("string, string -> string", crypto.decrypt_aes),
    "randBytes": ("int -> string", crypto.rand_bytes, "budget"),
    "uuidv4": ("-> string", crypto.uuid4, "slow"),
}
_SHORT = {
    "*": "interface {}",
    "dict": "map[string]interface {}",
    "[]*": "[]interface {}",
    "[][]*": "[][]interface {}",
    "cert": "sprig.certificate",
}


def _type(name: str) -> str:
    dots = "..." if name.startswith("...") else ""
    plain = name.removeprefix("...").strip()
    return dots + _SHORT.get(plain, plain)


def _function(name: str, row: Row) -> GoFunction:
    signature, call, *flags = row
    given, _, result = signature.partition("->")
    parameters = tuple(_type(each.strip()) for each in given.split(",") if each.strip())
    return GoFunction(f"sprig.{name}", call, parameters, _type(result.strip()), flags=" ".join(flags))


SPRIG: dict[str, Any] = {
    name: _function(name, row)
    for table in (_DATES, _STRINGS, _NUMBERS, _DEFAULTS, _LISTS, _DICTS, _PATHS, _REGEXES, _CRYPTO)
    for name, row in table.items()
}
