"""Reading a payload here and there: what a video demuxer does.

The last chunk is opened first, so that the size is as trustworthy as the bytes.
"""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from keyvault.age.chunks import (
    CHUNK_BYTES,
    PAYLOAD_NONCE_BYTES,
    SEALED_CHUNK_BYTES,
    TAG_BYTES,
    ChunkCipher,
    read_payload_nonce,
)
from keyvault.age.errors import AgePayloadCorruptError, AgePayloadTruncatedError
from keyvault.age.reading import check_final_chunk_size
from keyvault.age.streams import moved_position, read_up_to

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

DEFAULT_CACHED_CHUNKS = 8


class PayloadReader(io.RawIOBase):
    """The plaintext as a readable, seekable stream in constant memory.

    Every chunk is authenticated whole before any byte of it is returned. The underlying stream stays the
    caller's: it is read by seeking, so nobody else may use it meanwhile, and it is not closed. One thread
    at a time.
    """

    def __init__(
        self,
        stream: BinaryIO,
        file_key: bytes,
        payload_offset: int,
        cached_chunks: int = DEFAULT_CACHED_CHUNKS,
    ) -> None:
        """Authenticates the final chunk, and with it the size.

        Args:
            stream: seekable and blocking.
            file_key: 16 bytes.
            payload_offset: where in the stream the payload begins, in bytes: `len(header.raw)` when the
                age file begins at 0.
            cached_chunks: how many opened chunks of 64 KiB are kept.

        Raises:
            AgeHeaderError: the stream ends before the payload's nonce.
            AgePayloadTruncatedError: it ends before a final chunk.
            AgePayloadCorruptError: its last chunk does not authenticate.
        """
        super().__init__()
        # First of all, because the collector closes even an object whose constructor raised.
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._cached_chunks = max(1, cached_chunks)
        end = stream.seek(0, os.SEEK_END)
        self._stream = stream
        stream.seek(payload_offset)
        self._cipher = ChunkCipher(file_key, read_payload_nonce(stream))
        self._first_chunk_offset = payload_offset + PAYLOAD_NONCE_BYTES
        sealed_bytes = end - self._first_chunk_offset
        if sealed_bytes <= 0:
            raise AgePayloadTruncatedError("the payload ends before its final chunk")
        self._last = (sealed_bytes - 1) // SEALED_CHUNK_BYTES
        self._last_sealed_bytes = sealed_bytes - self._last * SEALED_CHUNK_BYTES
        check_final_chunk_size(self._last, self._last_sealed_bytes)
        self._size = sealed_bytes - (self._last + 1) * TAG_BYTES
        self._position = 0
        self._open_last_chunk()

    @property
    def size(self) -> int:
        """Length of the plaintext in bytes, authenticated."""
        return self._size

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next read begins, in bytes of plaintext."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Moves to a place in the plaintext; past the end is allowed, and reads nothing there."""
        self._position = moved_position(self._position, self._size, offset, whence)
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills a buffer; short only at the end of the plaintext.

        Raises:
            AgePayloadCorruptError: a chunk on the way does not authenticate.
            AgePayloadTruncatedError: the underlying stream became shorter.
        """
        if self.closed:
            raise ValueError("read of a closed payload")
        target = memoryview(buffer).cast("B")
        wanted = max(0, min(len(target), self._size - self._position))
        filled = 0
        while filled < wanted:
            index, start = divmod(self._position + filled, CHUNK_BYTES)
            piece = self._cached(index)[start : start + wanted - filled]
            target[filled : filled + len(piece)] = piece
            filled += len(piece)
        self._position += filled
        return filled

    def authenticate_all(self, on_block: Callable[[bytes], object] | None = None) -> None:
        """Opens every chunk once, in order, and leaves the read position alone.

        Args:
            on_block: is given each chunk's plaintext, up to 64 KiB, as soon as it is authenticated. What
                it makes of them counts only once this method has returned.

        Raises:
            AgePayloadCorruptError: a chunk does not authenticate.
            AgePayloadTruncatedError: the underlying stream became shorter.
        """
        if self.closed:
            raise ValueError("read of a closed payload")
        for index in range(self._last + 1):
            plaintext = self._open(index)
            if on_block is not None:
                on_block(plaintext)

    def close(self) -> None:
        """Forgets the opened chunks; the underlying stream stays open."""
        self._cache.clear()
        super().close()

    def _cached(self, index: int) -> bytes:
        plaintext = self._cache.get(index)
        if plaintext is None:
            plaintext = self._open(index)
            self._cache[index] = plaintext
            if len(self._cache) > self._cached_chunks:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(index)
        return plaintext

    def _open(self, index: int) -> bytes:
        final = index == self._last
        return self._cipher.open(index, self._sealed(index), final=final)

    def _open_last_chunk(self) -> None:
        try:
            self._cached(self._last)
        except AgePayloadCorruptError:
            if self._last_sealed_bytes == SEALED_CHUNK_BYTES and self._is_a_middle_chunk(self._last):
                raise AgePayloadTruncatedError("the payload ends before its final chunk") from None
            raise

    def _is_a_middle_chunk(self, index: int) -> bool:
        try:
            self._cipher.open(index, self._sealed(index), final=False)
        except AgePayloadCorruptError:
            return False
        return True

    def _sealed(self, index: int) -> bytes:
        size = self._last_sealed_bytes if index == self._last else SEALED_CHUNK_BYTES
        self._stream.seek(self._first_chunk_offset + index * SEALED_CHUNK_BYTES)
        sealed = read_up_to(self._stream, size)
        if len(sealed) < size:
            raise AgePayloadTruncatedError("the payload became shorter while it was read")
        return sealed
