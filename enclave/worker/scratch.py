"""A file that only this process can read: the anonymized video, while it is too large for memory.

The disk under it belongs to the front desk, which must never see plaintext. So the file is written in
blocks of 64 KiB, each sealed with AES-256-GCM under a key that lives in this object alone. The nonce is the
number of the write, never used twice; the block's index is associated data. The number of each block's last
write is kept in memory (8 bytes a block): an older version of a block, or another block in its place, does
not open.
"""

from __future__ import annotations

import io
import os
from array import array
from collections import OrderedDict
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enclave.errors import WorkerError
from keyvault.age.streams import moved_position

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

BLOCK_BYTES = 64 << 10
TAG_BYTES = 16
SEALED_BLOCK_BYTES = BLOCK_BYTES + TAG_BYTES
DEFAULT_CACHED_BLOCKS = 32

_KEY_BYTES = 32
_NONCE_BYTES = 12
_INDEX_BYTES = 8
_NEVER_WRITTEN = 0


class EncryptedScratch(io.RawIOBase):
    """Readable, writable, seekable; behaves like a file that starts empty. One thread at a time.

    Args:
        fd: a regular file, empty, read and write; stays open when this stream is closed.
        max_bytes: the largest plaintext that it takes.
        cached_blocks: opened blocks kept in memory, 64 KiB each.
    """

    def __init__(self, fd: int, max_bytes: int, cached_blocks: int = DEFAULT_CACHED_BLOCKS) -> None:
        super().__init__()
        self._fd = fd
        self._max_bytes = max_bytes
        self._cached_blocks = max(1, cached_blocks)
        self._cipher = AESGCM(os.urandom(_KEY_BYTES))
        self._writes = 0
        self._last_write = array("Q")
        self._cache: OrderedDict[int, bytearray] = OrderedDict()
        self._unsaved: set[int] = set()
        self._position = 0
        self._size = 0

    @property
    def size(self) -> int:
        """Length of the plaintext in bytes."""
        return self._size

    def readable(self) -> bool:
        """Always."""
        return True

    def writable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next read or write begins."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Moves; past the end is allowed, and a write there leaves zeros between."""
        self._position = moved_position(self._position, self._size, offset, whence)
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills a buffer; short only at the end.

        Raises:
            WorkerError: `scratch_corrupt` when the disk gave back something else than was written.
        """
        target = memoryview(buffer).cast("B")
        wanted = max(0, min(len(target), self._size - self._position))
        done = 0
        while done < wanted:
            index, start = divmod(self._position, BLOCK_BYTES)
            piece = memoryview(self._block(index))[start : start + wanted - done]
            target[done : done + len(piece)] = piece
            done += len(piece)
            self._position += len(piece)
        return done

    def write(self, buffer: ReadableBuffer, /) -> int:
        """Takes every byte.

        Raises:
            WorkerError: `result_too_large`, `scratch_corrupt`.
            OSError: the disk is full.
        """
        source = memoryview(buffer).cast("B")
        if self._position + len(source) > self._max_bytes:
            raise WorkerError("the result is larger than its limit", "result_too_large")
        done = 0
        while done < len(source):
            index, start = divmod(self._position, BLOCK_BYTES)
            piece = source[done : done + BLOCK_BYTES - start]
            block = self._block(index)
            block[start : start + len(piece)] = piece
            self._unsaved.add(index)
            done += len(piece)
            self._position += len(piece)
            self._size = max(self._size, self._position)
        return done

    def truncate(self, size: int | None = None, /) -> int:
        """Makes the file this long, by default as long as the position; what is added is zeros."""
        size = self._position if size is None else size
        if not 0 <= size <= self._max_bytes:
            raise WorkerError("the result is larger than its limit", "result_too_large")
        if size < self._size:
            kept, remainder = divmod(size, BLOCK_BYTES)
            if remainder:
                self._block(kept)[remainder:] = bytes(BLOCK_BYTES - remainder)
                self._unsaved.add(kept)
                kept += 1
            for index in [index for index in self._cache if index >= kept]:
                del self._cache[index]
            self._unsaved = {index for index in self._unsaved if index < kept}
            # An empty slot reads as zeros; the old block on the disk does not open any more.
            del self._last_write[kept:]
        self._size = size
        return size

    def flush(self) -> None:
        """Seals every changed block onto the disk."""
        super().flush()
        for index in sorted(self._unsaved):
            self._save(index)

    def close(self) -> None:
        """Forgets everything; what is on the disk can never be read again."""
        self._unsaved.clear()
        self._cache.clear()
        super().close()

    def _block(self, index: int) -> bytearray:
        block = self._cache.get(index)
        if block is None:
            while len(self._cache) >= self._cached_blocks:
                oldest = next(iter(self._cache))
                if oldest in self._unsaved:
                    self._save(oldest)
                del self._cache[oldest]
            block = self._cache[index] = self._open(index)
        self._cache.move_to_end(index)
        return block

    def _open(self, index: int) -> bytearray:
        number = self._last_write[index] if index < len(self._last_write) else _NEVER_WRITTEN
        if number == _NEVER_WRITTEN:
            return bytearray(BLOCK_BYTES)
        sealed = os.pread(self._fd, SEALED_BLOCK_BYTES, index * SEALED_BLOCK_BYTES)
        try:
            return bytearray(self._cipher.decrypt(_nonce(number), sealed, _associated(index)))
        except InvalidTag:
            raise WorkerError("the scratch file was changed by somebody else", "scratch_corrupt") from None

    def _save(self, index: int) -> None:
        self._writes += 1
        sealed = self._cipher.encrypt(_nonce(self._writes), self._cache[index], _associated(index))
        view, offset = memoryview(sealed), index * SEALED_BLOCK_BYTES
        while view:
            written = os.pwrite(self._fd, view, offset)
            view, offset = view[written:], offset + written
        while len(self._last_write) <= index:
            self._last_write.append(_NEVER_WRITTEN)
        self._last_write[index] = self._writes
        self._unsaved.discard(index)


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE_BYTES, "big")


def _associated(index: int) -> bytes:
    return index.to_bytes(_INDEX_BYTES, "big")
