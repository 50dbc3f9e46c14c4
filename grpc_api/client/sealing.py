"""Sealing an upload: preamble and media into an age file for the intake, in one pass over the media."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from enclave.policy import Instructions, Terms, upload_preamble
from grpc_api.errors import invalid
from keyvault.age import SealWriter, parse_recipient

BLOCK_BYTES = 1 << 20
SALT_BYTES = 32


@dataclass(frozen=True)
class SealedUpload:
    """A sealed upload on the submitter's disk, and what the submitter alone knows of it.

    Attributes:
        path: the age file.
        size: its bytes.
        sha256: its digest.
        salt: the salt of the commitment; 32 bytes.
        commitment: HMAC-SHA-256 of the media under the salt, hexadecimal.
    """

    path: Path
    size: int
    sha256: bytes
    salt: bytes = field(repr=False)
    commitment: str = field(repr=False)


def seal_upload(
    source: Path,
    sealed: Path,
    terms: Terms,
    intake_recipient: str,
    instructions: Instructions | None = None,
    record: bytes = b"",
    pictures: bytes = b"",
    matching: bytes = b"",
) -> SealedUpload:
    """Seals a media file and its terms to the intake.

    Args:
        source: the media file.
        sealed: the age file to write; it must not exist.
        terms: what is asked for; bound inside the seal.
        intake_recipient: `age1pq1...` of the verified intake.
        instructions: for the worker alone; nobody on the road sees that there are any.
        record: of an earlier run, where the instructions announce one; sealed as it is.
        pictures: of everybody who is enrolled, in a row, likewise.
        matching: encrypted templates to compare with, likewise.

    Raises:
        ServiceError: `input_unreadable`.
        KeyvaultError: the recipient is not valid.
    """
    salt = secrets.token_bytes(SALT_BYTES)
    commitment = hmac.new(salt, digestmod=hashlib.sha256)
    recipient = parse_recipient(intake_recipient)
    with _open_input(source) as media, sealed.open("xb") as raw:
        tap = HashingSink(raw)
        with SealWriter(tap, [recipient]) as sealer:
            sealer.write(upload_preamble(terms, salt, instructions))
            sealer.write(record)
            sealer.write(pictures)
            sealer.write(matching)
            while block := media.read(BLOCK_BYTES):
                commitment.update(block)
                sealer.write(block)
    return SealedUpload(sealed, tap.size, tap.sha256, salt, commitment.hexdigest())


class HashingSink:
    """Passes bytes on and keeps their count and digest."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Writes all of `data`."""
        self._digest.update(data)
        self.size += len(data)
        self._sink.write(data)
        return len(data)

    @property
    def sha256(self) -> bytes:
        """Digest so far."""
        return self._digest.digest()


def _open_input(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except OSError as error:
        raise invalid("input_unreadable", f"The input cannot be read: {error.strerror}.") from None
