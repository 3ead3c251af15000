"""What a YAML parser's complaint means, in words that help.

In: PyYAML's error.  Out: a Diagnostic.
Must not know: anything but YAML.
"""

from __future__ import annotations

from typing import Any

from argo_yaml_provider.diagnostics import Diagnostic, Pos
from argo_yaml_provider.source.nodes import Lines

_TAB = "indent with spaces: YAML allows no tab there"
_QUOTE = 'put quotes around text that holds ": ", " #" or begins with one of {{ [ * & ! | > % @ `'
_ALIGN = "align it with the entries above it: keys of one mapping, and the dashes of one list, begin in the same column"


def explain_yaml_error(error: Any, lines: Lines) -> Diagnostic:
    """The house form of a YAMLError."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return _unprintable(error, lines)
    problem, context = str(getattr(error, "problem", "") or ""), str(getattr(error, "context", "") or "")
    line = lines.lines[mark.line] if mark.line < len(lines.lines) else ""
    pos = lines.pos(mark.line, mark.column)
    if "\t" in line[: len(line) - len(line.lstrip())] and mark.column <= len(line) - len(line.lstrip()):
        at = line.index("\t")
        return Diagnostic(
            pos=lines.pos(mark.line, at), code="tab-indentation", message="a tab stands in the indentation", help=_TAB
        )
    if "unexpected end" in problem or (not line.strip() and "expected" in problem):
        return _unfinished(error, lines, pos)
    if "block mapping" in context or "block collection" in context or "block sequence" in context:
        return Diagnostic(
            pos=pos, code="bad-indentation", message="this line does not fit the indentation above it", help=_ALIGN
        )
    if "mapping values are not allowed" in problem:
        return _colon(lines, mark.line, mark.column)
    if "cannot start any token" in problem and line[mark.column : mark.column + 1]:
        message = f"a value without quotes cannot begin with {line[mark.column]}"
    else:
        message = f"not YAML: {problem}" + (f" {context}" if context else "")
    return Diagnostic(pos=pos, code="not-yaml", message=message, help=_QUOTE)


def _colon(lines: Lines, line: int, column: int) -> Diagnostic:
    """`a: b: c`, or a key indented deeper than its siblings."""
    before = lines.lines[line][:column] if line < len(lines.lines) else ""
    if ": " in before:
        return Diagnostic(pos=lines.pos(line, column), code="not-yaml", message="a second colon in one line", help=_QUOTE)
    pos = lines.pos(line, len(before) - len(before.lstrip()), len(before.strip()))
    return Diagnostic(
        pos=pos, code="bad-indentation", message="this key is indented deeper than the entries above it", help=_ALIGN
    )


def _unfinished(error: Any, lines: Lines, pos: Pos) -> Diagnostic:
    """A quote or bracket that is never closed: point at where it opens."""
    start = getattr(error, "context_mark", None)
    if start is None:
        return Diagnostic(pos=pos, code="not-yaml", message="the text ends too early", help="close what is open")
    opener = lines.lines[start.line][start.column : start.column + 1] if start.line < len(lines.lines) else ""
    message = f"{opener} is never closed" if opener else "the text ends too early"
    return Diagnostic(pos=lines.pos(start.line, start.column), code="not-yaml", message=message, help="close it")


def _unprintable(error: Any, lines: Lines) -> Diagnostic:
    """A control character: the reader gives a position, sometimes."""
    text = "\n".join(lines.lines)
    at = next((i for i, char in enumerate(text) if (ord(char) < 32 and char not in "\t\n\r") or char in "\x7f\ufffe\uffff"), 0)
    line, column = text.count("\n", 0, at), at - text.rfind("\n", 0, at) - 1
    reason = f"the character U+{ord(text[at]):04X} is not allowed" if text else str(error)
    pos = Pos(file=lines.file, line=line + 1, column=column + 1)
    return Diagnostic(pos=pos, code="not-yaml", message=f"not YAML: {reason}", help="is this a text file?")
