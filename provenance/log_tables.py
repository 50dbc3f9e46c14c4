"""The tables of the log on SQLite, which refuse by themselves to be changed: rows are only added, in order.

Three tables: entries in order, the root of every complete subtree (so that a root or a proof reads few
rows), and every checkpoint that was ever published. The fsck compares these very texts with the file's.
"""

from __future__ import annotations

TABLES = {
    "identity": "CREATE TABLE identity (origin TEXT PRIMARY KEY) STRICT",
    "entries": """CREATE TABLE entries (
        position INTEGER PRIMARY KEY, kind TEXT NOT NULL,
        envelope_sha256 BLOB NOT NULL CHECK (length(envelope_sha256) = 32),
        UNIQUE (kind, envelope_sha256)) STRICT""",
    "nodes": """CREATE TABLE nodes (
        level INTEGER NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32),
        PRIMARY KEY (level, position)) STRICT, WITHOUT ROWID""",
    "checkpoints": """CREATE TABLE checkpoints (
        size INTEGER PRIMARY KEY, root BLOB NOT NULL CHECK (length(root) = 32), note BLOB NOT NULL) STRICT""",
}

# An INSERT OR REPLACE deletes without firing a DELETE trigger, so inserts are watched as well.
_INSERT_RULES = {
    "identity": "EXISTS (SELECT 1 FROM identity)",
    "entries": "NEW.position IS NOT (SELECT COALESCE(MAX(position) + 1, 0) FROM entries)",
    "nodes": "EXISTS (SELECT 1 FROM nodes WHERE level = NEW.level AND position = NEW.position)",
    "checkpoints": "NEW.size <= (SELECT MAX(size) FROM checkpoints)",
}


def trigger_statements() -> dict[str, str]:
    """The triggers that make the tables append-only, by name."""
    statements = {}
    for table, refused in _INSERT_RULES.items():
        for action, condition in (("UPDATE", "1"), ("DELETE", "1"), ("INSERT", refused)):
            name = f"{table}_{action.lower()}"
            statements[name] = (
                f"CREATE TRIGGER {name} BEFORE {action} ON {table} WHEN {condition} "
                f"BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
            )
    return statements
