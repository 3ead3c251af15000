"""The numbers of a `withSequence`, as texts.

In: the withSequence as Argo's JSON, tags replaced.  Out: one text per item.
Must not know: the step that loops. Argo: workflow/controller/operator.go expandSequence.
"""

from __future__ import annotations

import re
from typing import Any

from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.quote import quote
from argo_yaml_provider.expr.template import LARGEST
from argo_yaml_provider.plan.gointeger import format_integer
from argo_yaml_provider.plan.nodes import Json

MOST_ITEMS = 100_000
"""More items than this in one loop are refused: each becomes a task."""

_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)


def sequence(spec: Json) -> list[str]:
    """The items as the JSON inside of strings: a format may hold JSON escapes, and may be no JSON at all."""
    start = parse_int(spec["start"]) if spec.get("start") is not None else 0
    if spec.get("end") is not None:
        end = parse_int(spec["end"])
    elif spec.get("count") is not None:
        count = parse_int(spec["count"])
        if count == 0:
            return []
        end = start + count - 1
    else:
        raise ExprError("neither end nor count was specified in withSequence")
    numbers = range(start, end + 1) if start <= end else range(start, end - 1, -1)
    if len(numbers) > MOST_ITEMS:
        raise ExprError(f"withSequence has {len(numbers)} items; {MOST_ITEMS} are the most that one loop may have")
    template = spec.get("format") or "%d"
    longest = max(len(format_integer(template, number)) for number in (start, end))
    if longest * len(numbers) > LARGEST:
        raise ExprError(f"withSequence gives more than {LARGEST >> 20} MiB of text: {len(numbers)} items as {template[:100]}")
    return [format_integer(template, number) for number in numbers]


def parse_int(value: Any) -> int:
    """`strconv.Atoi` of an int or a text: decimal digits with a sign, within 64 bits."""
    text = str(value)
    if not _INTEGER.fullmatch(text):
        raise ExprError(f"strconv.Atoi: parsing {quote(text)}: invalid syntax")
    number = int(text) if len(text) < 40 else 2**63
    if not -(2**63) <= number < 2**63:
        raise ExprError(f"strconv.Atoi: parsing {quote(text)}: value out of range")
    return number
