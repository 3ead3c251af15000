"""The part of kubectl's command line that `resource.flags` may use.

In: an action, flags.  Out: Arguments; a RunError names the flag that is not known.
Must not know: HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from argo_yaml_provider.diagnostics import RunError

_SHORT = {"n": "namespace", "l": "selector", "o": "output", "A": "all-namespaces", "f": "filename"}
_VALUED = (
    "namespace",
    "selector",
    "field-selector",
    "field-manager",
    "grace-period",
    "timeout",
    "subresource",
)
_SWITCHES = (
    "all",
    "cascade",
    "dry-run",
    "force",
    "force-conflicts",
    "ignore-not-found",
    "now",
    "overwrite",
    "record",
    "save-config",
    "server-side",
    "validate",
    "wait",
)
_FALSE = ("false", "no", "0", "f", "ignore", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What the flags say."""

    words: tuple[str, ...] = ()
    """`TYPE NAME…` or `TYPE/NAME…`."""
    options: dict[str, str] = field(default_factory=dict)
    """By their long names; a switch without a value is 'true'."""

    def text(self, name: str) -> str:
        """An option's value, or ''."""
        return self.options.get(name, "")

    def flag(self, name: str, *, otherwise: bool = False) -> bool:
        """Whether a switch is on."""
        return self.options[name].lower() not in _FALSE if name in self.options else otherwise

    def targets(self) -> tuple[tuple[str, str], ...]:
        """Type and name of each object named; the name is '' where a selector chooses."""
        if not self.words:
            return ()
        if all("/" in word for word in self.words):
            return tuple((kind, name) for kind, _, name in (word.partition("/") for word in self.words))
        kinds, names = self.words[0].split(","), self.words[1:]
        return tuple((kind, name) for kind in kinds for name in names or ("",))


def parse_flags(flags: list[str]) -> Arguments:
    """`pod NAME --selector a=b -n default`."""
    words: list[str] = []
    options: dict[str, str] = {}
    rest = iter(flags)
    for flag in rest:
        if not flag.startswith("-") or flag == "-":
            words.append(flag)
            continue
        name, has_value, value = _option(flag)
        options[name] = value if has_value else _next(name, flag, rest)
    return Arguments(words=tuple(words), options=options)


def _option(flag: str) -> tuple[str, bool, str]:
    if flag.startswith("--"):
        name, equals, value = flag[2:].partition("=")
    else:
        name, value = _SHORT.get(flag[1:2], ""), flag[2:].removeprefix("=")
        equals = value
    if name not in _VALUED and name not in _SWITCHES:
        known = ", ".join(f"--{one}" for one in sorted((*_VALUED, *_SWITCHES)))
        raise RunError(f"unknown flag: {flag}", help=f"a resource template knows: {known}")
    return name, bool(equals), value


def _next(name: str, flag: str, rest: Iterator[str]) -> str:
    if name in _SWITCHES:
        return "true"
    try:
        return next(rest)
    except StopIteration:
        raise RunError(f"flag needs an argument: {flag}", help="write its value as the next flag, or after =") from None
