"""The two streams of a job as FFmpeg sees them."""

from __future__ import annotations

import io
from typing import BinaryIO


class Source:
    """The input. It remembers a failed read, which a demuxer might take for the end of the file."""

    def __init__(self, stream: BinaryIO) -> None:
        """Takes a readable, seekable binary stream."""
        self._stream = stream
        self.failure: Exception | None = None

    def read(self, size: int) -> bytes:
        """Reads up to `size` bytes."""
        try:
            return self._stream.read(size)
        except Exception as error:
            self.failure = error
            raise

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to an offset."""
        try:
            return self._stream.seek(offset, whence)
        except Exception as error:
            self.failure = error
            raise

    def tell(self) -> int:
        """Returns the offset."""
        return self._stream.tell()

    def raise_failure(self) -> None:
        """Raises what the stream raised, if it ever did."""
        if self.failure is not None:
            raise self.failure


class Sink:
    """The output. Once abandoned it takes no more, not even a muxer's parting trailer."""

    def __init__(self, stream: BinaryIO) -> None:
        """Takes a writable, seekable binary stream."""
        self._stream = stream
        self.closed = False

    def write(self, chunk: bytes) -> int:
        """Writes all of a chunk."""
        view = memoryview(chunk)
        while not self.closed and view:
            view = view[self._stream.write(view) :]
        return len(chunk)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to an offset."""
        return 0 if self.closed else self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Returns the offset."""
        return 0 if self.closed else self._stream.tell()
