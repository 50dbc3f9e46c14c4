"""PNG: one caBX chunk, right after the header chunk (C2PA 2.2, A.3.2)."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO, Final

from provenance.credentials.carriers.contract import (
    Carrier,
    Place,
    Span,
    UnplaceableError,
    read_exactly,
    size_of,
)

_START: Final = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 13, b"IHDR")
_HEADER_END: Final = len(_START) + 13 + 4
_CHUNK: Final = b"caBX"


def find(file: BinaryIO, carrier_bytes: int) -> Place:
    """Gives the place after the header chunk.

    Raises:
        UnplaceableError: no PNG.
    """
    if not read_exactly(file, 0, _HEADER_END).startswith(_START):
        raise UnplaceableError("the file is no PNG")
    return Place(_HEADER_END, (Span(0, _HEADER_END),), (Span(_HEADER_END, size_of(file)),))


def wrap(store: bytes) -> bytes:
    """Gives the chunk: length, type, content, CRC-32 of the last two."""
    return struct.pack(">I", len(store)) + _CHUNK + store + struct.pack(">I", zlib.crc32(_CHUNK + store))


CARRIER: Final = Carrier(find, wrap)
