"""MP4: one uuid box after the file type box; and the hash that binds a manifest to the other boxes.

(C2PA 2.2, A.5 and 18.6; ISO 14496-12.) What follows the new box moves, so `move_chunks` first adds its length
to the tables that say where the pictures lie. Nothing here depends on how long the video is: a table is
changed in pieces, in place.
"""

from __future__ import annotations

import array
import hashlib
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from provenance.credentials.assertions import C2PA_UUID
from provenance.credentials.carriers.contract import (
    Carrier,
    Place,
    Span,
    UnplaceableError,
    pieces,
    read_exactly,
    size_of,
)

_HEADER: Final = struct.Struct(">I4s")
_LONG_SIZE: Final = struct.Struct(">Q")
_OFFSET: Final = struct.Struct(">Q")
_ENTRIES: Final = struct.Struct(">II")
_TO_THE_END, _LONG = 0, 1
# What our muxer writes. Anything else could hold offsets that nobody here knows of.
_TOP_LEVEL: Final = (b"ftyp", b"free", b"mdat", b"moov")
_ON_THE_WAY: Final = (b"trak", b"mdia", b"minf", b"stbl")
# Tables of chunk offsets, by the size of an entry.
_TABLES: Final = {b"stco": "I", b"co64": "Q"}
_ENTRIES_AT_ONCE: Final = 8192
# Version and flags; that it is the manifest itself; no Merkle tree.
_PURPOSE: Final = bytes(4) + b"manifest\0" + bytes(8)


@dataclass(frozen=True)
class Box:
    """One box.

    Attributes:
        kind: four letters.
        start: of its header.
        content: of what follows the header.
        stop: one past its end.
    """

    kind: bytes
    start: int
    content: int
    stop: int


def find(file: BinaryIO, carrier_bytes: int) -> Place:
    """Gives the place after the file type box.

    Raises:
        UnplaceableError: no MP4 of the kind that our muxer writes.
    """
    first, *others = _top_level(file)
    return Place(first.stop, (Span(0, first.stop),), tuple(Span(box.start, box.stop) for box in others))


def wrap(store: bytes) -> bytes:
    """Gives the box."""
    content = C2PA_UUID + _PURPOSE + store
    return _HEADER.pack(_HEADER.size + len(content), b"uuid") + content


CARRIER: Final = Carrier(find, wrap)


def move_chunks(file: BinaryIO, by: int) -> None:
    """Adds the length of the new box to every chunk offset, in place.

    Raises:
        UnplaceableError: no such MP4, or an offset no longer fits.
    """
    for box in _top_level(file):
        if box.kind == b"moov":
            for table in _tables(file, box):
                _move(file, table, by)


def content_sha256(file: BinaryIO, carrier_bytes: int) -> bytes:
    """Gives the hash of every box but the first and the manifest's, each after its own offset (18.6.2).

    Args:
        file: whose chunks have been moved.
        carrier_bytes: length of the manifest's box, which is not there yet.
    """
    digest = hashlib.sha256()
    _first, *others = _top_level(file)
    for box in others:
        digest.update(_OFFSET.pack(box.start + carrier_bytes))
        for piece in pieces(file, (Span(box.start, box.stop),)):
            digest.update(piece)
    return digest.digest()


def _top_level(file: BinaryIO) -> list[Box]:
    boxes = list(_boxes(file, 0, size_of(file)))
    kinds = [box.kind for box in boxes]
    if kinds[:1] != [b"ftyp"] or kinds.count(b"ftyp") != 1 or not set(kinds) <= set(_TOP_LEVEL):
        raise UnplaceableError("the file is no MP4 of the kind that is written here")
    return boxes


def _boxes(file: BinaryIO, start: int, stop: int) -> Iterator[Box]:
    while start < stop:
        size, kind = _HEADER.unpack(read_exactly(file, start, _HEADER.size))
        content = start + _HEADER.size
        if size == _LONG:
            (size,) = _LONG_SIZE.unpack(read_exactly(file, content, _LONG_SIZE.size))
            content += _LONG_SIZE.size
        elif size == _TO_THE_END:
            size = stop - start
        if not content <= start + size <= stop:
            raise UnplaceableError("a box of the file is larger than what it lies in")
        yield Box(kind, start, content, start + size)
        start += size


def _tables(file: BinaryIO, inside: Box) -> Iterator[Box]:
    for box in _boxes(file, inside.content, inside.stop):
        if box.kind in _TABLES:
            yield box
        elif box.kind in _ON_THE_WAY:
            yield from _tables(file, box)


def _move(file: BinaryIO, table: Box, by: int) -> None:
    _version, count = _ENTRIES.unpack(read_exactly(file, table.content, _ENTRIES.size))
    code = _TABLES[table.kind]
    width = array.array(code).itemsize
    at = table.content + _ENTRIES.size
    if at + count * width != table.stop:
        raise UnplaceableError("a table of the file does not have its length")
    for begin in range(at, table.stop, _ENTRIES_AT_ONCE * width):
        entries = array.array(
            code, read_exactly(file, begin, min(_ENTRIES_AT_ONCE * width, table.stop - begin))
        )
        _swap_to_big_endian(entries)
        try:
            moved = array.array(code, (entry + by for entry in entries))
        except OverflowError:
            raise UnplaceableError("the video leaves no room for a manifest") from None
        _swap_to_big_endian(moved)
        file.seek(begin)
        file.write(moved.tobytes())


def _swap_to_big_endian(entries: array.array[int]) -> None:
    if sys.byteorder == "little":
        entries.byteswap()
