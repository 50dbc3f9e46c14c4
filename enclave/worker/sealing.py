"""The result, hashed and sealed to its recipients in one pass."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from enclave.worker.handed_over import DescriptorSink
from enclave.worker.scratch import BLOCK_BYTES, EncryptedScratch
from keyvault.age import SealWriter, parse_recipient

_READ_BYTES = 16 * BLOCK_BYTES


@dataclass(frozen=True)
class SealedResult:
    """What was written to the result descriptor, and what is inside.

    Attributes:
        media_sha256: of the anonymized media file, 32 bytes.
        media_bytes: its size.
        sealed_sha256: of the sealed file, 32 bytes.
        sealed_bytes: its size.
    """

    media_sha256: bytes
    media_bytes: int
    sealed_sha256: bytes
    sealed_bytes: int


def seal_result(result: Iterable[bytes], sink: DescriptorSink, recipients: tuple[str, ...]) -> SealedResult:
    """Seals a result.

    Args:
        result: the file, in pieces.
        sink: takes the sealed file.
        recipients: age recipients.

    Raises:
        AgeRecipientError: a recipient string is not a key.
        WorkerError: `scratch_corrupt`, `result_too_large`.
        OSError: the disk is full.
    """
    writer = SealWriter(sink, [parse_recipient(recipient) for recipient in recipients])
    media_sha256 = hashlib.sha256()
    media_bytes = 0
    for piece in result:
        media_sha256.update(piece)
        media_bytes += len(piece)
        writer.write(piece)
    writer.close()
    return SealedResult(
        media_sha256=media_sha256.digest(),
        media_bytes=media_bytes,
        sealed_sha256=sink.digest,
        sealed_bytes=sink.size,
    )


def plain_result(scratch: EncryptedScratch) -> Iterator[bytes]:
    """Gives the scratch file as it is, in pieces of 1 MiB.

    Raises:
        WorkerError: `scratch_corrupt`.
    """
    scratch.seek(0, os.SEEK_SET)
    while piece := scratch.read(_READ_BYTES):
        yield piece
