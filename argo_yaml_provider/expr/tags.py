"""Find the `{{…}}` and `{{=…}}` in a text.

In: any text.  Out: `Tag`s with offsets, left to right; a tag that is not closed is an `ExprError`.
Must not know: what a tag stands for. Argo: fasttemplate's NewTemplate, util/template/kind.go.
"""

from __future__ import annotations

from dataclasses import dataclass

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.quote import quote

OPEN, CLOSE = "{{", "}}"
_LONGEST_SHOWN = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One tag: `text[start:end]` is all of it, braces included."""

    start: int
    end: int
    inner: str
    """What stands between the braces, as written; without the `=` of an expression."""
    expression: bool


def find_tags(text: str) -> tuple[Tag, ...]:
    """Every tag, each ending at the first `}}` after its `{{`, wherever that stands."""
    tags: list[Tag] = []
    at = text.find(OPEN)
    while at >= 0:
        end = text.find(CLOSE, at + 2)
        if end < 0:
            raise ExprError(_unclosed(text, at), at, len(OPEN))
        expression = text.startswith("=", at + 2)
        tags.append(Tag(start=at, end=end + 2, inner=text[at + 2 + expression : end], expression=expression))
        at = text.find(OPEN, end + 2)
    return tuple(tags)


def _unclosed(text: str, at: int) -> str:
    """Argo's own words; a text of megabytes is not repeated in full."""
    rest = text[at + 2 :]
    return f'Cannot find end tag="}}}}" in the template={_shown(text)} starting from {_shown(rest)}'


def _shown(text: str) -> str:
    return quote(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")
