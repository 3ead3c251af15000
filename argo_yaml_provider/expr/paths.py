"""Paths with slashes, as Go's package path has them.

In: text.  Out: text.
Must not know: the file system.
"""

from __future__ import annotations


def clean(path: str) -> str:
    """The shortest path that means the same: no `.`, no `//`, no `a/..`."""
    rooted, parts = path.startswith("/"), list[str]()
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part != "..":
            parts.append(part)
        elif parts and parts[-1] != "..":
            parts.pop()
        elif not rooted:
            parts.append(part)
    return ("/" if rooted else "") + "/".join(parts) or "."


def base(path: str) -> str:
    """The last part; `.` of nothing, `/` of slashes."""
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def directory(path: str) -> str:
    """All but the last part."""
    head, slash, _ = path.rpartition("/")
    return clean(head + slash)


def extension(path: str) -> str:
    """From the last dot of the last part on."""
    name = path.rpartition("/")[2]
    _, dot, suffix = name.rpartition(".")
    return dot + suffix if dot else ""


def is_absolute(path: str) -> bool:
    return path.startswith("/")
