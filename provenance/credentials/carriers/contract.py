"""What a file format has to say about carrying a manifest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from provenance.errors import FormatError

CHUNK_BYTES = 1 << 20


class UnplaceableError(FormatError):
    """A file is not laid out so that a manifest can be put into it."""

    code = "credentials_unplaceable"


@dataclass(frozen=True)
class Span:
    """A stretch of the file as it was without a manifest.

    Attributes:
        start: first byte.
        stop: one past the last.
    """

    start: int
    stop: int


Part = bytes | Span
"""Bytes that stand in place of the file's own, or the file's own."""


@dataclass(frozen=True)
class Place:
    """Where a manifest goes in one file.

    Attributes:
        start: offset of the carrier in the file with a manifest.
        before: what stands before it.
        after: what stands after it.
    """

    start: int
    before: tuple[Part, ...]
    after: tuple[Part, ...]


@dataclass(frozen=True)
class Carrier:
    """One format.

    Attributes:
        find: gives the place for a carrier of so many bytes in a seekable file, which it does not change.
        wrap: gives the carrier around a manifest store; its length depends on that of the store alone.
    """

    find: Callable[[BinaryIO, int], Place]
    wrap: Callable[[bytes], bytes]


def read_exactly(file: BinaryIO, start: int, count: int) -> bytes:
    """Reads so many bytes from there.

    Raises:
        UnplaceableError: the file ends before.
    """
    file.seek(start)
    content = file.read(count)
    if len(content) != count:
        raise UnplaceableError("the file ends within its own structure")
    return content


def size_of(file: BinaryIO) -> int:
    """Gives the length of a seekable file."""
    return file.seek(0, os.SEEK_END)


def pieces(file: BinaryIO, parts: tuple[Part, ...]) -> Iterator[bytes]:
    """Gives the bytes of these parts, at most 1 MiB at a time.

    Raises:
        UnplaceableError: the file has become shorter.
    """
    for part in parts:
        if isinstance(part, bytes):
            yield part
            continue
        for start in range(part.start, part.stop, CHUNK_BYTES):
            yield read_exactly(file, start, min(CHUNK_BYTES, part.stop - start))
