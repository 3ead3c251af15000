"""URLs taken apart and put together as Go's net/url does.

In: text, or its parts.  Out: parts, or text; a Panic says what is no URL.
Must not know: functions.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from argo_yaml_provider.expr import quote as go
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.operators import from_bytes

_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
_PORT = re.compile(r"(?::[0-9]*)?\Z")
_USERINFO = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*\Z")
_HOST_BAD = re.compile(r"[\s\"<>\\^`{|}#?/]")
_HOST_ESCAPE = re.compile(r"%(?!25)[0-7][0-9a-fA-F]")
_PATH_SAFE = "$&+,/:;=@"
_FRAGMENT_SAFE = _PATH_SAFE + "?!()*"
_USER_SAFE = "$&+,;="
_HOST_SAFE = "!$&'()*+,;=:[]<>\""


class Parts(dict[str, str]):
    """scheme, opaque, userinfo, host, hostname, path, query, fragment."""


def split_url(text: str) -> Parts:
    try:
        return _split(text)
    except Panic as error:
        raise Panic(f"parse {go.quote(text)}: {error.message}") from None


def _split(text: str) -> Parts:
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        raise Panic("net/url: invalid control character in URL")
    rest, _, fragment = text.partition("#")
    parts = Parts(scheme="", opaque="", userinfo="", host="", hostname="", path="", query="", fragment=_unescaped(fragment))
    if rest == "*":
        parts["path"] = "*"
        return parts
    rest = _take_scheme(rest, parts)
    if rest.endswith("?") and rest.count("?") == 1:
        rest = rest[:-1]
    else:
        rest, _, parts["query"] = rest.partition("?")
    if not rest.startswith("/"):
        if parts["scheme"]:
            parts["opaque"] = rest
            return parts
        if ":" in rest.partition("/")[0]:
            raise Panic("first path segment in URL cannot contain colon")
    if rest.startswith("//") and (parts["scheme"] or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        _take_authority(authority, parts)
    parts["path"] = _unescaped(rest)
    return parts


def _take_scheme(text: str, parts: Parts) -> str:
    match = _SCHEME.match(text)
    if match:
        parts["scheme"] = match[1].lower()
        return text[match.end() :]
    if text.startswith(":"):
        raise Panic("missing protocol scheme")
    return text


def _take_authority(authority: str, parts: Parts) -> None:
    userinfo, at, host = authority.rpartition("@")
    parts["host"] = _host(host)
    parts["hostname"] = _hostname(parts["host"])
    if at:
        if not _USERINFO.match(userinfo):
            raise Panic("net/url: invalid userinfo")
        user, colon, password = userinfo.partition(":")
        parts["userinfo"] = _escaped_user(_unescaped(user)) + (":" + _escaped_user(_unescaped(password)) if colon else "")


def _escaped_user(text: str) -> str:
    return _escaped(text, _USER_SAFE)


def _escaped(text: str, safe: str) -> str:
    return quote(text, safe=safe, encoding="utf-8", errors="surrogateescape")


def _host(host: str) -> str:
    if host.startswith("["):
        end = host.rfind("]")
        if end < 0:
            raise Panic("missing ']' in host")
        _check_port(host[end + 1 :])
        return host
    colon = host.rfind(":")
    if colon >= 0:
        _check_port(host[colon:])
    if _HOST_BAD.search(host):
        raise Panic(f"invalid character {go.quote(_HOST_BAD.findall(host)[0])} in host name")
    plain = _HOST_ESCAPE.search(host)
    if plain:  # only what is no ASCII may be escaped in a host
        raise Panic(f"invalid URL escape {go.quote(plain[0])}")
    return _unescaped(host)


def _check_port(port: str) -> None:
    if not _PORT.fullmatch(port):
        raise Panic(f"invalid port {go.quote(port)} after host")


def _hostname(host: str) -> str:
    if host.startswith("[") and "]" in host:
        return host[1 : host.index("]")]
    name, colon, port = host.rpartition(":")
    return name if colon and _PORT.fullmatch(colon + port) else host


def _unescaped(text: str) -> str:
    match = _ESCAPE.search(text)
    if match:
        raise Panic(f"invalid URL escape {go.quote(text[match.start() : match.start() + 3])}")
    return from_bytes(unquote_to_bytes(text)) if "%" in text else text


def join_url(parts: dict[str, str]) -> str:
    """Go's URL.String of these parts."""
    text = f"{parts['scheme']}:" if parts["scheme"] else ""
    if parts["opaque"]:
        text += parts["opaque"]
    else:
        text += _authority(parts) + _path(parts, bare=not text)
    if parts["query"]:
        text += f"?{parts['query']}"
    if parts["fragment"]:
        text += "#" + _escaped(parts["fragment"], _FRAGMENT_SAFE)
    return text


def _authority(parts: dict[str, str]) -> str:
    user, host = parts["userinfo"], parts["host"]
    if not (parts["scheme"] or host or user):
        return ""
    marks = "//" if host or user or parts["path"] else ""
    return marks + (f"{user}@" if user else "") + _escaped(host, _HOST_SAFE)


def _path(parts: dict[str, str], *, bare: bool) -> str:
    path = _escaped(parts["path"], _PATH_SAFE)
    if path and not path.startswith("/") and parts["host"]:
        return "/" + path
    return "./" + path if bare and not parts["host"] and ":" in path.partition("/")[0] else path
