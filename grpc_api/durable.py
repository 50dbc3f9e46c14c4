"""What the desk keeps, kept so that a power cut takes nothing back and a deletion leaves nothing behind."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlite_utils import Database


def open_database(path: Path) -> Database:
    """Opens or makes a SQLite file, for the threads of one process; each statement is a transaction."""
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # What is deleted leaves nothing behind in the file's free pages.
    connection.execute("PRAGMA secure_delete=ON")
    return Database(connection)


def sync_folder(folder: Path) -> None:
    """Makes names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
