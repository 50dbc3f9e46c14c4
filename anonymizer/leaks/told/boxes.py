"""Boxes of an MP4 (ISO/IEC 14496-12, 4.2), read one by one."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from anonymizer.errors import AnonymizerError

HEADER_BYTES: Final = 8
LONG_HEADER_BYTES: Final = 16
# A box of this size has its size in the next eight bytes.
_LONG: Final = 1
# The index of the longest video that is taken has a tenth of this.
MOST_INDEX_BYTES: Final = 256 << 20
MOST_BOXES: Final = 4096


@dataclass(frozen=True)
class Box:
    """One box in memory.

    Attributes:
        kind: four letters.
        body: what follows its header.
    """

    kind: bytes
    body: bytes


@dataclass(frozen=True)
class Place:
    """One box of a file, not read.

    Attributes:
        kind: four letters.
        begins, ends: of what follows its header, in bytes from the start of the file.
    """

    kind: bytes
    begins: int
    ends: int


def boxes_in(untrusted_body: bytes) -> Iterator[Box]:
    """Gives the boxes that fill a body.

    Raises:
        AnonymizerError: result_unreadable, where they do not fill it exactly.
    """
    at = 0
    for _ in range(MOST_BOXES):
        if at == len(untrusted_body):
            return
        size, kind = _header(untrusted_body[at : at + LONG_HEADER_BYTES])
        if size < HEADER_BYTES or at + size > len(untrusted_body):
            break
        yield Box(kind, untrusted_body[at + HEADER_BYTES : at + size])
        at += size
    raise AnonymizerError("result_unreadable")


def places_in(file: BinaryIO) -> tuple[list[Place], int]:
    """Gives the outermost boxes of a file, and how many bytes after them are no box."""
    size_of_file = file.seek(0, 2)
    places: list[Place] = []
    at = 0
    while at < size_of_file and len(places) < MOST_BOXES:
        file.seek(at)
        untrusted_header = file.read(LONG_HEADER_BYTES)
        if len(untrusted_header) < HEADER_BYTES:
            break
        size, kind = _header(untrusted_header)
        begins = at + HEADER_BYTES
        if size == _LONG:
            size, begins = int.from_bytes(untrusted_header[HEADER_BYTES:], "big"), at + LONG_HEADER_BYTES
        if at + size > size_of_file or begins > at + size:
            break
        places.append(Place(kind, begins, at + size))
        at += size
    return places, size_of_file - at


def read(file: BinaryIO, place: Place) -> bytes:
    """Reads what is in a box.

    Raises:
        AnonymizerError: result_unreadable, also for one that no memory should hold.
    """
    length = place.ends - place.begins
    if length > MOST_INDEX_BYTES:
        raise AnonymizerError("result_unreadable")
    file.seek(place.begins)
    body = file.read(length)
    if len(body) != length:
        raise AnonymizerError("result_unreadable")
    return body


def _header(untrusted: bytes) -> tuple[int, bytes]:
    if len(untrusted) < HEADER_BYTES:
        raise AnonymizerError("result_unreadable")
    size, kind = struct.unpack_from(">I4s", untrusted)
    return size, kind
