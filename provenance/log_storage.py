"""The log's index on SQLite: one file, one process at a time, held by a lock file.

Write-ahead log with `synchronous=FULL`: a commit has reached the disk when it returns. `log_tables` has the
tables and the rules by which the database itself refuses a change.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlite_utils

from provenance.checkpoint import CheckpointText
from provenance.entry import Entry
from provenance.errors import FormatError, LogError
from provenance.log_tables import TABLES, trigger_statements
from provenance.merkle import completed_nodes, root_hash

# In a log of millions, small batches take half the time that they take with SQLite's own 2 MiB.
_PAGE_CACHE_KIB = 16 << 10


class LogStorage:
    """One open log file; keeps `log_index.LogIndex`. Thread-safe.

    Raises:
        LogError: `log_in_use`, `log_wrong_origin`, `log_full`, `log_damaged`, `log_refused` or
            `log_unavailable`.
    """

    def __init__(self, path: Path, origin: str) -> None:
        self._lock = threading.RLock()
        self.origin = origin
        with contextlib.ExitStack() as undo:
            self._lock_file = _hold(path.with_name(path.name + ".lock"))
            undo.callback(os.close, self._lock_file)
            with _translated():
                connection = sqlite3.connect(path, check_same_thread=False)
                undo.callback(connection.close)
                self._database = sqlite_utils.Database(connection)
                self._prepare(origin)
            _sync_folder(path.parent)
            undo.pop_all()

    def close(self) -> None:
        """Closes the file and lets others open it."""
        with self._lock:
            self._database.close()
            os.close(self._lock_file)

    def stage(self, entries: Sequence[Entry]) -> list[int]:
        """Adds entries and the nodes they complete, durably, all or none; gives their indices, old or new."""
        with self._transaction():
            return self._stage(entries)

    def publish(self, text: CheckpointText, note: bytes) -> None:
        """Adds a checkpoint, durably; the table takes only one that is larger than all before it."""
        with self._transaction():
            self._database.table("checkpoints").insert({"size": text.size, "root": text.root, "note": note})

    def tree_head(self) -> CheckpointText:
        """The head of all staged entries, not signed."""
        with self._lock:
            size = self.size()
            return CheckpointText(origin=self.origin, size=size, root=root_hash(size, self.node))

    def size(self) -> int:
        """Staged entries."""
        return int(self.rows("SELECT COALESCE(MAX(position) + 1, 0) FROM entries")[0][0])

    def latest(self) -> tuple[int, bytes] | None:
        """Size and note of the newest checkpoint."""
        found = self.rows("SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1")
        return (int(found[0][0]), _blob(found[0][1])) if found else None

    def checkpoints(self, first: int, count: int) -> dict[int, tuple[bytes, bytes]]:
        """Root and note by size, of every checkpoint of a size from `first` to before `first + count`."""
        found = self.rows(
            "SELECT size, root, note FROM checkpoints WHERE size >= ? AND size < ?", first, first + count
        )
        return {int(size): (_blob(root), _blob(note)) for size, root, note in found}

    def node(self, level: int, position: int) -> bytes:
        """The root of a complete subtree; a `merkle.NodeReader`."""
        found = self.rows("SELECT hash FROM nodes WHERE level = ? AND position = ?", level, position)
        if not found:
            raise LogError("a node of the log is missing", "log_damaged")
        return _blob(found[0][0])

    def nodes(self, level: int, first: int, count: int) -> list[bytes]:
        """Roots of consecutive complete subtrees."""
        found = self.rows(
            "SELECT hash FROM nodes WHERE level = ? AND position >= ? AND position < ? ORDER BY position",
            level,
            first,
            first + count,
        )
        if len(found) != count:
            raise LogError("a node of the log is missing", "log_damaged")
        return [_blob(row[0]) for row in found]

    def entries(self, first: int, count: int) -> list[Entry]:
        """Consecutive entries."""
        found = self.rows(
            "SELECT kind, envelope_sha256 FROM entries WHERE position BETWEEN ? AND ? ORDER BY position",
            first,
            first + count - 1,
        )
        if len(found) != count:
            raise LogError("an entry is missing", "log_damaged")
        try:
            return [Entry(str(kind), _blob(digest)) for kind, digest in found]
        except FormatError:
            raise LogError("an entry is not of a known kind", "log_damaged") from None

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Reads."""
        with self._lock, _translated():
            return list(self._database.execute(query, values).fetchall())

    def counts(self) -> tuple[int, int, int]:
        """Rows of entries, nodes and checkpoints."""
        entries, nodes, checkpoints = (
            self.rows(query)[0][0]
            for query in (
                "SELECT COUNT(*) FROM entries",
                "SELECT COUNT(*) FROM nodes",
                "SELECT COUNT(*) FROM checkpoints",
            )
        )
        return entries, nodes, checkpoints

    def _stage(self, entries: Sequence[Entry]) -> list[int]:
        """Finds or gives each entry its index; what is new is written at the end, in two statements."""
        size = self.size()
        fresh: dict[Entry, int] = {}
        nodes: dict[tuple[int, int], bytes] = {}
        indices = []
        for entry in entries:
            index = fresh.get(entry)
            if index is None:
                index = self._index_of(entry)
            if index is None:
                index = size + len(fresh)
                fresh[entry] = index
                for level, position, node in completed_nodes(
                    index, entry.leaf, lambda *place: nodes[place] if place in nodes else self.node(*place)
                ):
                    nodes[level, position] = node
            indices.append(index)
        self._database.conn.executemany(
            "INSERT INTO entries (position, kind, envelope_sha256) VALUES (?, ?, ?)",
            [(index, entry.kind, entry.envelope_sha256) for entry, index in fresh.items()],
        )
        self._database.conn.executemany(
            "INSERT INTO nodes (level, position, hash) VALUES (?, ?, ?)",
            [(*place, node) for place, node in nodes.items()],
        )
        return indices

    def _index_of(self, entry: Entry) -> int | None:
        found = self.rows(
            "SELECT position FROM entries WHERE kind = ? AND envelope_sha256 = ?",
            entry.kind,
            entry.envelope_sha256,
        )
        return int(found[0][0]) if found else None

    def check_rules(self) -> None:
        """Has SQLite examine the file, and compares tables and triggers with those that we wrote."""
        if self.rows("PRAGMA integrity_check") != [("ok",)]:
            raise LogError("the database file is damaged", "log_damaged")
        expected = {**TABLES, **trigger_statements()}
        if dict(self.rows("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")) != expected:
            raise LogError("the tables or the rules that keep them append-only were changed", "log_damaged")

    @contextlib.contextmanager
    def held_still(self) -> Iterator[None]:
        """Lets no other thread write while one reads."""
        with self._lock:
            yield

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, _translated(), self._database.atomic():
            yield

    def _prepare(self, origin: str) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        # Digests are random: each one falls on another page of the index that finds entries again.
        self._database.execute(f"PRAGMA cache_size = -{_PAGE_CACHE_KIB}")
        with self._database.atomic():
            if not self._database.table_names():
                for statement in (*TABLES.values(), *trigger_statements().values()):
                    self._database.execute(statement)
                self._database.table("identity").insert({"origin": origin})
        if self.rows("SELECT origin FROM identity") != [(origin,)]:
            raise LogError("the file holds a log of another origin", "log_wrong_origin")


def _blob(stored: Any) -> bytes:
    # A damaged file holds other types than its tables allow; an integer would even become that many zeros.
    if not isinstance(stored, bytes):
        raise LogError("a row of the log holds something else than bytes", "log_damaged")
    return stored


def _hold(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        raise LogError("the log's folder cannot be written", "log_unavailable") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise LogError("another process writes this log; stop it first", "log_in_use") from None
    return descriptor


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Lets no SQLite error out; its message may hold a path."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise LogError("the log refuses a row that would change what it holds", "log_refused") from None
    except (sqlite3.OperationalError, sqlite3.ProgrammingError) as error:
        # A ProgrammingError, such as a log that was closed meanwhile, carries no SQLite code.
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise LogError("the disk that holds the log is full", "log_full") from None
        raise LogError("the log's database cannot be used", "log_unavailable") from None
    # UnicodeDecodeError: SQLite's own message quotes damaged bytes of the file.
    except (sqlite3.Error, UnicodeDecodeError):
        raise LogError("the log's database is damaged", "log_damaged") from None
