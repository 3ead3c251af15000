"""Texts so plain that they are right at a glance: most of all, and a grammar takes a quarter of a second to set up.

In: a `depends` or a `when`.  Out: True if it is surely right; False if a parser must look.
Must not know: what is wrong with the others.
"""

from __future__ import annotations

import re

_NAME = r"[A-Za-z0-9_][-A-Za-z0-9_]*(?:\.[A-Za-z]+)?"
_DEPENDS_TOKEN = re.compile(rf"\s*(?:(?P<open>[!(])|(?P<close>\))|(?P<operator>&&|\|\|)|(?P<operand>{_NAME}))\s*")
_OPERAND = r"""(?:\{\{[^{}=][^{}]*\}\}|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|"[^"\\{]*"|'[^'\\{]*')"""
_COMPARISON = rf"\s*{_OPERAND}\s*(?:==|!=|<=|>=|<|>)\s*{_OPERAND}\s*"
_CONDITION = re.compile(rf"{_COMPARISON}(?:(?:&&|\|\|){_COMPARISON})*")
_TO_PARSER = {"and", "or", "not", "in", "let", "if", "else", "matches", "contains", "startsWith", "endsWith"}


def is_plain_depends(text: str) -> bool:
    """Names, results, `&&`, `||`, `!` and balanced parentheses, each where it belongs."""
    at, depth, wants_operand = 0, 0, True
    while at < len(text):
        match = _DEPENDS_TOKEN.match(text, at)
        kind = match.lastgroup if match else None
        if not match or wants_operand != (kind in {"open", "operand"}) or match.group(kind or 0) in _TO_PARSER:
            return False
        depth += match.group("open") == "("
        depth -= kind == "close"
        if depth < 0:
            return False
        wants_operand = kind in {"open", "operator"}
        at = match.end()
    return not depth and not wants_operand


def is_plain_condition(text: str) -> bool:
    """Comparisons of tags, words, numbers and quoted texts, joined by `&&` and `||`."""
    return bool(_CONDITION.fullmatch(text))
