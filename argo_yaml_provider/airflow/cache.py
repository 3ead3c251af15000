"""Compiled files, kept between parses: Airflow parses each DAG file in a new process, again and again.

In: a file and how to compile it.  Out: what compiling gave, or gave before. Kept in one SQLite file, a row for each workflow
file, valid for one content, one version of this package and one content of the templates beside it.
Must not know: DAGs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from argo_yaml_provider import __version__
from argo_yaml_provider.plan.nodes import Json

if TYPE_CHECKING:
    from sqlite3 import Connection

FILE = "compiled.sqlite"
_REFERS = (b"emplateRef", b"configMapKeyRef")
_FORMAT = 2
_AT_ONCE = 100
"""Rows that are written together: so many are lost with a process that is killed, and no lock is held while files compile."""
_PATIENCE = 0.5
"""Seconds to wait for another process, which writes for some milliseconds."""
_TABLE = "CREATE TABLE IF NOT EXISTS compiled (path BLOB PRIMARY KEY, key TEXT, value BLOB, checksum INTEGER)"
_GET = "SELECT value, checksum FROM compiled WHERE path = ? AND key = ?"
_PUT = "INSERT OR REPLACE INTO compiled VALUES (?, ?, ?, ?)"
_T = TypeVar("_T")


@dataclass(slots=True, kw_only=True)
class Cache:
    """A folder with compiled files; without a folder, or where it cannot be used, nothing is kept."""

    folder: Path | None
    _connection: Connection | None = None
    _open: bool = False
    _useless: bool = False
    _new: dict[bytes, tuple[str, bytes]] = field(default_factory=dict)
    """Not yet written: key and value by path."""

    @contextmanager
    def open(self) -> Iterator[None]:
        """One connection for all that is done within; what is new is written at the end.

        No connection outlives it: a dag processor forks between its refreshes, and SQLite's must not cross a fork.
        """
        if self._open:
            yield
            return
        self._open = True
        try:
            yield
        finally:
            self._write_new()
            self._close()
            self._open = False

    def look_up(self, path: Path, key: str, compute: Callable[[], Json]) -> Json:
        """What `compute` gives for this file and key."""
        with self.open():
            value = self.read(path, key)
            if value is None:
                value = compute()
                self.write(path, key, value)
            return value

    def read(self, path: Path, key: str) -> Json | None:
        """What was kept of the path under this key."""
        place = os.fsencode(path)
        if (new := self._new.get(place)) and new[0] == key:
            return dict(json.loads(new[1]))
        with self.open():
            rows = self._use(lambda connection: connection.execute(_GET, (place, key)).fetchall())
        return dict(json.loads(rows[0][0])) if rows and rows[0][1] == _checksum(place, key, rows[0][0]) else None

    def write(self, path: Path, key: str, value: Json) -> None:
        """Keep the value, in place of what was kept of the path."""
        with self.open():
            self._new[os.fsencode(path)] = (key, json.dumps(value, separators=(",", ":")).encode())
            if len(self._new) >= _AT_ONCE:
                self._write_new()

    def _write_new(self) -> None:
        rows = [(path, key, value, _checksum(path, key, value)) for path, (key, value) in self._new.items()]
        self._new.clear()
        if rows:
            self._use(lambda connection: _put(connection, rows))

    def _use(self, work: Callable[[Connection], _T]) -> _T | None:
        """What `work` gives; None where the file cannot be used, which is then left alone: nobody waits for it twice."""
        import sqlite3

        for _ in range(2):  # once more where a broken file has gone
            if self.folder is None or self._useless:
                break
            try:
                self._connection = self._connection or _connect(self.folder)
                return work(self._connection)
            except (OSError, sqlite3.Error) as error:
                self._close()
                self._useless = not _remove_broken(self.folder, error)
        return None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(folder: Path) -> Connection:
    """A connection without implicit transactions; the file is its owner's alone.

    Nothing is synced, for all of it can be made again. No write-ahead log: the folder may be on a network file system.
    """
    import sqlite3

    file = folder / FILE
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
    connection = sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)
    try:
        for statement in ("PRAGMA synchronous = OFF", "PRAGMA journal_mode = TRUNCATE", _TABLE):
            connection.execute(statement)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _put(connection: Connection, rows: list[tuple[bytes, str, bytes, int]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_PUT, rows)
    connection.execute("COMMIT")


def _checksum(path: bytes, key: str, value: bytes) -> int:
    """Nothing is synced: after a power cut SQLite may not notice that some pages are old ones."""
    return zlib.crc32(b"%b\0%b\0%b" % (path, key.encode(), value))


def _remove_broken(folder: Path, error: Exception) -> bool:
    """Whether the file was no database any more, and is gone."""
    import sqlite3

    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return False
    with contextlib.suppress(OSError):
        for name in (f"{FILE}-journal", FILE):
            (folder / name).unlink(missing_ok=True)
        return True
    return False


def content_key(raw: bytes, templates: Callable[[], str]) -> str:
    """The key of a file's content; that of the templates counts only where the file refers to any."""
    digest = hashlib.sha256(f"{_FORMAT} {__version__} {compiler_stamp()}\n".encode())
    digest.update(raw)
    if any(word in raw for word in _REFERS):
        digest.update(templates().encode())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def compiler_stamp() -> int:
    """Changes with the compiler's own files, so that working on them, or installing a build of the same version, counts."""
    package = Path(__file__).parent.parent
    folders = [package / name for name in ("source", "expr", "spec", "resolve", "plan")]
    return hash(tuple(path.stat().st_mtime_ns for folder in folders for path in sorted(folder.rglob("*.py"))))


def templates_key(files: Iterable[tuple[str, bytes]]) -> str:
    """One digest of every file, of paths and contents, that may hold templates."""
    digest = hashlib.sha256()
    found = {path: raw for path, raw in files if b"Template" in raw or b"ConfigMap" in raw}
    for path, raw in sorted(found.items()):
        digest.update(os.fsencode(path) + b"\0" + raw + b"\0")
    return digest.hexdigest()
