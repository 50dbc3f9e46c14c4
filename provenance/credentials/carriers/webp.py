"""WebP: one C2PA chunk at the end of the RIFF container, which counts it in (C2PA 2.2, A.3.4; RFC 9649)."""

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

_CHUNK: Final = b"C2PA"
_HEADER: Final = struct.Struct("<4sI4s")
# What the container's length leaves out: its own first two fields.
_UNCOUNTED_BYTES: Final = 8
_MOST_BYTES: Final = 0xFFFF_FFFF


def find(file: BinaryIO, carrier_bytes: int) -> Place:
    """Gives the place after the last chunk; the container's length grows by the carrier.

    Raises:
        UnplaceableError: no WebP, something stands behind the container, or it gets too long.
    """
    riff, counted, kind = _HEADER.unpack(read_exactly(file, 0, _HEADER.size))
    size = size_of(file)
    if (riff, kind) != (b"RIFF", b"WEBP") or counted + _UNCOUNTED_BYTES != size or size % 2:
        raise UnplaceableError("the file is no WebP that ends with its container")
    if counted + carrier_bytes > _MOST_BYTES:
        raise UnplaceableError("the picture leaves no room for a manifest")
    header = _HEADER.pack(riff, counted + carrier_bytes, kind)
    return Place(size, (header, Span(_HEADER.size, size)), ())


def wrap(store: bytes) -> bytes:
    """Gives the chunk: type, length, content.

    Raises:
        UnplaceableError: the length is odd; a zero would have to follow that belongs to nobody.
    """
    if len(store) % 2:
        raise UnplaceableError("a chunk has an even length")
    return _CHUNK + struct.pack("<I", len(store)) + store


CARRIER: Final = Carrier(find, wrap)
