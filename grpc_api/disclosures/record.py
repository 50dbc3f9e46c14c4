"""The record: the whole log, and every statement of custody in it, for somebody who audits.

The form is `keyvault.custody.record`'s. Nothing of it is secret from a custodian: people stand in it as
digests of keys, reasons as words.
"""

from __future__ import annotations

from collections.abc import Iterator

from grpc_api.disclosures.book import Book
from grpc_api.ledger import Ledger
from keyvault.custody.record import (
    RECORD_KINDS,
    entry_line,
    head_line,
    policy_line,
    sharing_line,
    statement_line,
)

CHUNK_BYTES = 256 << 10


def record_lines(book: Book, ledger: Ledger) -> Iterator[bytes]:
    """The record file, in pieces of at most `CHUNK_BYTES`."""
    pending = b""
    for line in _lines(book, ledger):
        pending += line
        while len(pending) >= CHUNK_BYTES:
            yield pending[:CHUNK_BYTES]
            pending = pending[CHUNK_BYTES:]
    if pending:
        yield pending


def _lines(book: Book, ledger: Ledger) -> Iterator[bytes]:
    checkpoint, entries = ledger.whole()
    yield head_line(checkpoint)
    for at, entry in enumerate(entries):
        yield entry_line(at, entry)
    size = len(entries)
    for written in book.of_kinds(*RECORD_KINDS):
        # What came into the log while this was read is not under the checkpoint.
        if written.log_index is not None and written.log_index < size:
            yield statement_line(written.envelope, written.signer)
    for policy in book.policies():
        yield policy_line(policy)
    for sharing in book.sharings():
        yield sharing_line(sharing)
