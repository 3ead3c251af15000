"""What Kubernetes takes as the value of a label."""

from __future__ import annotations

import re

_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-\w.]*[A-Za-z0-9])?)?", re.ASCII)
_LONGEST = 63


def is_label_value(text: str) -> bool:
    """Whether it does."""
    return len(text) <= _LONGEST and _VALUE.fullmatch(text) is not None
