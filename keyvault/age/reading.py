"""Reading a payload from its beginning to its end: pipes, sockets, armor.

For a file on disk or in memory that is read here and there, see `random_access`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from keyvault.age.chunks import (
    SEALED_CHUNK_BYTES,
    TAG_BYTES,
    ChunkCipher,
    read_payload_nonce,
)
from keyvault.age.errors import AgeError, AgePayloadCorruptError, AgePayloadTruncatedError
from keyvault.age.streams import read_up_to

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def open_chunks(stream: BinaryIO, file_key: bytes) -> Iterator[bytes]:
    """Yields the plaintext chunk by chunk, each one authenticated before it is yielded.

    A payload is whole only when the iterator ends by itself: commit nothing that cannot be undone before.

    Args:
        stream: stands just after the header.
        file_key: 16 bytes.

    Yields:
        Up to 64 KiB of plaintext; one empty chunk when the whole payload is empty.

    Raises:
        AgeHeaderError: the stream ends before the payload's nonce.
        AgePayloadTruncatedError: it ends before the final chunk.
        AgePayloadCorruptError: a chunk does not authenticate, or there is data after the last one.
    """
    cipher = ChunkCipher(file_key, read_payload_nonce(stream))
    index = 0
    while len(sealed := read_up_to(stream, SEALED_CHUNK_BYTES)) == SEALED_CHUNK_BYTES:
        try:
            plaintext = cipher.open(index, sealed, final=False)
        except AgePayloadCorruptError:
            # A full chunk may still be the last: only its own tag can say so.
            yield cipher.open(index, sealed, final=True)
            if read_up_to(stream, 1):
                raise AgePayloadCorruptError("there is data after the payload's final chunk") from None
            return
        yield plaintext
        index += 1
    check_final_chunk_size(index, len(sealed))
    yield cipher.open(index, sealed, final=True)


def check_final_chunk_size(index: int, sealed_bytes: int) -> None:
    """Checks the length of a chunk that the end of the file makes the last.

    Raises:
        AgePayloadTruncatedError: there is no room for a tag.
        AgePayloadCorruptError: it is empty although others came before it.
    """
    if sealed_bytes < TAG_BYTES:
        raise AgePayloadTruncatedError("the payload ends before its final chunk")
    if sealed_bytes == TAG_BYTES and index > 0:
        raise AgePayloadCorruptError("the payload's final chunk is empty")


class PayloadStream(io.RawIOBase):
    """The plaintext as a readable, non-seekable stream, in constant memory.

    Every byte is authenticated before it is returned; that the payload is whole is known only once read
    returns the empty end. Closing it leaves the underlying stream open.
    """

    def __init__(self, stream: BinaryIO, file_key: bytes) -> None:
        super().__init__()
        self._chunks = open_chunks(stream, file_key)
        self._unread = memoryview(b"")
        self._defect: AgeError | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills a buffer with the next plaintext; 0 means the payload has been seen whole.

        Raises:
            AgeError: as `open_chunks` does, and again at every later read.
        """
        if self.closed:
            raise ValueError("read of a closed payload")
        target = memoryview(buffer).cast("B")
        if not self._unread:
            self._unread = memoryview(self._next_chunk())
        taken = min(len(target), len(self._unread))
        target[:taken] = self._unread[:taken]
        self._unread = self._unread[taken:]
        return taken

    def _next_chunk(self) -> bytes:
        if self._defect is not None:
            raise self._defect
        try:
            return next(self._chunks, b"")
        except AgeError as defect:
            # A generator that has raised looks finished: a later read must not look like a clean end.
            self._defect = defect
            raise

    def close(self) -> None:
        """Forgets the plaintext at hand."""
        self._unread = memoryview(b"")
        super().close()
