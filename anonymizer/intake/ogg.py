"""An Ogg file's pages (RFC 3533). A demuxer skips a damaged one and goes on as if it had not been there."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO, Final

from anonymizer.errors import AnonymizerError

MAGIC: Final = b"OggS"
HEADER: Final = struct.Struct("<4sBBqIIIB")
CHECKSUM_AT: Final = 22
LAST_PAGE: Final = 0x04
MOST_STREAMS: Final = 16
# Ogg's checksum takes the bits of a byte in the other order than zlib's.
_TURNED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def check_ogg(source: BinaryIO) -> None:
    """Walks all pages, and leaves the stream at its start.

    Raises:
        AnonymizerError: media_truncated, media_corrupt, media_unsupported.
    """
    source.seek(0)
    pages: dict[int, int] = {}
    open_streams: set[int] = set()
    while head := source.read(HEADER.size):
        if len(head) < HEADER.size:
            raise AnonymizerError("media_truncated")
        magic, version, flags, _, stream, number, checksum, segments = HEADER.unpack(head)
        if magic != MAGIC or version != 0:
            raise AnonymizerError("media_corrupt")
        lacing = _exactly(source, segments)
        body = _exactly(source, sum(lacing))
        blank = head[:CHECKSUM_AT] + bytes(4) + head[CHECKSUM_AT + 4 :]
        if _checksum(blank + lacing + body) != checksum or number != pages.get(stream, number - 1) + 1:
            raise AnonymizerError("media_corrupt")
        pages[stream] = number
        if len(pages) > MOST_STREAMS:
            raise AnonymizerError("media_unsupported", "It holds too many streams.")
        open_streams.add(stream)
        if flags & LAST_PAGE:
            open_streams.discard(stream)
    if open_streams or not pages:
        raise AnonymizerError("media_truncated")
    source.seek(0)


def _checksum(page: bytes) -> int:
    """CRC-32 of polynomial 0x04c11db7, from zero, nothing turned around."""
    turned = zlib.crc32(page.translate(_TURNED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{turned:032b}"[::-1], 2)


def _exactly(source: BinaryIO, size: int) -> bytes:
    read = source.read(size)
    if len(read) < size:
        raise AnonymizerError("media_truncated")
    return read
