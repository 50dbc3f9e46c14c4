"""What was used once, token or proof, is never taken again: after restarts, by threads, by processes.

SQLite. A row is a realm and a use, 32 bytes each, both digests; no time, no person. The primary key is what
refuses: two that come at once meet in the database, not here. A write-ahead log with `synchronous=FULL`: a
use has reached the disk before `redeem` or `accept` returns.

Who redeems a token may name a holder, 32 bytes of what the token is redeemed for. Until that is settled, the
same holder's second try is granted: one that was killed before it could do its part has lost nothing.

A file that is gone is not replaced by an empty one: `create` is for the first start alone. What this cannot
see is an old copy of the file put back in its place, or its `-wal` taken away: whoever restores a backup
retires the realms of that time first.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.issuer_keys import IssuerKey
from keyvault.submitter.proofs import verify
from keyvault.submitter.pseudonyms import scope_bytes
from keyvault.submitter.statements import Statement
from keyvault.submitter.tokens import Token, verify_token

BUSY_SECONDS: Final = 30
FILE_MODE: Final = 0o600

_APPLICATION = 0x62537075
_VERSION = 1
_PROOF_REALM_LABEL = b"bauta.submitter.proof-realm/v1\0"
_TABLES = """
CREATE TABLE used (realm BLOB NOT NULL CHECK (length(realm) = 32), use BLOB NOT NULL CHECK (length(use) = 32),
    PRIMARY KEY (realm, use)) WITHOUT ROWID;
CREATE TABLE held (realm BLOB NOT NULL, use BLOB NOT NULL, holder BLOB NOT NULL CHECK (length(holder) = 32),
    PRIMARY KEY (realm, use)) WITHOUT ROWID;
CREATE INDEX held_by ON held (holder);
CREATE TABLE retired (realm BLOB PRIMARY KEY NOT NULL CHECK (length(realm) = 32)) WITHOUT ROWID;
"""


class SpentStore:
    """The record of uses. Safe for threads, and for several processes that each open it after they forked.

    Args:
        path: of a file that `create` made.

    Raises:
        SubmitterError: spent_store_invalid, no such file, or another one; spent_store_unavailable.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        if not path.is_file():
            raise SubmitterError(
                "spent_store_invalid", "the record of used tokens is gone; without it nothing is admitted"
            )
        with _translated():
            self._connection = _connect(path)
        try:
            self._require_own()
        except BaseException:
            self._connection.close()
            raise

    @classmethod
    def create(cls, path: Path) -> SpentStore:
        """Makes an empty one, readable by its owner alone, and opens it.

        Raises:
            SubmitterError: spent_store_invalid, something is there already; spent_store_unavailable.
        """
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, FILE_MODE))
        except FileExistsError:
            raise SubmitterError("spent_store_invalid", "there is a record of used tokens already") from None
        except OSError:
            raise _unavailable() from None
        with _translated(), contextlib.closing(_connect(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in _TABLES.split(";")[:-1]:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={_APPLICATION}")
            connection.execute(f"PRAGMA user_version={_VERSION}")
            connection.execute("COMMIT")
        _sync_folder(path.parent)
        return cls(path)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()

    def redeem(self, untrusted_token: bytes, key: IssuerKey, holder: bytes | None = None) -> Token:
        """Takes a token, once and for all.

        Args:
            untrusted_token: as it came.
            key: of the issuer that it names.
            holder: 32 bytes that nobody else can know; until `settle`, the token is granted to them again.

        Raises:
            SubmitterError: as `verify_token`; token_spent; realm_retired; spent_store_unavailable.
        """
        token = verify_token(untrusted_token, key)
        self._spend(token.issuer, token.use, "token_spent", "this token was used before", holder)
        return token

    def settle(self, holder: bytes) -> None:
        """What the holder's token was redeemed for is done: it is spent for the holder, too.

        Raises:
            SubmitterError: spent_store_unavailable.
        """
        with self._transaction() as connection:
            connection.execute("DELETE FROM held WHERE holder = ?", [holder])

    def accept(self, untrusted_proof: bytes, statement: Statement) -> None:
        """Takes a proof for an occasion, once and for all; one that is false leaves the occasion open.

        Raises:
            SubmitterError: as `proofs.verify`; proof_used; realm_retired; spent_store_unavailable.
        """
        verify(untrusted_proof, statement)
        occasion = statement.occasion
        realm = proof_realm(occasion.verifier)
        self._spend(realm, occasion.use, "proof_used", "this occasion was answered before")

    def retire(self, realm: bytes) -> None:
        """Ends an issuer's key (its id) or a verifier's name (`proof_realm`): nothing of it is taken now.

        Its uses are deleted, and overwritten in the file.

        Raises:
            SubmitterError: spent_store_unavailable.
        """
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO retired (realm) VALUES (?)", [realm])
            connection.execute("DELETE FROM used WHERE realm = ?", [realm])
            connection.execute("DELETE FROM held WHERE realm = ?", [realm])
        with self._lock, _translated():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _require_own(self) -> None:
        with _translated():
            marks = [self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _MARKS]
        if tuple(marks) != (_APPLICATION, _VERSION):
            raise SubmitterError("spent_store_invalid", "the file is no record of used tokens")

    def _spend(self, realm: bytes, use: bytes, code: str, message: str, holder: bytes | None = None) -> None:
        with self._transaction() as connection:
            if connection.execute("SELECT 1 FROM retired WHERE realm = ?", [realm]).fetchone():
                raise SubmitterError("realm_retired", "what this belongs to has ended")
            try:
                connection.execute("INSERT INTO used (realm, use) VALUES (?, ?)", [realm, use])
            except sqlite3.IntegrityError:
                held = "SELECT 1 FROM held WHERE realm = ? AND use = ? AND holder = ?"
                if holder is not None and connection.execute(held, [realm, use, holder]).fetchone():
                    return
                raise SubmitterError(code, message) from None
            if holder is not None:
                connection.execute("INSERT INTO held VALUES (?, ?, ?)", [realm, use, holder])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


_MARKS = ("application_id", "user_version")


def proof_realm(verifier: str) -> bytes:
    """The realm of the proofs that one verifier asks for, 32 bytes.

    Raises:
        SubmitterError: scope_invalid.
    """
    return hashlib.sha256(_PROOF_REALM_LABEL + scope_bytes(verifier)).digest()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error:
        raise _unavailable() from None


def _unavailable() -> SubmitterError:
    return SubmitterError(
        "spent_store_unavailable", "the record of used tokens cannot be written; nothing is admitted"
    )
