"""Small manners for byte streams of any make: short reads, short writes, bytes put back."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Bytes = bytes | bytearray | memoryview


class ByteSink(Protocol):
    """Anything bytes can be written to. A sink that returns nothing has taken every byte."""

    def write(self, data: bytes, /) -> int | None:
        """Takes some or all of the bytes and says how many."""


def moved_position(position: int, size: int, offset: int, whence: int) -> int:
    """Gives the position after a seek.

    Raises:
        ValueError: before the beginning, or an unknown whence.
    """
    base = {os.SEEK_SET: 0, os.SEEK_CUR: position, os.SEEK_END: size}.get(whence)
    if base is None or base + offset < 0:
        raise ValueError("no such place in the stream")
    return base + offset


def read_some(stream: BinaryIO, size: int) -> bytes:
    """Reads up to `size` bytes in one go; none only at the end of the stream.

    Raises:
        BlockingIOError: the stream has nothing now but may have later.
    """
    part: bytes | None = stream.read(size)
    if part is None:
        raise BlockingIOError("age files are read from blocking streams only")
    return part


def read_up_to(stream: BinaryIO, size: int) -> bytes:
    """Reads `size` bytes, fewer only at the end of the stream, however short its single reads are."""
    part = read_some(stream, size)
    if len(part) in (0, size):
        return part
    parts = bytearray(part)
    while len(parts) < size and (part := read_some(stream, size - len(parts))):
        parts += part
    return bytes(parts)


def write_all(sink: ByteSink, data: bytes) -> None:
    """Writes every byte, however short the sink's single writes are."""
    taken = sink.write(data)
    while taken is not None and taken < len(data):
        data = data[taken:]
        taken = sink.write(data)


class PutBack(io.RawIOBase):
    """A source with some bytes put back in front of it. Closing it leaves the source open."""

    def __init__(self, front: bytes, source: BinaryIO) -> None:
        super().__init__()
        self._front = front
        self._source = source

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills a buffer, first with what was put back."""
        target = memoryview(buffer).cast("B")
        if self._front:
            part, self._front = self._front[: len(target)], self._front[len(target) :]
        else:
            part = read_some(self._source, len(target))
        target[: len(part)] = part
        return len(part)
