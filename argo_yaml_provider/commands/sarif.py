"""Findings as SARIF 2.1.0, which code hosts and editors show beside the lines.

In: findings: a place, a rule, a level, words.  Out: JSON.  Source: the OASIS standard, sarif-v2.1.0.
Must not know: what was looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from argo_yaml_provider import __version__
from argo_yaml_provider.diagnostics import Pos

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to show."""

    pos: Pos
    rule: str
    level: str
    """SARIF's: error, warning or note."""
    message: str


def sarif(findings: Sequence[Finding], rules: Mapping[str, str]) -> Json:
    """The log of one run; of `rules` (what each means) those are listed that were met."""
    met = sorted({finding.rule for finding in findings})
    driver = {
        "name": "argo-yaml",
        "version": __version__,
        "rules": [{"id": rule, "shortDescription": {"text": rules[rule]}} for rule in met],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": [_result(one) for one in findings]}
        ],
    }


def _result(finding: Finding) -> Json:
    place = {
        "artifactLocation": {"uri": PurePath(finding.pos.file).as_posix()},
        "region": {"startLine": finding.pos.line, "startColumn": finding.pos.column},
    }
    return {
        "ruleId": finding.rule,
        "level": finding.level,
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
    }
