"""Reads a record: the bytes come from whoever is audited, and are capped before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grpc_api.errors import invalid
from keyvault.custody.record import MAX_LINE_BYTES, MAX_RECORD_BYTES


def lines_of(untrusted_pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Cuts pieces into lines, each with its newline.

    Raises:
        ServiceError: `record_too_large`.
    """
    pending, total = bytearray(), 0
    for piece in untrusted_pieces:
        total += len(piece)
        if total > MAX_RECORD_BYTES:
            raise invalid("record_too_large", "The record is larger than any that is read.")
        pending += piece
        while (end := pending.find(b"\n")) >= 0:
            yield bytes(pending[: end + 1])
            del pending[: end + 1]
        if len(pending) > MAX_LINE_BYTES:
            raise invalid("record_too_large", "A line of the record is longer than any line is.")
    if pending:
        yield bytes(pending)
