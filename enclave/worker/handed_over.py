"""The ten descriptors that are all a child has, at fixed numbers, and streams over them.

The streams use positioned reads and plain writes only: opening a descriptor through Python's own file
objects would ask the kernel questions that the wall does not answer.
"""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING

from enclave.errors import WorkerError
from enclave.wall.descriptors import FIRST_FREE
from keyvault.age.streams import moved_position
from protos.framing import write_all

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

UPLOAD_FD, RESULT_FD, SCRATCH_FD, REVIEW_FD, PACKAGE_FD, SHEET_FD = range(FIRST_FREE, FIRST_FREE + 6)
UNTOUCHED_FD, SCORES_FD, REPORTS_FD, VAULT_FD = range(FIRST_FREE + 6, FIRST_FREE + 10)


class DescriptorReader(io.RawIOBase):
    """A regular file behind a descriptor, readable and seekable; the descriptor's own position is left alone.

    Args:
        fd: stays open when this stream is closed.
    """

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._fd = fd
        self._size = os.lseek(fd, 0, os.SEEK_END)
        self._position = 0

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
        """Moves to a place in the file."""
        self._position = moved_position(self._position, self._size, offset, whence)
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills a buffer as far as the kernel does in one go."""
        target = memoryview(buffer).cast("B")
        part = os.pread(self._fd, len(target), self._position)
        target[: len(part)] = part
        self._position += len(part)
        return len(part)


class DescriptorSink:
    """Writes to a descriptor, counts and hashes what it wrote, and stops at a limit.

    Args:
        fd: written from where it stands.
        max_bytes: the most that it takes.
        code: of the error beyond that.
    """

    def __init__(self, fd: int, max_bytes: int, code: str = "result_too_large") -> None:
        self._fd = fd
        self._max_bytes = max_bytes
        self._code = code
        self._sha256 = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> bytes:
        """SHA-256 of everything written so far, 32 bytes."""
        return self._sha256.digest()

    def write(self, chunk: bytes, /) -> int:
        """Writes every byte.

        Raises:
            WorkerError: of this sink's code.
            OSError: the disk is full.
        """
        if self.size + len(chunk) > self._max_bytes:
            raise WorkerError("what is sealed is larger than its limit", self._code)
        write_all(self._fd, chunk)
        self._sha256.update(chunk)
        self.size += len(chunk)
        return len(chunk)

    def again(self) -> None:
        """Begins anew: what was written so far is written over.

        The file keeps its length, as the wall lets nobody cut one: whoever takes it cuts it at `size`.
        """
        os.lseek(self._fd, 0, os.SEEK_SET)
        self._sha256 = hashlib.sha256()
        self.size = 0
