"""JPEG: one APP11 segment, after the JFIF header (C2PA 2.2, A.3.1; ISO 19566-5, annex D)."""

from __future__ import annotations

import struct
from typing import BinaryIO, Final

from provenance.credentials.carriers.contract import (
    Carrier,
    Place,
    Span,
    UnplaceableError,
    read_exactly,
    size_of,
)
from provenance.credentials.jumbf import HEADER_BYTES

_START_OF_IMAGE: Final = b"\xff\xd8"
_APP0: Final = b"\xff\xe0"
_APP11: Final = b"\xff\xeb"
_MARKER_BYTES: Final = 2
_LENGTH: Final = struct.Struct(">H")
# Common identifier "JP", the number of the box, and the number of this piece of it.
_PIECE: Final = struct.pack(">2sHI", b"JP", 1, 1)
_MOST_BYTES: Final = 0xFFFF


def find(file: BinaryIO, carrier_bytes: int) -> Place:
    """Gives the place right after the JFIF header, which must stay first, or after the start of the image.

    Raises:
        UnplaceableError: no JPEG.
    """
    if read_exactly(file, 0, _MARKER_BYTES) != _START_OF_IMAGE:
        raise UnplaceableError("the file is no JPEG")
    start = _MARKER_BYTES
    if read_exactly(file, start, _MARKER_BYTES) == _APP0:
        (length,) = _LENGTH.unpack(read_exactly(file, start + _MARKER_BYTES, _LENGTH.size))
        start += _MARKER_BYTES + length
    if start > size_of(file):
        raise UnplaceableError("the file ends within its own structure")
    return Place(start, (Span(0, start),), (Span(start, size_of(file)),))


def wrap(store: bytes) -> bytes:
    """Gives the segment. A box that is split would repeat its header in each piece; ours fits into one.

    Raises:
        UnplaceableError: the manifest is larger than one segment.
    """
    content = _PIECE + store
    if len(store) < HEADER_BYTES or _LENGTH.size + len(content) > _MOST_BYTES:
        raise UnplaceableError("the manifest does not fit into one segment")
    return _APP11 + _LENGTH.pack(_LENGTH.size + len(content)) + content


CARRIER: Final = Carrier(find, wrap)
