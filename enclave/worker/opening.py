"""The upload, opened: authenticated to its last chunk, committed to, its terms compared, its media a stream.

Everything here happens before the first byte of media reaches a decoder (STYLE, habit 9).
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from enclave.errors import PreambleError, WorkerError
from enclave.policy.instructions import Instructions
from enclave.policy.preamble import MAX_PREAMBLE_BYTES, UploadPreamble, parse_preamble
from keyvault.age import PayloadReader
from keyvault.age.streams import moved_position
from provenance.pieces.original import OriginalTrees
from provenance.pieces.secrets import secret_of_upload

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@dataclass(frozen=True)
class OpenedUpload:
    """An upload whose every byte is authentic and whose terms are those of the order.

    Attributes:
        media: the original.
        commitment: HMAC-SHA256 of the original under the submitter's salt, 32 bytes.
        salt: the submitter's, 32 bytes.
        instructions: what the submitter tells this worker alone.
        untrusted_record: of the first run of a review, sealed by that run's worker; empty without one.
        secret: of the commitment to the original in pieces, 32 bytes.
        trees: those pieces; of the media's bytes by now, of what a decoder makes of them later.
        untrusted_pictures: of everybody who is enrolled, in a row; empty where there are none.
        untrusted_matching: encrypted templates to compare with; empty where there are none.
    """

    media: MediaStream
    commitment: bytes
    salt: bytes = field(repr=False)
    instructions: Instructions = field(repr=False)
    untrusted_record: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    trees: OriginalTrees = field(repr=False)
    untrusted_pictures: bytes = field(default=b"", repr=False)
    untrusted_matching: bytes = field(default=b"", repr=False)


class MediaStream(io.RawIOBase):
    """The media inside an upload, readable and seekable, from its own byte 0.

    It adds up the time that reading takes, because whoever decodes counts that as decoding.

    Args:
        payload: the whole plaintext.
        start: where in it the media begins.
    """

    def __init__(self, payload: PayloadReader, start: int) -> None:
        super().__init__()
        self._payload = payload
        self._start = start
        self._size = payload.size - start
        self._position = 0
        self.seconds = 0.0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Moves to a place in the media."""
        self._position = moved_position(self._position, self._size, offset, whence)
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills a buffer; short only at the end.

        Raises:
            AgeError: the upload changed since it was authenticated.
        """
        started = time.perf_counter()
        try:
            self._payload.seek(self._start + self._position)
            count = self._payload.readinto(buffer)
        finally:
            self.seconds += time.perf_counter() - started
        self._position += count
        return count


def open_upload(payload: PayloadReader, ordered_terms: bytes) -> OpenedUpload:
    """Checks the whole upload and gives its media.

    Args:
        payload: the plaintext of the sealed upload.
        ordered_terms: the canonical terms that the request stated.

    Raises:
        WorkerError: `terms_mismatch` when the submitter sealed other terms than the request states.
        TermsError: the upload does not start with a preamble, or ends before what it announces does.
        AgeError: a chunk is not authentic, or the upload is cut short.
    """
    payload.seek(0)
    preamble = parse_preamble(payload.read(MAX_PREAMBLE_BYTES))
    if not hmac.compare_digest(preamble.terms.to_bytes(), ordered_terms):
        raise WorkerError("the terms inside the seal are not those of the request", "terms_mismatch")
    secret = preamble.instructions.pieces_secret or secret_of_upload(preamble.salt)
    # Under evidence the tiles are cut where frames leave, once for the tree and the package.
    by_device = bool(preamble.instructions.pieces_secret) and not preamble.terms.policy.evidence
    trees = OriginalTrees(secret, tiles=by_device)
    commitment = _authenticate_and_commit(payload, preamble, trees)
    return OpenedUpload(
        media=MediaStream(payload, preamble.size),
        commitment=commitment,
        salt=preamble.salt,
        instructions=preamble.instructions,
        untrusted_record=_part(payload, preamble.header_bytes, preamble.record_bytes),
        secret=secret,
        trees=trees,
        untrusted_pictures=_part(
            payload, preamble.header_bytes + preamble.record_bytes, preamble.pictures_bytes
        ),
        untrusted_matching=_part(payload, preamble.size - preamble.matching_bytes, preamble.matching_bytes),
    )


def _part(payload: PayloadReader, start: int, size: int) -> bytes:
    payload.seek(start)
    part = payload.read(size)
    if len(part) != size:
        raise PreambleError("the upload ends before all that its header announces")
    return part


def _authenticate_and_commit(payload: PayloadReader, preamble: UploadPreamble, trees: OriginalTrees) -> bytes:
    commitment = hmac.new(preamble.salt, digestmod=hashlib.sha256)
    left_of_preamble = preamble.size

    def take(chunk: bytes) -> None:
        nonlocal left_of_preamble
        media = memoryview(chunk)[left_of_preamble:]
        commitment.update(media)
        trees.container(bytes(media))
        left_of_preamble = max(0, left_of_preamble - len(chunk))

    payload.authenticate_all(take)
    return commitment.digest()
